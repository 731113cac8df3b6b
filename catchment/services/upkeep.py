"""What keeps the store true to Prefect: dead runs end, waiting and interrupted work starts again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from catchment.core.errors import CatchmentError, Unavailable
from catchment.core.home import home_settings
from catchment.core.runs import Mode, RunKind, RunState, Trigger
from catchment.services import chores, deployments, push, removal, spools, syncs, uploads
from catchment.services.context import Context
from catchment.services.prefect_client import PrefectClient
from catchment.services.settling import settle_run
from catchment.store import connectors, purge, runs
from catchment.store.engine import open_engine, reading, writing
from catchment.store.migrate import migrate
from catchment.store.rows import ConnectorRow, RunRow
from catchment.sync.claim import INTERRUPTED

log = logging.getLogger("catchment.upkeep")
MOST_RESUMES = 3
SHUTDOWN = "shutdown"
PURGE_EVERY_SECONDS = 3600.0


class Swept(Struct):
    """What a sweep did, in numbers.

    Attributes:
        ended: Dead runs that were ended.
        resumed: Runs opened for interrupted ones.
        started: Waiting runs that were started.
    """

    ended: int = 0
    resumed: int = 0
    started: int = 0


def sweep(context: Context) -> Swept:
    """End dead runs, resume interrupted work, start what waits. Errors of one run stop no other."""
    swept = Swept()
    with reading(context.engine) as connection:
        unfinished = runs.unfinished(connection)
    for row in unfinished:
        try:
            if settle_run(context, row):
                swept.ended += 1
                log.info("run %s was dead and is ended", row.id)
        except Unavailable:
            log.info("Prefect is away; run %s is looked at again later", row.id)
    with reading(context.engine) as connection:
        latest = runs.latest_ended(connection)
        waiting = runs.waiting(connection)
    for row in latest:
        if _asks_for_resume(row) and _attempt(resume, context, row):
            swept.resumed += 1
    for row in waiting:
        if _attempt(start_waiting, context, row):
            swept.started += 1
    swept.resumed += chores.reopen(context)
    return swept


def _attempt(work: Callable[[Context, RunRow], bool], context: Context, row: RunRow) -> bool:
    try:
        return work(context, row)
    except CatchmentError as error:
        log.info("run %s: %s", row.id, error)
        return False


def _asks_for_resume(row: RunRow) -> bool:
    if row.state == RunState.FAILED:
        return row.error_code == INTERRUPTED
    return row.state == RunState.CANCELLED and row.cancel_reason == SHUTDOWN


def resume(context: Context, row: RunRow) -> bool:
    """Open a run that goes on where an interrupted one stopped; at most three in a row."""
    with reading(context.engine) as connection:
        if row.error_code == INTERRUPTED and runs.resume_chain(connection, row) >= MOST_RESUMES:
            return False
        connector = connectors.by_pk(connection, row.connector_pk)
    if connector.deleted_at is not None or connector.paused:
        return False
    syncs.trigger(
        context,
        connector,
        mode=Mode(row.mode),
        names=row.filter,
        allow_mass_delete=row.allow_mass_delete,
        cause=Trigger.RESUME,
        resumes=row.id,
    )
    return True


def start_waiting(context: Context, row: RunRow) -> bool:
    """Start a run that waited behind another, if the connector is free now."""
    if row.kind != RunKind.SYNC:
        return chores.start(context, row)
    with writing(context.engine) as connection:
        connectors.lock(connection, row.connector_pk)
        connector = connectors.by_pk(connection, row.connector_pk)
        if runs.active(connection, row.connector_pk) is not None:
            return False
        # The row takes the connector by ceasing to wait; its names stay with it.
        if not runs.change(connection, row.id, waiting=False):
            return False
    syncs.start_released(context, row.id, connector)
    return True


def start_next(context: Context, connector: ConnectorRow) -> None:
    """Start what waited behind a run that has just ended; the sweep would do it a little later."""
    try:
        with reading(context.engine) as connection:
            waiting = runs.waiting(connection, connector.pk)
        for row in [row for row in waiting if row.kind == RunKind.SYNC][:1]:
            _attempt(start_waiting, context, row)
    except Exception:
        log.exception("what waits for %s is left to the sweep", connector.slug)


def tidy(context: Context) -> list[str]:
    """Finish removals, purge what is kept no longer, merge the index in small steps; returns sentences."""
    leftovers = removal.finish(context)
    horizon = context.clock.now() - context.sync.tombstone_days * 86_400
    with writing(context.engine) as connection:
        tombstones = purge.tombstones(connection, before=horizon)
        connectors_gone = purge.removed_connectors(connection)
    folded = push.fold(context)
    erased = uploads.clear(context)
    spooled = spools.clear(context)
    purge.merge_index(context.engine)
    said = []
    if leftovers:
        said.append(f"{leftovers} documents of removed connectors were taken out.")
    if tombstones:
        said.append(f"{tombstones} tombstones were purged.")
    if connectors_gone:
        said.append(f"{connectors_gone} removed connectors were purged.")
    if folded:
        said.append(f"{folded} pushes were folded into the sums of their days.")
    if erased:
        said.append(f"{erased} files that nothing names any more were erased.")
    if spooled:
        said.append(f"Files that {spooled} killed runs had left were erased.")
    return said


class LocalUpkeep:
    """The hooks of the local stack's supervisor."""

    def __init__(self, connect: Callable[[], PrefectClient]) -> None:
        self._connect = connect
        self._context: Context | None = None
        self._tidied = 0.0
        self._reconciled = False

    def before_start(self) -> None:
        """Bring the store to the newest schema before anything else starts."""
        for sentence in migrate(open_engine(home_settings().store_url)):
            log.info(sentence)

    def sweep(self) -> None:
        """Keep the store true to Prefect; once an hour, tidy up."""
        context = self._with()
        if not self._reconciled:
            for sentence in deployments.reconcile(context):
                log.info(sentence)
            self._reconciled = True
        sweep(context)
        if time.monotonic() - self._tidied > PURGE_EVERY_SECONDS or not self._tidied:
            self._tidied = time.monotonic()
            for sentence in tidy(context):
                log.info(sentence)

    def on_drain(self) -> None:
        """Mark living runs as stopped by a shutdown, so that the next start goes on with them."""
        context = self._with()
        with reading(context.engine) as connection:
            unfinished = runs.unfinished(connection)
        for row in unfinished:
            with writing(context.engine) as connection:
                runs.request_cancel(connection, row.id, reason=SHUTDOWN)

    def _with(self) -> Context:
        if self._context is None:
            self._context = Context(open_engine(home_settings().store_url), connect=self._connect)
        return self._context


def hooks(_home: Path, connect: Callable[[], PrefectClient]) -> LocalUpkeep:
    """Return the hooks for the supervisor of a home."""
    return LocalUpkeep(connect)
