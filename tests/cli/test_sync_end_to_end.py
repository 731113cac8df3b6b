"""The command from start to end: a real local stack, real flow processes, real folders."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catchment.core.errors import NotFound
from catchment.core.runs import RunState
from catchment.services import connectors, syncs
from catchment.store.rows import RunRow
from tests.support.inherited import inherited
from tests.support.journey import Journey
from tests.support.stack import family_of, wait_for
from tests.support.suspended import suspend

pytestmark = pytest.mark.prefect

SECONDS = 120


@dataclass
class Said:
    """What a process of the command left behind."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> dict[str, Any]:
        """The last JSON object; everything on standard output must be one."""
        found: list[dict[str, Any]] = [json.loads(line) for line in self.out.splitlines()]
        return found[-1]


class Terminal:
    """Runs the command as a person does: a process of its own, in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        kept = inherited()
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        self.environment = {**kept, "CATCHMENT_HOME": str(self.home), "NO_COLOR": "1"}

    def start(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """Begin a command without waiting for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "catchment.cli.main", *words],
            cwd=self.root,
            env={**self.environment, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *words: str, **more: str) -> Said:
        """Run a command to its end."""
        process = self.start(*words, **more)
        out, err = process.communicate(timeout=SECONDS)
        return Said(process.returncode, out, err)

    def folder(self, name: str, **files: str) -> Path:
        """Make a folder with text files, by their stem."""
        folder = self.root / name
        folder.mkdir()
        for stem, text in files.items():
            (folder / f"{stem}.txt").write_text(text, encoding="utf-8")
        return folder


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path_factory.mktemp("cli"))
    terminal.folder("meadow", lark="The lark rises.", hare="The hare runs.")
    first = terminal("sync", "./meadow", "--json")
    try:
        assert first.code == 0, first
        assert first.err.startswith("Starting the local stack ..."), first.err
        assert first.record["counters"]["indexed"] == 2
        yield terminal
    finally:
        from catchment.local.stack import read_state

        state = read_state(terminal.home)
        family = family_of(state) if state is not None else []
        terminal("down")
        left = [process for process in family if process.is_running()]
        for process in left:
            process.kill()


@pytest.fixture
def inside(terminal: Terminal) -> Journey:
    """The same home and stack, seen from inside."""
    journey = Journey(terminal.home)
    journey.up()
    return journey


def test_a_folder_lives_through_no_change_edit_and_removal(terminal: Terminal) -> None:
    """Each sync does what changed and nothing else; search follows."""
    folder = terminal.folder("pond", heron="The heron stands.", otter="The otter sleeps.")
    first = terminal("sync", "./pond", "--json").record
    assert (first["state"], first["counters"]["indexed"]) == ("SUCCEEDED", 2)
    again = terminal("sync", "pond", "--json").record
    assert (again["counters"]["skipped"], again["counters"]["fetched"]) == (2, 0)
    (folder / "heron.txt").write_text("The heron has caught a rare burbot.", encoding="utf-8")
    preview = terminal("sync", "./pond", "--dry-run", "--json").record
    assert preview["would"] == {"fetch": ["heron.txt"]}
    assert terminal("search", "burbot", "--json").out == ""
    edited = terminal("sync", str(folder), "--json").record
    assert (edited["counters"]["indexed"], edited["counters"]["skipped"]) == (1, 1)
    assert terminal("search", "burbot", "--connector", "pond", "--json").record["key"] == "heron.txt"
    (folder / "heron.txt").unlink()
    gone = terminal("sync", "pond", "--json").record
    assert gone["counters"]["deleted"] == 1
    assert terminal("search", "burbot", "--json").out == ""
    assert terminal("why", "pond", "heron.txt", "--json").record["state"] == "deleted"


def test_a_broken_file_fails_alone(terminal: Terminal) -> None:
    """Exit code 3; the rest is indexed, and why tells the stage."""
    folder = terminal.folder("shelf", good="A good page.")
    (folder / "torn.pdf").write_bytes(b"%PDF-1.4 torn")
    said = terminal("sync", "./shelf")
    assert said.code == 3
    assert "torn.pdf" in said.out
    assert "/runs/flow-run/" in said.out
    told = terminal("why", "shelf", "torn.pdf", "--json").record
    assert (told["state"], told["stage"]) == ("failed", "parse")
    listed = terminal("documents", "shelf", "--json").record
    assert listed["key"] == "good.txt"
    run = terminal("runs", "shelf", "--json").record["run"]
    retried = terminal("run", "retry", run, "--json")
    assert (retried.code, retried.record["trigger"]) == (3, "retry")


def test_wrong_use_touches_nothing(terminal: Terminal) -> None:
    """A wrong path and a wrong mode are exit code 2, before any run is made."""
    before = terminal("runs", "--json").out
    assert terminal("sync", "./nowhere").code == 2
    assert terminal("sync", "./meadow", "--mode", "sideways").code == 2
    assert terminal("runs", "--json").out == before


def test_a_run_is_cancelled_by_ctrl_c_and_by_its_id_and_the_next_one_goes_on(
    terminal: Terminal, inside: Journey
) -> None:
    """Ctrl-C is exit code 130, somebody else's cancel 1; what was indexed stays."""
    pages = {f"page{number:04}": f"Page {number} of a long book.\n" * 800 for number in range(3000)}
    terminal.folder("book", **pages)
    watching = terminal.start("sync", "./book", "--json")
    with _held_at_work(inside, "book") as run:
        watching.send_signal(signal.SIGINT)
        wait_for(lambda: inside.row(run).cancel_requested_at, seconds=SECONDS, what="the word to stop")
    out, err = watching.communicate(timeout=SECONDS)
    record = json.loads(out.splitlines()[-1])
    assert (watching.returncode, record["run"], record["state"]) == (130, run, "CANCELLED"), err
    kept = len(terminal("documents", "book", "--json").out.splitlines())
    assert kept == record["counters"]["indexed"]

    watching = terminal.start("sync", "book", "--mode", "full")
    with _held_at_work(inside, "book", but=run) as run:
        assert terminal("run", "cancel", run[-8:]).code == 0
    out, _ = watching.communicate(timeout=SECONDS)
    assert watching.returncode == 1
    assert "book: cancelled" in out

    rest = terminal("sync", "book", "--json")
    assert (rest.code, rest.record["counters"]["collected"]) == (0, 3000)
    assert len(terminal("documents", "book", "--json").out.splitlines()) == 3000


def test_status_and_doctor_see_the_running_stack(terminal: Terminal) -> None:
    """The sign-in is said where it lies, and never shown in JSON; everything is in order."""
    told = terminal("status", "--json")
    assert told.record["stack"]["running"] is True
    secret = (terminal.home / "run" / "auth").read_text().strip().partition(":")[2]
    assert secret
    assert secret not in told.out
    doctor = terminal("doctor", "--json")
    wrong = [line for line in doctor.out.splitlines() if json.loads(line)["verdict"] == "wrong"]
    assert (doctor.code, wrong) == (0, [])
    checks = {json.loads(line)["check"] for line in doctor.out.splitlines()}
    assert {"parser", "prefect api", "prefect secrets", "work pool", "worker", "block types"} <= checks


def test_a_cursor_is_reset_and_the_connector_removed(terminal: Terminal) -> None:
    """Through the real blocks and deployments."""
    terminal.folder("hedge", wren="The wren sings a madrigal.")
    assert terminal("sync", "./hedge").code == 0
    assert terminal("cursor", "show", "hedge", "--json").record["revision"] == 1
    assert terminal("cursor", "reset", "hedge").code == 0
    assert terminal("sync", "hedge", "--json").record["reason"] == "no_cursor"
    assert terminal("connector", "remove", "hedge", "--yes", "--json").record["documents"] == 1
    assert terminal("search", "madrigal", "--json").out == ""
    assert terminal("connector", "show", "hedge").code == 2


@contextmanager
def _held_at_work(journey: Journey, slug: str, *, but: str = "") -> Iterator[str]:
    """Suspend the process of a connector's new run when it has begun to read; lend the run's id.

    It cannot end before somebody has told it to stop, however slow the commands are that do so.
    """

    def begun() -> RunRow | None:
        with suppress(NotFound):
            connector = connectors.find(journey.context, slug)
            newest = next(iter(syncs.recent(journey.context, connector, limit=1)), None)
            return newest if newest is not None and newest.id != but and newest.strategy else None
        return None

    run: RunRow = wait_for(begun, seconds=SECONDS, what=f"a working run of {slug}")
    process = journey.need_process_of(run.id)
    suspend(journey.engine, process)
    try:
        assert journey.row(run.id).state == RunState.RUNNING, "it was over before it could be suspended"
        yield run.id
    finally:
        process.resume()
