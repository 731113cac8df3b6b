"""The product as the benchmark sees it: one sync without Prefect, one through the command, one search.

    python -m benchmarks.catchment_adapter JOB    sync without Prefect, told and counted in JSON

Everything that the benchmark knows of the product's inside stands in this file.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.check import CheckFailed, Search

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from catchment.local.state import StackState
    from catchment.sync.cursor import MemoryCursorStore
    from catchment.sync.run import Run

_COMMAND = Path(sys.executable).with_name("catchment")
_CURSORS = "cursors.json"
_FIND_SQLITE = """
SELECT i.key FROM chunks_fts f JOIN items i ON i.pk = f.rowid >> 20
WHERE chunks_fts MATCH 'body : ' || ?
"""
_WHOLE = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('ix_chunks_words') AND indisvalid"
_FIND_POSTGRESQL = """
SELECT i.key FROM chunks c JOIN items i ON i.pk = c.id >> 20 WHERE c.words @@ (%s || ':D')::tsquery
"""


@dataclass(frozen=True)
class Source:
    """What is synced.

    Attributes:
        provider: Name of the connector's type.
        config: Its settings.
        credentials: Its secrets; None where it needs none. They stand on the command line of measured
            processes: only for servers that die with the benchmark.
        name: Name of the connector; each is one of its own in its store.
    """

    provider: str
    config: dict[str, Any]
    credentials: dict[str, str] | None = None
    name: str = "benchmark"


def folder_source(path: Path) -> Source:
    """Return the source of a folder."""
    return Source("folder", {"path": str(path)})


def run_without_prefect(
    source: Source,
    home: Path,
    *,
    store_url: str | None = None,
    keeps_cursor: bool = False,
) -> dict[str, int]:
    """Sync a source by the lanes alone, in plain threads.

    From claim to closing it is what a flow does, with its heartbeat and under its lease; what is left out is
    Prefect, and the cursor's block: a run begins without one, unless it is told to keep it.

    Args:
        source: What is synced.
        home: What CATCHMENT_HOME would be; made where it is missing.
        store_url: Where the store is; a file in the home unless given.
        keeps_cursor: Begin where the last run in this home ended that kept its cursor, too.

    Returns:
        The counters of the run.

    Raises:
        CatchmentError: The run did not end well.
    """
    from catchment.core import startup
    from catchment.core.clock import SystemClock
    from catchment.core.errors import Conflict
    from catchment.core.parameters import RunParameters
    from catchment.core.settings import ParseSettings, SyncSettings
    from catchment.store.engine import open_engine
    from catchment.store.migrate import current_revision, migrate, require_current
    from catchment.sync.begin import begin_run
    from catchment.sync.claim import Refused, Ticket, claim
    from catchment.sync.cursor import MemoryCursorStore
    from catchment.sync.run import Surroundings
    from catchment.sync.stop import StopSignal

    startup.started()  # as the flow does
    sync = SyncSettings()
    engine = open_engine(store_url or _file_of(home))
    if current_revision(engine) is None:
        migrate(engine)
    require_current(engine)  # as every process of the product that does not migrate
    _add_connector(engine, source)
    claimed = claim(
        engine,
        RunParameters(connector=source.name, mode="auto"),
        Ticket(),
        lease_seconds=sync.lease_seconds,
    )
    if isinstance(claimed, Refused):
        raise Conflict(claimed.why)
    cursors = _saved_cursors(home) if keeps_cursor else MemoryCursorStore()
    surroundings = Surroundings(
        engine=engine,
        cursors=cursors,
        clock=SystemClock(),
        sync=sync,
        parse=ParseSettings(),
        spool=home / "spool",
        watched=home,
    )
    run = begin_run(claimed, surroundings, stop=StopSignal(), credentials=source.credentials)
    counters = _worked_off(run)
    if keeps_cursor:
        _keep_cursors(cursors, home)
    run.index.complete(engine)  # what a first load leaves to be built belongs to its time
    return counters


def _saved_cursors(home: Path) -> MemoryCursorStore:
    """Return the cursors of earlier runs in a home."""
    from catchment.sync.cursor import CursorValue, MemoryCursorStore, SavedCursor

    store, path = MemoryCursorStore(), home / _CURSORS
    for told in json.loads(path.read_text("utf-8")) if path.exists() else ():
        current, *previous = (CursorValue(**each) for each in (told["current"], *told["previous"]))
        store.save(SavedCursor(told["connector_id"], told["store_id"], current, tuple(previous)))
    return store


def _keep_cursors(store: MemoryCursorStore, home: Path) -> None:
    from msgspec import to_builtins

    saved = to_builtins(list(store.saved.values()))
    (home / _CURSORS).write_text(json.dumps(saved), "utf-8")


def _file_of(home: Path) -> str:
    return f"sqlite:///{home / 'catchment.db'}"


def _add_connector(engine: Engine, source: Source) -> None:
    """Store the connector, unless an earlier run has."""
    from catchment.core.ids import new_id
    from catchment.core.runs import ConnectorStatus
    from catchment.store import connectors
    from catchment.store.engine import writing

    with writing(engine) as connection:
        tenant = connectors.default_tenant(connection)
        if connectors.find(connection, tenant, source.name):
            return
        connectors.add(
            connection,
            id=new_id(),
            tenant_id=tenant,
            collection_pk=connectors.default_collection(connection, tenant),
            slug=source.name,
            name=source.name,
            provider=source.provider,
            config=source.config,
            status=ConnectorStatus.ACTIVE,
            trusted=True,
            created_at=time.time(),
            updated_at=time.time(),
        )


def _worked_off(run: Run) -> dict[str, int]:
    """Run the lanes, close the run, and let an error out only then."""
    from catchment.sync.close import close_run
    from catchment.sync.lanes import run_in_threads
    from catchment.sync.pulse import Pulse

    error: BaseException | None = None
    try:
        with Pulse(run):
            run_in_threads(run)
    except Exception as caught:
        error = caught
    finally:
        run.close()
    close_run(run, error)
    if error is not None:
        raise error
    return run.counters.public()


def without_prefect_is_missing() -> str | None:
    """Say why a sync without Prefect cannot run here, or return None."""
    return None if _has("catchment.sync.lanes") else "catchment.sync is not installed"


def provider_is_missing(provider: str) -> str | None:
    """Say why a sync of such a source without Prefect cannot run here, or return None."""
    from importlib.metadata import entry_points

    points = entry_points(group="catchment.connectors", name=provider)
    if not any(_has(point.module) for point in points):
        return f"the source {provider} is not installed"
    return without_prefect_is_missing()


def postgres_store_is_missing() -> str | None:
    """Say why a sync into PostgreSQL cannot run here, or return None."""
    if not _has("catchment.store.postgres_index"):
        return "PostgreSQL is not a store here"
    return without_prefect_is_missing()


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def command_is_missing() -> str | None:
    """Say why the `catchment` command cannot run here, or return None."""
    if not _has("catchment.cli.main"):
        return "catchment.cli.main is not installed"
    return None if _COMMAND.exists() else f"{_COMMAND.name} is not installed beside the interpreter"


def command(*words: object) -> list[str]:
    """Return the command line of `catchment` with these words."""
    return [str(_COMMAND), *map(str, words)]


def job(source: Source, home: Path, *, store_url: str | None = None, keeps_cursor: bool = False) -> list[str]:
    """Return the command line of one sync without Prefect."""
    from benchmarks.measure import python_job  # what the measuring needs is no part of what is measured

    told = {
        "source": asdict(source),
        "home": str(home),
        "store_url": store_url,
        "keeps_cursor": keeps_cursor,
    }
    return python_job("benchmarks.catchment_adapter", json.dumps(told))


def environment(home: Path) -> dict[str, str]:
    """Return what the environment must hold for a command to use this home."""
    return {"CATCHMENT_HOME": str(home)}


@contextmanager
def open_search(home: Path, *, store_url: str | None = None) -> Iterator[Search]:
    """Open a store for finding words in texts, by SQL, past ranking, paging and filters.

    The numbers of a document's chunks begin with the number of its item, shifted by 20 bits. In PostgreSQL
    the words of a text have the weight D, and those of a title another one.

    Raises:
        CheckFailed: In PostgreSQL, the index that a first load builds last is missing.
    """
    from catchment.store.engine import open_engine, reading

    engine = open_engine(store_url or _file_of(home))
    find = _FIND_SQLITE if engine.dialect.name == "sqlite" else _FIND_POSTGRESQL
    try:
        with reading(engine) as connection:
            if find is _FIND_POSTGRESQL and connection.exec_driver_sql(_WHOLE).first() is None:
                raise CheckFailed("the index over the words is not built")

            def search(word: str) -> list[str]:
                return [row[0] for row in connection.exec_driver_sql(find, (word,))]

            yield search
    finally:
        engine.dispose()


def prefect_of(home: Path) -> tuple[str, str, str]:
    """Return address, sign-in (``user:password``) and work pool of the local stack that runs for a home.

    Raises:
        RuntimeError: No stack runs for this home.
    """
    from catchment.local.pool import POOL

    state = _stack_of(home)
    return state.api_url, state.auth, POOL


def api_of(home: Path) -> tuple[str, int]:
    """Return address and process of the HTTP API of the local stack that runs for a home.

    Raises:
        RuntimeError: No stack runs for this home.
    """
    state = _stack_of(home)
    return state.http_url, state.pids["api"]


def worker_of(home: Path) -> int:
    """Return the process of the worker that starts the flows of a home.

    Raises:
        RuntimeError: No stack runs for this home.
    """
    return _stack_of(home).pids["worker"]


def _stack_of(home: Path) -> StackState:
    from catchment.local.state import read_state

    state = read_state(home)
    if state is None:
        raise RuntimeError(f"No stack runs for {home}.")
    return state


def main() -> None:
    """Run one sync without Prefect and print its counters as JSON."""
    told = json.loads(sys.argv[1])

    from catchment.core import startup

    startup.starting()  # as the command does
    counters = run_without_prefect(
        Source(**told["source"]),
        Path(told["home"]),
        store_url=told["store_url"],
        keeps_cursor=told["keeps_cursor"],
    )
    print(json.dumps(counters))


if __name__ == "__main__":
    main()
