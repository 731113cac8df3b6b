"""The whole product for tests: a real stack, a store, and folders that are synced through Prefect.

One `Journey` serves a whole session; every test works in a `Place` of its own: a folder, its connector,
and a look at what lies in the index. Sources are small files whose text carries one token each, so that
"found exactly once" can be counted.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
from sqlalchemy import select

from catchment.core.counters import COUNTER_NAMES
from catchment.core.errors import CatchmentError
from catchment.core.runs import RunState
from catchment.core.settings import SyncSettings, read_environment
from catchment.kit import registry
from catchment.local.stack import StackState, child_environment, ensure_stack, read_state, stop_stack
from catchment.local.state import is_held
from catchment.services import connectors, syncs, upkeep
from catchment.services.context import Context
from catchment.services.prefect_client import PrefectClient
from catchment.store import runs
from catchment.store.engine import open_engine, reading, writing
from catchment.store.index import SearchRequest, index_for
from catchment.store.rows import ConnectorRow, RunRow
from catchment.store.tables import CHUNK_BITS, documents, items
from tests.support.prefect_database import lay
from tests.support.stack import alive, family_of, silent, wait_for

VENDORS = Path(__file__).parent / "vendors"
"""Sources of third parties; the stack finds them as it finds any installed one."""
ENGINE = "catchment.local.engine"
SETTINGS = {
    # Deaths are noticed after seconds, not half a minute, and batches are small enough to be torn.
    "CATCHMENT_SYNC_LEASE_SECONDS": "5",
    "CATCHMENT_SYNC_HEARTBEAT_SECONDS": "1",
    "CATCHMENT_SYNC_POLL_SECONDS": "0.5",
    "CATCHMENT_SYNC_BATCH_ITEMS": "32",
    "CATCHMENT_SYNC_FIRST_BATCH_ITEMS": "8",
    "CATCHMENT_SYNC_PAGE_ITEMS": "100",
    "CATCHMENT_SYNC_CURSOR_SECONDS": "0",
    "CATCHMENT_STACK_SWEEP_SECONDS": "2",
    "PYTHONPATH": os.pathsep.join(filter(None, [str(VENDORS), os.environ.get("PYTHONPATH")])),
}
SECONDS = 90.0
"""Longest wait for a run; a loaded machine takes a tenth of it."""


def soak(few: int, many: int) -> int:
    """Return a count: `few` in the suite, `many` where ``CATCHMENT_SOAK=1`` asks for the long form."""
    return many if os.environ.get("CATCHMENT_SOAK") == "1" else few


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables while the block lasts; tests beside this one must not see them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class Journey:
    """A home with its stack and its store."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.engine = open_engine(f"sqlite:///{home / 'catchment.db'}")
        self.settings = {**SETTINGS, "CATCHMENT_HOME": str(home)}
        self._context: Context | None = None
        self._state: StackState | None = None

    # -- the stack ------------------------------------------------------------------------------

    def up(self) -> StackState:
        """Have the stack running, as every command does."""
        lay(self.home)
        with environment(self.settings):
            state = ensure_stack(self.home, say=silent)
            sync = read_environment(SyncSettings, "SYNC")
        if self._state is None or state.started_at != self._state.started_at:
            self._context = Context(
                self.engine, connect=lambda: PrefectClient(state.api_url, state.auth), sync=sync
            )
        self._state = state
        return state

    def down(self) -> None:
        """Drain and stop the stack; kill what a broken stop leaves behind."""
        family = family_of(self.state)
        with environment(self.settings):
            stop_stack(self.home, say=silent)
        for process in alive(family):
            process.kill()

    def kill(self) -> None:
        """End everything at one stroke, as a power cut does."""
        family = family_of(self.state)
        for process in family:  # the parent first: nobody is left to clean up
            with suppress(psutil.NoSuchProcess):
                process.kill()
        # A process counts as dead while its other threads are still ending, and with them its locks.
        wait_for(
            lambda: not alive(family) and not is_held(self.home), seconds=20, what="the end of every process"
        )

    @property
    def state(self) -> StackState:
        """The stack as it was last known."""
        assert self._state is not None
        return self._state

    @property
    def context(self) -> Context:
        """What services work with."""
        assert self._context is not None
        return self._context

    @property
    def prefect(self) -> PrefectClient:
        """A signed-in client."""
        return self.context.prefect

    def sweep(self) -> upkeep.Swept:
        """Do now what the stack does every two seconds anyway."""
        return upkeep.sweep(self.context)

    # -- runs -----------------------------------------------------------------------------------

    def row(self, run_id: str) -> RunRow:
        """Return a run as it stands."""
        return syncs.show(self.context, run_id)

    def wait(self, run_id: str, *states: str, seconds: float = SECONDS) -> RunRow:
        """Wait until a run is in one of these states, by default in a final one; another end fails."""

        def arrived() -> RunRow | None:
            row = self.row(run_id)
            if row.state in states or (not states and RunState(row.state).final):
                return row
            assert not (states and RunState(row.state).final), row
            return None

        found: RunRow = wait_for(arrived, seconds=seconds, what=f"{states or 'the end'} of run {run_id}")
        return found

    def wait_until_working(
        self, run_id: str, *, indexed: int = 1, seconds: float = SECONDS, pause_seconds: float = 0.1
    ) -> RunRow:
        """Wait until a run has written documents and is still at work."""

        def at_work() -> RunRow | None:
            row = self.row(run_id)
            assert not RunState(row.state).final, row
            return row if row.indexed >= indexed else None

        what = f"the first batches of run {run_id}"
        found: RunRow = wait_for(at_work, seconds=seconds, what=what, pause_seconds=pause_seconds)
        return found

    def process_of(self, run: RunRow) -> psutil.Process | None:
        """Return the flow process of a run; None while there is none."""
        if run.flow_run_id is None:
            return None
        for process in self.flow_processes():
            with suppress(psutil.Error):
                if process.environ().get("PREFECT__FLOW_RUN_ID") == run.flow_run_id:
                    return process
        return None

    def need_process_of(self, run_id: str) -> psutil.Process:
        """Wait for the flow process of a run."""
        found: psutil.Process = wait_for(
            lambda: self.process_of(self.row(run_id)), seconds=SECONDS, what=f"the process of run {run_id}"
        )
        return found

    def flow_processes(self) -> list[psutil.Process]:
        """Return the flow processes below this stack's worker."""
        found = []
        with suppress(psutil.Error):
            for process in psutil.Process(self.worker_pid).children(recursive=True):
                with suppress(psutil.Error):
                    if ENGINE in process.cmdline():
                        found.append(process)
        return found

    @property
    def worker_pid(self) -> int:
        """The worker's process id now; the supervisor gives it a new one when it died."""
        state = read_state(self.home)
        return (state or self.state).pids["worker"]

    def flow_run(self, run: RunRow) -> dict[str, Any]:
        """Return the flow run of a run, as Prefect has it."""
        assert run.flow_run_id is not None
        found = self.prefect.flow_run(run.flow_run_id)
        assert found is not None
        return found

    def flow_run_ends(self, run: RunRow, *, seconds: float = 30) -> dict[str, Any]:
        """Wait until Prefect, too, knows that a run has ended."""
        found: dict[str, Any] = wait_for(
            lambda: (
                flow_run if (flow_run := self.flow_run(run))["state_type"] in _FINAL and flow_run else None
            ),
            seconds=seconds,
            what=f"the end of flow run {run.flow_run_id}",
        )
        return found

    # -- places ---------------------------------------------------------------------------------

    def place(self, folder: Path, **config: Any) -> Place:
        """Make a connector to a folder; both are named after the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        slug, address = registry.recognise(str(folder))
        connector = connectors.add(
            self.context, slug, {**address.config, **config}, name=f"{folder.name}-{uuid4().hex[:6]}"
        )
        return Place(self, folder, connector.id)

    def check_index(self) -> None:
        """Let the file check its pages, and the full-text index compare itself with what it indexes."""
        # On a connection of its own: an older one holds the full-text index's outline from before others
        # wrote to it, and the pragma, unlike a search, believes that outline and cries corruption.
        fresh = open_engine(f"sqlite:///{self.home / 'catchment.db'}")
        with writing(fresh) as connection:
            found = [row[0] for row in connection.exec_driver_sql("PRAGMA quick_check").all()]
            assert found == ["ok"], found[:10]
            connection.exec_driver_sql(
                "INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('integrity-check', 1)"
            )
        fresh.dispose()

    def restore(self, copy: Path) -> None:
        """Put a copy of the store in place of the store."""
        self.engine.dispose()
        for ending in ("", "-wal", "-shm"):
            (self.home / f"catchment.db{ending}").unlink(missing_ok=True)
        shutil.copyfile(copy, self.home / "catchment.db")

    def copy_store(self, target: Path) -> None:
        """Copy the store as a backup does: whole, while it is in use."""
        # Never with a second SQLite library: closing its file would take this process's locks away.
        with self.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("VACUUM INTO ?", (str(target),))


_FINAL = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")


class Place:
    """A folder of small files, its connector, and what the index holds of it."""

    def __init__(self, journey: Journey, folder: Path, connector_id: str) -> None:
        self.journey = journey
        self.folder = folder
        self.connector_id = connector_id
        self.tokens: dict[str, str] = {}

    @property
    def connector(self) -> ConnectorRow:
        """The connector as it stands."""
        return connectors.find(self.journey.context, self.connector_id)

    # -- the source -----------------------------------------------------------------------------

    def write(self, key: str, words: str = "") -> str:
        """Write a file whose text carries a new token; return the token."""
        token = f"tok{uuid4().hex}"
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")  # hidden files are no part of the source
        fresh.write_text(f"{token}\n{words}\n", encoding="utf-8")
        fresh.replace(path)
        self.tokens[key] = token
        return token

    def fill(self, count: int, *, prefix: str = "f", words: str = "") -> None:
        """Write many files, fifty to a folder."""
        for number in range(count):
            self.write(f"{prefix}{number // 50:03}/{prefix}{number:05}.txt", words)

    def delete(self, key: str) -> None:
        """Delete a file."""
        (self.folder / key).unlink()
        del self.tokens[key]

    def rename(self, before: str, after: str) -> None:
        """Move a file."""
        target = self.folder / after
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.folder / before).rename(target)
        self.tokens[after] = self.tokens.pop(before)

    # -- runs -----------------------------------------------------------------------------------

    def trigger(self, **parameters: Any) -> RunRow:
        """Ask for a run."""
        return syncs.trigger(self.journey.context, self.connector, **parameters)

    def sync(self, *, expect: str = "SUCCEEDED", **parameters: Any) -> RunRow:
        """Sync once through Prefect and return the final row."""
        row = self.journey.wait(self.trigger(**parameters).id)
        assert row.state == expect, row
        return row

    def runs(self) -> list[RunRow]:
        """Return this connector's runs, newest first."""
        return syncs.recent(self.journey.context, self.connector, limit=200)

    def active(self) -> RunRow | None:
        """Return the run that holds the connector."""
        with reading(self.journey.engine) as connection:
            return runs.active(connection, self.connector.pk)

    def settle(self, *, seconds: float = SECONDS) -> RunRow:
        """Sweep until the newest run has ended well, whoever started it; return it."""

        def settled() -> RunRow | None:
            with suppress(CatchmentError):
                self.journey.sweep()
            newest = self.runs()[0]
            return newest if newest.state == RunState.SUCCEEDED else None

        found: RunRow = wait_for(settled, seconds=seconds, what=f"a good end of {self.connector.slug}")
        return found

    def retire(self) -> None:
        """Leave nothing behind that would go on: cancel what is active, and pause."""
        for _ in range(2):
            row = self.active()
            if row is None:
                break
            with suppress(CatchmentError, AssertionError):
                syncs.cancel(self.journey.context, row)
                self.journey.wait(row.id, seconds=20)
        with suppress(CatchmentError):
            connectors.set_paused(self.journey.context, self.connector, paused=True)

    # -- the index ------------------------------------------------------------------------------

    def texts(self) -> dict[str, str]:
        """Return the text of every visible document by key; a document that is there twice fails."""
        found: dict[str, str] = {}
        with reading(self.journey.engine) as connection:
            rows = connection.exec_driver_sql(
                "SELECT i.key, d.pk, c.text FROM documents d JOIN items i ON i.pk = d.pk"
                f" LEFT JOIN chunks c ON c.id BETWEEN d.pk << {CHUNK_BITS} AND (d.pk + 1 << {CHUNK_BITS}) - 1"
                " WHERE d.connector_pk = ? AND d.deleted_at IS NULL ORDER BY d.pk, c.id",
                (self.connector.pk,),
            ).all()
        owner: dict[str, int] = {}
        for key, pk, text in rows:
            assert owner.setdefault(key, pk) == pk, f"{key} is there twice"
            found[key] = found.get(key, "") + (text or "")
        return found

    def ids(self) -> dict[str, str]:
        """Return the ids of the visible documents, by key."""
        with reading(self.journey.engine) as connection:
            rows = connection.execute(
                select(items.c.key, documents.c.id)
                .join(documents, documents.c.pk == items.c.pk)
                .where(documents.c.connector_pk == self.connector.pk, documents.c.deleted_at.is_(None))
            )
            return {row.key: row.id for row in rows}

    def found(self, query: str) -> list[str]:
        """Search this connector's documents; return the keys of the hits."""
        with reading(self.journey.engine) as connection:
            request = SearchRequest(query, connector_pks=[self.connector.pk])
            return [hit.key for hit in index_for("sqlite").search(connection, request)]

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return this connector's rows of ledger and index, for comparing before and after."""
        with reading(self.journey.engine) as connection:
            return {
                table.name: [
                    tuple(row)
                    for row in connection.execute(
                        select(table).where(table.c.connector_pk == self.connector.pk).order_by(table.c.pk)
                    )
                ]
                for table in (items, documents)
            }

    def check(self, *, searched: Sequence[str] | None = None, deep: bool = True) -> None:
        """The index equals the source: the same keys, every token where it belongs and nowhere else.

        Args:
            searched: keys whose token is looked up through the search, too; all by default.
            deep: let the file and the full-text index check themselves, which takes a second.
        """
        texts = self.texts()
        missing, surplus = self.tokens.keys() - texts.keys(), texts.keys() - self.tokens.keys()
        assert not missing and not surplus, f"missing {sorted(missing)[:5]}, surplus {sorted(surplus)[:5]}"
        wrong = [key for key, token in self.tokens.items() if texts[key].count(token) != 1]
        assert not wrong, f"not the newest text, or not once: {wrong[:5]}"
        for key in self.tokens if searched is None else searched:
            assert self.found(self.tokens[key]) == [key], key
        if deep:
            self.journey.check_index()


def connect_ledger(journey: Journey, behaviour: str, token: str) -> Place:
    """Make a connector to the source of a third party, signed in with a token; see the fixture `ledger`."""
    connector = connectors.add(
        journey.context,
        "ledger",
        {"behaviour": behaviour},
        name=f"ledger-{uuid4().hex[:6]}",
        credentials={"user": "ann", "token": token},
    )
    return Place(journey, Path("/nowhere"), connector.id)


def counts(run: RunRow) -> dict[str, int]:
    """Return the counters of a run that are not zero; those of a success must add up."""
    values = {name: getattr(run, name) for name in COUNTER_NAMES}
    if run.state == RunState.SUCCEEDED:
        ended = values["skipped"] + values["indexed"] + values["failed"] + values["gone"]
        assert values["collected"] == ended, values
    return {name: value for name, value in values.items() if value}


def within(seconds: float, probe: Callable[[], Any]) -> float:
    """Wait for something and return the seconds that it took."""
    began = time.monotonic()
    wait_for(probe, seconds=seconds, what="what the test waits for")
    return time.monotonic() - began


def in_prefect(journey: Journey, code: str) -> Any:
    """Run code in a process of its own that is signed in to the stack; return what it prints, as JSON.

    Prefect's own library is used there, so that this process never imports it with foreign settings.
    """
    state = journey.state
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=child_environment(journey.home, api_url=state.api_url, auth=state.auth),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
