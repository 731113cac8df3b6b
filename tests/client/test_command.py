"""The command where a server is configured: it works there, and leaves the store of this machine alone."""

from __future__ import annotations

import json
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from catchment.cli import connector, documents, outcome, runs, search, status, sync
from catchment.cli.house import House
from catchment.client import Client, Job
from tests.cli.conftest import Cli, Said, carried_out
from tests.client.conftest import House as Served
from tests.client.conftest import items

SECRET = "ct_a-token-that-is-not-known-there"


@pytest.fixture
def there(
    house: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Cli:
    """The command, on a machine without a store, with the address and the token of a server."""
    monkeypatch.setenv("CATCHMENT_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("CATCHMENT_SERVER_URL", house.address)
    monkeypatch.setenv("CATCHMENT_SERVER_TOKEN", house.served.variables["tok_admin"])

    def run(*words: object) -> Said:
        said = carried_out(capsys, *words)
        assert not (tmp_path / "elsewhere" / "catchment.db").exists()
        return said

    return run


@pytest.fixture
def field(client: Client) -> str:
    """A connector of the server, called Field Notes, with two documents to come."""
    return client.connectors.create("fixture", name="Field Notes", config=items("a.md", "b.md")).id


class TestSync:
    def test_is_watched_to_its_end(self, there: Cli, field: str) -> None:
        """By name, with progress; the exit code and the JSON are those of a run of this machine."""
        said = there("sync", "field-notes", "--json")
        assert said.code == outcome.DONE
        run = said.record
        assert (run["connector"], run["state"], run["mode"]) == ("field-notes", "SUCCEEDED", "auto")
        assert (run["counters"]["indexed"], run["error"]) == (2, None)
        again = there("sync", field, "--mode", "full")
        assert again.code == outcome.DONE
        assert "field-notes: done" in again.out
        assert "indexed 2" in again.out

    def test_tells_items_that_failed(self, there: Cli, field: str) -> None:
        """Exit code 3, with the reason."""
        said = there("sync", "Field Notes", "--file", "a.md", "--file", "gone.md")
        assert said.code == outcome.SOME_FAILED
        assert "gone.md" in said.out
        assert "not_found" in said.out

    def test_is_cancelled_by_the_keyboard(
        self, there: Cli, field: str, house: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The job is cancelled at the server, and the command ends with 130."""
        house.served.wire.has_worker = False
        whole = Job.wait.__wrapped__
        presses = iter([KeyboardInterrupt])

        def pressed(job: Job, **more: Any) -> Any:
            for press in presses:
                raise press
            return (yield from whole(job, **more))

        monkeypatch.setattr(Job.wait, "_operation", pressed)
        said = there("sync", "field-notes")
        assert said.code == outcome.INTERRUPTED
        assert "Cancelling" in said.err
        assert "cancelled" in said.out
        with house.client() as client:
            assert client.jobs.list(field)[0].status == "cancelled"

    def test_of_what_lies_here_is_refused(self, there: Cli, field: str, tmp_path: Path) -> None:
        """Neither a folder of this machine nor a dry run is for a server; nothing is made."""
        for words in ((tmp_path,), ("field-notes", "--dry-run"), ("field-notes", "--allow-mass-delete")):
            said = there("sync", *words)
            assert (said.code, said.out) == (2, "")
            assert len(said.err.splitlines()) == 1
        assert there("sync", "nobody").code == 2
        assert there("runs", "--json").out == ""


class TestLooking:
    @pytest.fixture(autouse=True)
    def _synced(self, there: Cli, field: str) -> None:
        assert there("sync", "field-notes").code == 0

    def test_search_has_every_filter(self, there: Cli, field: str) -> None:
        """The JSON has the names of a local hit, and highlights are offsets."""
        (hit,) = there("search", "words", "--json", "-n", "1").records
        assert (hit["connector"], hit["key"][1:]) == ("field-notes", ".md")
        assert [hit["snippet"][start:end] for start, end in hit["highlights"]] == ["words"]
        assert len(there("search", "words", "--json", "-c", "field-notes", "--type", "md").records) == 2
        for narrow in (
            ("--type", "pdf"),
            ("--author", "Bo"),
            ("--tag", "x", "--tag", "y"),
            ("--until", "2001-01-01"),
        ):
            assert there("search", "words", "--json", *narrow).records == [], narrow
        shown = there("search", "words")
        assert "words of a.md" in shown.out
        assert there("search", "words", "-n", "0").code == 2
        assert there("search", " ").code == 2

    def test_status_and_lists(self, there: Cli, field: str, house: Served) -> None:
        """Everything that stands at the server, as text and as JSON."""
        told = there("status", "--json").record
        assert (told["server"], told["documents"]) == (house.address, 2)
        assert told["connectors"][0]["last_run"]["state"] == "SUCCEEDED"
        shown = there("status").out
        assert house.address in shown
        assert "field-notes" in shown
        (listed,) = there("connector", "list", "--json").records
        assert (listed["id"], listed["provider"], listed["documents"]) == (field, "fixture", 2)
        assert "Field Notes" in there("connector", "list").out
        (run,) = there("runs", "field-notes", "--json").records
        assert run["counters"]["indexed"] == 2
        assert there("run", "show", run["run"][-8:], "--json").record["run"] == run["run"]
        assert there("run", "show", "ffffffff").code == 2
        assert "already" in there("run", "cancel", run["run"]).err
        documents = there("documents", "field-notes", "--json").records
        assert {one["key"] for one in documents} == {"a.md", "b.md"}
        one = there("document", "show", documents[0]["id"], "--text", "--json").record
        assert one["text"] == f"words of {one['key']}"
        assert "words of" in there("document", "show", documents[0]["id"], "--text").out
        assert there("documents", "field-notes", "--state", "failed").code == 2


def test_a_server_takes_what_the_command_of_this_machine_takes() -> None:
    """Each command that a server carries out has the same arguments there."""
    served = [
        (
            connector,
            "connectors",
            "add list_ show edit credentials schedule check browse pause resume remove",
        ),
        (documents, "documents", "documents show"),
        (search, "documents", "search"),
        (runs, "runs", "runs show cancel"),
        (sync, "runs", "sync"),
        (status, "status", "status"),
    ]
    for here, module, names in served:
        there = import_module(f"catchment.cli.remote.{module}")
        for name in names.split():
            taken = [
                [(one.name, one.kind, one.default) for one in signature(function).parameters.values()]
                for function in (getattr(here, name), getattr(there, name))
            ]
            assert taken[0] == taken[1], name


class TestConnectors:
    def test_live_at_the_server(self, there: Cli, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Made, shown, changed, scheduled, paused, tried, browsed, removed."""
        config = json.dumps(items("x/a.md")["items"])
        added = there("connector", "add", "fixture", "--name", "Wiki", "--set", f"items={config}", "--json")
        assert added.code == 0, added
        assert (added.record["connector"], added.record["has_credentials"]) == ("wiki", None)
        assert client.connectors.find("wiki").config == items("x/a.md")
        assert there("connector", "show", "wiki", "--json").record["documents"] == 0
        assert "Wiki" in there("connector", "show", "wiki").out
        assert there("connector", "edit", "wiki", "--set", "latency_ms=1", "--json").record["outside"] == 0
        assert there("connector", "edit", "wiki").code == 2
        assert there("connector", "schedule", "wiki", "6h", "--json").record["schedule"]
        assert "no schedule" in there("connector", "schedule", "wiki", "--off").out
        assert there("connector", "pause", "wiki", "--json").record["paused"]
        assert not there("connector", "resume", "wiki", "--json").record["paused"]
        assert there("connector", "check", "wiki", "--json").record["health"] == "ok"
        assert there("connector", "browse", "wiki", "--json").record["name"] == "x"
        assert there("connector", "credentials", "wiki").code == 2
        assert there("connector", "remove", "wiki").code == 2
        assert there("connector", "remove", "wiki", "--yes", "--json").record["documents"] == 0
        assert client.connectors.list() == []

    def test_to_a_bucket_take_their_credentials_along(
        self, there: Cli, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """From the environment, never shown again."""
        assert there("connector", "add", "s3", "--set", "bucket=reports", "--name", "Reports").code == 0
        monkeypatch.setenv("CATCHMENT_CREDENTIAL_ACCESS_KEY_ID", "AKIAEXAMPLE")
        monkeypatch.setenv("CATCHMENT_CREDENTIAL_SECRET_ACCESS_KEY", "do-not-show-this")
        said = there("connector", "credentials", "reports", "--json")
        assert said.code == 0, said
        assert "do-not-show-this" not in said.out + said.err

    def test_to_a_folder_of_this_machine_are_refused(self, there: Cli, tmp_path: Path) -> None:
        """The sentence says what to write instead."""
        said = there("connector", "add", tmp_path)
        assert said.code == 2
        assert "--set path=" in said.err


LOCAL = (
    ("up",),
    ("down",),
    ("worker",),
    ("api",),
    ("migrate",),
    ("doctor",),
    ("why", "docs", "a.md"),
    ("cursor", "show", "docs"),
    ("token", "list"),
    ("run", "retry", "x"),
)


@pytest.mark.parametrize("words", LOCAL, ids=" ".join)
def test_what_only_makes_sense_here_says_so(
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One sentence with the setting to unset, exit code 2, and nothing is started or made."""
    monkeypatch.setenv("CATCHMENT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CATCHMENT_SERVER_URL", "http://127.0.0.1:9")
    # A command that got past the refusal would begin to run a stack, here, for ever.
    monkeypatch.setattr(House, "settings", property(lambda _house: pytest.fail("it was not refused")))
    said = carried_out(capsys, *words)
    assert (said.code, said.out) == (2, "")
    assert "this machine" in said.err
    assert "Unset CATCHMENT_SERVER_URL" in said.err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"URL": "http://127.0.0.1:9", "TOKEN": SECRET}, "Check CATCHMENT_SERVER_URL"),
        ({"URL": "127.0.0.1:9", "TOKEN": SECRET}, "The setting CATCHMENT_SERVER_URL cannot be used"),
        ({"URL": "http://127.0.0.1:9", "TOKEN": ""}, "CATCHMENT_SERVER_TOKEN is not set"),
    ],
)
@pytest.mark.parametrize("words", [("status",), ("sync", "docs"), ("search", "heron")], ids=" ".join)
def test_a_server_that_is_not_there_is_one_sentence(
    settings: dict[str, str],
    told: str,
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It names the setting; exit code 2, no traceback, no token."""
    for name, value in settings.items():
        monkeypatch.setenv(f"CATCHMENT_SERVER_{name}", value)
    said = carried_out(capsys, *words)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert len(said.err.splitlines()) == 1
    assert SECRET not in said.err


def test_a_token_that_is_not_known_names_its_setting(there: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is not repeated, not even under JSON."""
    monkeypatch.setenv("CATCHMENT_SERVER_TOKEN", SECRET)
    for more in ((), ("--json",)):
        said = there("status", *more)
        assert said.code == 2
        assert "CATCHMENT_SERVER_TOKEN" in said.err + said.out
        assert SECRET not in said.err + said.out


def test_a_role_that_is_too_weak_is_a_sentence(
    there: Cli, field: str, house: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2."""
    monkeypatch.setenv("CATCHMENT_SERVER_TOKEN", house.served.variables["tok_viewer"])
    assert there("connector", "list", "--json").code == 0
    said = there("sync", "field-notes")
    assert (said.code, said.out) == (2, "")
    assert "Traceback" not in said.err
