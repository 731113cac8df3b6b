"""Runs that read what was handed in: started when Prefect is there, and opened again when one died.

Their rows wait from the start, so that handing something in never depends on Prefect; whoever stored one
asks for its start at once, and the sweep does for all that were left.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import Connection

from catchment.core.errors import CatchmentError
from catchment.core.ids import new_id
from catchment.core.runs import Origin, RunKind, RunState, Trigger
from catchment.kit import transcriber
from catchment.services import syncs
from catchment.services.context import Context
from catchment.store import connectors, kept, runs
from catchment.store.engine import reading, writing
from catchment.store.rows import ConnectorRow, RunRow
from catchment.sync.claim import INTERRUPTED, add_run

log = logging.getLogger("catchment.upkeep")
MOST_DEATHS = 3
"""After so many runs in a row that died, what they were to read counts as failed."""
_ORIGINS = {RunKind.UPLOAD: Origin.UPLOAD, RunKind.TRANSCRIBE: Origin.PUSH}


def leave(
    connection: Connection,
    connector: ConnectorRow,
    kind: RunKind,
    *,
    names: Sequence[str] = (),
    trigger: Trigger = Trigger.MANUAL,
) -> str:
    """Store a run that waits for its start, within the transaction of what it is to read; return its id."""
    run_id = new_id()
    add_run(
        connection,
        run_id,
        connector.pk,
        mode="auto",
        trigger=trigger,
        names=list(names),
        waiting=True,
        kind=kind,
    )
    return run_id


def start_now(context: Context, run_id: str) -> None:
    """Start a run that has just been left, if that can be; else the sweep does it later."""
    try:
        start(context, syncs.show(context, run_id))
    except CatchmentError as error:
        log.info("run %s waits for the sweep: %s", run_id, error.message)


def start(context: Context, row: RunRow) -> bool:
    """Start a run that waits; False where its time has not come.

    Raises:
        Unavailable: Prefect is away; it waits on.
    """
    if row.kind == RunKind.TRANSCRIBE and not transcriber.is_configured():
        return False
    with writing(context.engine) as connection:
        connector = connectors.by_pk(connection, row.connector_pk)
        if connector.deleted_at is not None:
            runs.cancel_queued(connection, row.id, reason="delete")
            return False
        if connector.paused or not runs.release(connection, row.id):
            return False
    syncs.start_released(context, row.id, connector)
    return True


def reopen(context: Context) -> int:
    """Leave a run wherever something waits to be read and no run will; returns how many.

    A run that died leaves what it did not get to. After three in a row that is given up.
    """
    with reading(context.engine) as connection:
        found = kept.waiting_without_run(connection)
    opened = 0
    for connector_pk, name in found:
        kind = RunKind(name)
        with writing(context.engine) as connection:
            connectors.lock(connection, connector_pk)
            connector = connectors.by_pk(connection, connector_pk)
            if (connector_pk, name) not in kept.waiting_without_run(connection):
                continue
            if _was_stopped_by_a_person(connection, connector_pk, kind):
                continue
            if _died_in_a_row(connection, connector_pk, kind) >= MOST_DEATHS:
                kept.give_up(connection, connector_pk, _ORIGINS[kind], now=context.clock.now())
                continue
            leave(connection, connector, kind, trigger=Trigger.RESUME)
        opened += 1
    return opened


def _was_stopped_by_a_person(connection: Connection, connector_pk: int, kind: RunKind) -> bool:
    latest = runs.recent_of_kind(connection, connector_pk, kind, limit=1)
    return any(row.state == RunState.CANCELLED and row.cancel_reason == "user" for row in latest)


def _died_in_a_row(connection: Connection, connector_pk: int, kind: RunKind) -> int:
    deaths = 0
    for row in runs.recent_of_kind(connection, connector_pk, kind, limit=MOST_DEATHS):
        if row.state != RunState.FAILED or row.error_code != INTERRUPTED:
            break
        deaths += 1
    return deaths
