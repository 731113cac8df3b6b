"""``catchment sync`` on a store of its own; the lanes are real, Prefect is a wire."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from catchment.core.errors import Unavailable
from catchment.kit import Capability, Health
from catchment.services import syncs
from connectors.folder import Folder
from tests.cli.conftest import Cli, Place

WRONG = Capability("list", Health.MISCONFIGURED, "The share is not mounted.", remedy="Mount it.")
COUNTERS = {"collected", "fetched", "skipped", "parsed", "indexed", "failed", "deleted"}


def test_a_folder_is_synced_by_its_path_and_found_again_by_its_name(place: Place, cli: Cli) -> None:
    """The path makes a connector once; the path and the name then mean the same one."""
    place.write(heron="grey", otter="brown")
    assert cli("sync", place.docs).code == 0
    assert cli("sync", f"{place.docs}/").code == 0
    said = cli("sync", "docs", "--json")
    assert said.code == 0
    assert said.record["counters"]["skipped"] == 2
    assert [one["connector"] for one in cli("connector", "list", "--json").records] == ["docs"]


def test_the_json_of_a_sync_has_the_promised_shape(place: Place, cli: Cli) -> None:
    """Programs read these keys; what is for people goes to standard error."""
    place.write(heron="grey")
    said = cli("sync", place.docs, "--json")
    assert said.code == 0
    assert len(said.records) == 1
    record = said.record
    assert {"run", "connector", "state", "mode", "strategy", "reason", "counters", "seconds"} <= set(record)
    assert record["connector"] == "docs"
    assert (record["state"], record["mode"]) == ("SUCCEEDED", "auto")
    assert (record["strategy"], record["reason"]) == ("listing", "no_cursor")
    assert set(record["counters"]) == COUNTERS
    assert record["counters"]["indexed"] == 1
    assert record["seconds"] >= 0
    assert "Made the connector docs" in said.err


def test_a_broken_file_ends_in_exit_code_three_and_is_named(place: Place, cli: Cli) -> None:
    """Done, but not everything: the code says so, and the summary tells which and why."""
    place.write(heron="grey")
    (place.docs / "torn.pdf").write_bytes(b"%PDF-1.4 torn")
    said = cli("sync", place.docs)
    assert said.code == 3
    assert "torn.pdf" in said.out
    assert "(parse) broken" in said.out


def test_many_failures_show_ten_and_where_the_rest_is(place: Place, cli: Cli) -> None:
    """A thousand broken files must not fill the terminal."""
    for number in range(12):
        (place.docs / f"torn {number:02}.pdf").write_bytes(b"%PDF-1.4 torn")
    place.write(heron="grey")
    said = cli("sync", place.docs)
    assert sum("(parse) broken" in line for line in said.out.splitlines()) == 10
    assert "and 2 more: catchment documents docs --state failed" in said.out
    assert len(cli("documents", "docs", "--state", "failed", "--json").records) == 12


def test_a_dry_run_tells_and_does_nothing(place: Place, cli: Cli) -> None:
    """What would be fetched is named, and the index stays empty."""
    place.write(heron="grey")
    said = cli("sync", place.docs, "--dry-run")
    assert said.code == 0
    assert "Would fetch:" in said.out
    assert "heron.txt" in said.out
    assert cli("documents", "docs", "--json").out == ""


def test_named_files_are_synced_alone(place: Place, cli: Cli) -> None:
    """--file takes one entry each time, wherever it stands."""
    place.write(heron="grey", otter="brown", vole="small")
    said = cli("sync", "--file", "heron.txt", place.docs, "--file", "vole.txt", "--json")
    assert said.code == 0
    assert said.record["strategy"] == "targeted"
    assert {one["key"] for one in cli("documents", "docs", "--json").records} == {"heron.txt", "vole.txt"}


def test_a_mass_deletion_is_held_shown_and_can_be_allowed(place: Place, cli: Cli) -> None:
    """The summary has the sample and the command that carries it out."""
    place.write(**{f"page{number}": f"page {number}" for number in range(30)})
    cli("sync", place.docs)
    place.write(**{f"page{number}": None for number in range(29)})
    held = cli("sync", place.docs)
    assert held.code == 1
    assert "Held: 29 of 30 documents" in held.out
    assert "page1.txt" in held.out
    assert "catchment sync docs --allow-mass-delete" in held.out
    assert "its removal" in cli("why", "docs", "page1.txt").out
    allowed = cli("sync", "docs", "--allow-mass-delete", "--json")
    assert (allowed.code, allowed.record["counters"]["deleted"]) == (0, 29)


def test_a_wrong_path_a_wrong_name_and_a_wrong_mode_are_wrong_use(place: Place, cli: Cli) -> None:
    """Exit code 2, one sentence with the remedy, and nothing was made."""
    for words, told in (
        (("sync", place.docs / "nowhere"), "There is no folder at"),
        (("sync", "nobody"), "There is no connector, and no folder, called 'nobody'."),
        (("sync", place.docs, "--mode", "sideways"), "--mode"),
        (("sync",), "SOURCE"),
    ):
        said = cli(*words)
        assert said.code == 2, said
        assert told in said.err
        assert "Traceback" not in said.err
        assert said.out == ""
    assert not (place.home / "catchment.db").exists()


def test_prefect_away_is_one_sentence_and_stores_nothing(synced: Place, cli: Cli) -> None:
    """Exit code 2; no run is left behind that nobody will start."""
    before = len(cli("runs", "--json").records)
    synced.wire.is_away = True
    said = cli("sync", "docs", "--json")
    assert said.code == 2
    assert said.record["code"] == "unavailable"
    assert set(said.record) == {"error", "code", "remedy"}
    synced.wire.is_away = False
    assert len(cli("runs", "--json").records) == before


def test_ctrl_c_cancels_the_run_and_says_so(place: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first Ctrl-C asks the run to stop, waits for its end, and exits with 130."""
    place.write(heron="grey")
    place.wire.works = False
    _press(monkeypatch, times=1)
    said = cli("sync", place.docs, "--json")
    assert said.code == 130
    assert said.record["state"] == "CANCELLED"
    assert "Cancelling" in said.err
    assert [run["state_type"] for run in place.wire.flow_runs.values()] == ["CANCELLING"]


def test_a_second_ctrl_c_leaves_the_run_alone(
    place: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command ends at once and says how to see the end."""
    place.write(heron="grey")
    place.wire.works = False
    _press(monkeypatch, times=2)
    said = cli("sync", place.docs)
    assert said.code == 130
    assert "catchment run show" in said.err


@pytest.mark.parametrize(("times", "code"), [(1, 0), (2, 130)])
def test_ctrl_c_while_a_run_is_being_started_cancels_it(
    place: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch, times: int, code: int
) -> None:
    """Nobody would know its id else; pressed again it ends the command at once. Here the run is over."""
    trigger = syncs.trigger

    def slow(*args: Any, **more: Any) -> Any:
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        return trigger(*args, **more)

    monkeypatch.setattr(syncs, "trigger", slow)
    place.write(heron="grey")
    said = cli("sync", place.docs, "--json")
    assert said.code == code
    assert ("Cancelling" in said.err) is (times == 1)
    monkeypatch.undo()
    if times == 1:
        assert said.record["run"] == cli("runs", "--json").records[0]["run"]


def _press(monkeypatch: pytest.MonkeyPatch, *, times: int) -> None:
    """Press Ctrl-C as soon as a run is watched, so many times."""
    follow, left = syncs.follow, [times]

    def pressed(context: object, run_id: str, **options: object) -> object:
        if left[0]:
            left[0] -= 1
            raise KeyboardInterrupt
        return follow(context, run_id, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(syncs, "follow", pressed)


def test_a_retry_does_the_same_again(synced: Place, cli: Cli) -> None:
    """The new run has the trigger retry, and the exit code of a sync."""
    run = cli("runs", "--json").records[0]["run"]
    said = cli("run", "retry", run[-8:], "--json")
    assert said.code == 3
    assert said.record["trigger"] == "retry"
    assert said.record["run"] != run


def test_a_final_run_cannot_be_cancelled(synced: Place, cli: Cli) -> None:
    """Exit code 2, and a sentence that says how it stands."""
    run = cli("runs", "--json").records[0]["run"]
    said = cli("run", "cancel", run)
    assert said.code == 2
    assert "SUCCEEDED" in said.err


def test_a_waiting_source_is_shown_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """A person sees why nothing moves."""
    from catchment.cli.progress import Progress
    from catchment.store.rows import RunRow

    fields = dict.fromkeys(RunRow._fields, None) | {
        "state": "RUNNING",
        "waiting": False,
        "wait_reason": "rate limit of the source",
        "wait_since": None,
        **dict.fromkeys(("collected", "parsed", "indexed", "skipped", "failed", "deleted"), 0),
    }
    row = RunRow(**fields)
    with Progress("Syncing docs") as progress:
        progress.show(row)
        progress.show(row._replace())
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "waits for the source: rate limit of the source" in said[0]


def test_an_unreachable_stack_is_told_with_its_remedy(
    cli: Cli, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the stack says about its failed start arrives whole."""
    from catchment.cli.house import House

    def connect(_self: House) -> None:
        raise Unavailable("The local stack did not come up.", remedy="Look at its log.")

    monkeypatch.setattr(House, "connect", connect)
    said = cli("sync", place.docs)
    assert (said.code, said.err.strip()) == (2, "The local stack did not come up. Look at its log.")


class TestANewAddress:
    """What is new is tried before anything is stored or started."""

    def test_that_cannot_be_read_makes_nothing(
        self, place: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One sentence, exit code 2, no connector, and no part of the password."""
        monkeypatch.setattr(Folder, "check", lambda _self: [WRONG])
        said = cli("sync", place.docs)
        assert said.code == 2
        assert said.err.strip().splitlines()[-1] == "The share is not mounted. Mount it."
        assert not (place.home / "catchment.db").exists()

    def test_whose_single_items_cannot_be_read_is_synced(
        self, place: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One file that is locked is a failure of that file."""
        place.write(heron="grey")
        denied = Capability("read", Health.DENIED, "heron.txt may not be read.")
        monkeypatch.setattr(Folder, "check", lambda _self: [denied])
        assert cli("sync", place.docs).code == 0

    def test_that_is_known_is_not_tried_again(
        self, place: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The run itself says what is wrong, and the connector shows it."""
        place.write(heron="grey")
        assert cli("sync", place.docs).code == 0
        monkeypatch.setattr(Folder, "check", lambda _self: [WRONG])
        assert cli("sync", place.docs).code == 0
        assert len(cli("connector", "list", "--json").records) == 1
