"""Commands that only read the store: search, documents, why, runs, status."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from catchment.cli.house import House
from catchment.core.runs import ItemState
from catchment.store.engine import writing
from catchment.store.tables import items
from tests.cli.conftest import Cli, Place

READERS = (
    ("search", "heron"),
    ("status",),
    ("documents", "docs"),
    ("why", "docs", "heron.txt"),
    ("runs",),
    ("connector", "list"),
    ("connector", "show", "docs"),
)


@pytest.fixture(autouse=True)
def _no_prefect(request: pytest.FixtureRequest) -> None:
    """Whoever asks for Prefect after the sync of the fixture fails its test."""
    if "synced" in request.fixturenames:
        request.getfixturevalue("synced").wire.is_away = True


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_without_a_store_a_reader_says_so(words: tuple[str, ...], home: Path, cli: Cli) -> None:
    """One sentence with the remedy, exit code 2, and nothing is made."""
    said = cli(*words)
    assert said.code == 2
    assert said.err.startswith("There is no store yet.")
    assert "catchment sync" in said.err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_reader_needs_no_prefect(words: tuple[str, ...], synced: Place, cli: Cli) -> None:
    """Everything that the store knows is told while Prefect is away, in both forms."""
    assert cli(*words).code == 0
    assert cli(*words, "--json").records


def test_search_finds_a_document_by_its_words(synced: Place, cli: Cli) -> None:
    """Each hit has the promised keys; the snippet shows the words."""
    said = cli("search", "shallow", "water", "--json")
    assert said.code == 0
    (hit,) = said.records
    assert {"document", "connector", "key", "title", "snippet", "score"} <= set(hit)
    assert (hit["connector"], hit["key"]) == ("docs", "heron.txt")
    assert "shallow water" in hit["snippet"]
    assert 0 < hit["score"] <= 1
    assert "shallow water" in cli("search", "shallow water").out


def test_search_filters_narrow(synced: Place, cli: Cli) -> None:
    """Connector, type, date and page leave out what does not fit."""
    assert len(cli("search", "the", "--json").records) == 2
    assert len(cli("search", "the", "--json", "--connector", "docs", "--type", "txt").records) == 2
    assert cli("search", "the", "--json", "--type", "pdf").records == []
    assert cli("search", "the", "--json", "--author", "nobody").records == []
    assert cli("search", "the", "--json", "--tag", "nothing").records == []
    assert cli("search", "the", "--json", "--until", "2001-01-01").records == []
    assert len(cli("search", "the", "--json", "--since", "2001-01-01T00:00").records) == 2
    first, second = (cli("search", "the", "--json", "-n", "1", "--offset", n).record for n in (0, 1))
    assert first["key"] != second["key"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("search",), "nothing to search"),
        (("search", "x", "--limit", "0"), "limit"),
        (("search", "x", "--since", "yesterday"), "--since"),
        (("search", "x", "--connector", "nobody"), "nobody"),
        (("search", "x", "--type", "nosuch"), "nosuch"),
        (("documents", "nobody"), "nobody"),
        (("document", "show", "ffff"), "ffff"),
        (("run", "show", "ffff"), "ffff"),
        (("nonsense",), "nonsense"),
        (("sync", "--nonsense"), "--nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use_is_exit_code_two(words: tuple[str, ...], told: str, synced: Place, cli: Cli) -> None:
    """One sentence that names what is wrong; under --json as an object with three keys."""
    said = cli(*words)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert "Traceback" not in said.err
    told_json = cli(*words, "--json")
    assert told_json.code == 2
    assert set(told_json.record) == {"error", "code", "remedy"}


def test_documents_have_the_promised_keys_and_the_hash_of_the_source(synced: Place, cli: Cli) -> None:
    """The sha256 is that of the bytes at the source."""
    listed = cli("documents", "docs", "--json").records
    assert [one["key"] for one in listed] == ["heron.txt", "otter.txt"]
    heron = listed[0]
    assert {"id", "key", "title", "content_type", "size", "sha256", "chunks", "indexed_at"} <= set(heron)
    body = (synced.docs / "heron.txt").read_bytes()
    assert heron["sha256"] == hashlib.sha256(body).hexdigest()
    assert (heron["size"], heron["chunks"]) == (len(body), 1)
    assert heron["indexed_at"].endswith("Z")
    assert cli("documents", "docs", "--json", "--limit", "1", "--offset", "1").record["key"] == "otter.txt"


def test_a_document_shows_its_facts_and_its_text(synced: Place, cli: Cli) -> None:
    """By its id or the beginning of it."""
    document = cli("documents", "docs", "--json").records[0]["id"]
    assert "heron.txt" in cli("document", "show", document[:10]).out
    assert "shallow water" in cli("document", "show", document, "--text").out
    assert cli("document", "show", document, "--text", "--json").record["text"].startswith("The heron")


class TestWhy:
    """``catchment why`` for every state."""

    def test_an_indexed_item_is_in_the_index(self, synced: Place, cli: Cli) -> None:
        """With exactly the promised keys, and the id of its document."""
        said = cli("why", "docs", "heron.txt", "--json")
        promised = {"key", "state", "stage", "reason", "error", "attempts", "next_attempt"}
        assert promised <= set(said.record)
        assert (said.record["key"], said.record["state"]) == ("heron.txt", "indexed")
        assert said.record["document"]

    def test_a_failed_item_tells_stage_reason_and_next_attempt(self, synced: Place, cli: Cli) -> None:
        """So that a person knows whether to wait or to act."""
        told = cli("why", "docs", "torn.pdf", "--json").record
        assert (told["state"], told["stage"], told["attempts"]) == ("failed", "parse", 1)
        assert "broken" in told["reason"]
        assert told["next_attempt"].endswith("Z")
        assert "--file torn.pdf" in cli("why", "docs", "./torn.pdf").out

    @pytest.mark.parametrize("state", [ItemState.QUARANTINED, ItemState.HIDDEN, ItemState.DELETED])
    def test_every_other_state_is_told(self, state: ItemState, synced: Place, cli: Cli) -> None:
        """The ledger's word, and a sentence."""
        with writing(synced.house.engine) as connection:
            connection.execute(items.update().where(items.c.key == "otter.txt").values(state=state))
        told = cli("why", "docs", "otter.txt", "--json").record
        assert told["state"] == state
        assert told["explanation"]

    def test_a_key_never_seen_is_unknown(self, synced: Place, cli: Cli) -> None:
        """The source did not name it when it was last listed."""
        told = cli("why", "docs", "vole.txt", "--json").record
        assert (told["state"], told["reason"]) == ("unknown", "not_listed")
        assert told["next_step"] == "catchment sync docs"

    def test_a_key_left_out_by_the_settings_names_the_setting(self, synced: Place, cli: Cli) -> None:
        """Include, exclude and the folder's own rules are told apart."""
        assert cli("why", "docs", ".hidden/vole.txt", "--json").record["reason"] == "outside_scope"
        assert cli("connector", "edit", "docs", "--set", "exclude=*.log").code == 0
        assert cli("why", "docs", "vole.log", "--json").record["reason"] == "outside_exclude"
        assert cli("connector", "edit", "docs", "--set", "include=*.txt,*.pdf").code == 0
        told = cli("why", "docs", "vole.md", "--json").record
        assert told["reason"] == "outside_include"
        assert "--set include=" in told["next_step"]

    def test_a_connector_that_was_never_synced_says_so(self, place: Place, cli: Cli) -> None:
        """Nothing can have been seen."""
        cli("connector", "add", place.docs)
        assert cli("why", "docs", "vole.txt", "--json").record["reason"] == "never_synced"


def test_status_tells_store_connectors_and_last_run(synced: Place, cli: Cli) -> None:
    """One object; the text form fits 80 columns."""
    told = cli("status", "--json").record
    assert told["stack"] == {"local": True, "running": False}
    assert told["store"]["documents"] == 2
    (connector,) = told["connectors"]
    assert connector["items"]["failed"] == 1
    assert connector["last_run"]["state"] == "SUCCEEDED"
    lines = cli("status").out.splitlines()
    assert any("not running" in line for line in lines)
    assert max(map(len, (line for line in lines if "catchment.db" not in line))) <= 80


def test_runs_are_listed_newest_first_and_shown_by_the_end_of_their_id(synced: Place, cli: Cli) -> None:
    """The table shows the eight digits that `run show` takes."""
    run = cli("runs", "docs", "--json").records[0]
    assert run["run"][-8:] in cli("runs").out
    shown = cli("run", "show", run["run"][-8:], "--json").record
    assert shown["run"] == run["run"]
    assert shown["failures"][0]["key"] == "torn.pdf"


def test_texts_of_documents_cannot_steer_the_terminal(place: Place, cli: Cli) -> None:
    """An escape sequence in a document or name is shown as a blank."""
    place.write(heron="The heron\x1b]0;owned\x07 stands \x1b[31mred")
    (place.docs / "a\x1b[2Jb.txt").write_text("The reed", encoding="utf-8")
    cli("sync", place.docs)
    for words in (("search", "the"), ("documents", "docs"), ("why", "docs", "a\x1b[2Jb.txt")):
        assert "\x1b" not in cli(*words).out


@pytest.mark.parametrize("words", [("--help",), ("search", "heron"), ("status",), ("documents", "docs")])
def test_quick_commands_never_import_prefect(words: tuple[str, ...], synced: Place) -> None:
    """Nor the HTTP client, nor pydantic: that is what keeps them quick."""
    script = (
        "import sys; from catchment.cli.main import main; code = main(sys.argv[1:]);"
        "print(code, *{'prefect', 'httpx', 'pydantic'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "0"


def test_an_unexpected_error_is_one_sentence_and_a_log(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The traceback goes to the log, and to the terminal only when asked for."""

    def broken(_self: House) -> None:
        raise ZeroDivisionError("the bug")

    monkeypatch.setattr(House, "engine", broken)
    said = cli("status")
    assert said.code == 1
    assert len(said.err.splitlines()) == 1
    assert "ZeroDivisionError" in said.err
    assert "the bug" in (home / "logs" / "cli.log").read_text()
    monkeypatch.setenv("CATCHMENT_DEBUG", "1")
    assert "Traceback" in cli("status").err


def test_a_setting_that_cannot_be_read_is_named(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, synced: Place
) -> None:
    """By its environment variable, with exit code 2."""
    from catchment.core import settings

    monkeypatch.setenv("CATCHMENT_SYNC_FETCHES", "many")
    settings.sync_settings.cache_clear()
    said = cli("why", "docs", "vole.txt")
    assert said.code == 2
    assert "CATCHMENT_SYNC_FETCHES" in said.err
