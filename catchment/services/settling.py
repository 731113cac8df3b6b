"""Is a run that is not final still alive? Asked of Prefect and of the run's own lease."""

from __future__ import annotations

from catchment.core.errors import Unavailable
from catchment.core.runs import RunState
from catchment.services.connectors import orchestrator
from catchment.services.context import Context
from catchment.services.prefect_client import FINAL_STATES, PrefectClient
from catchment.store import runs
from catchment.store.engine import db_now, reading, writing
from catchment.store.rows import RunRow
from catchment.sync.claim import interrupt

QUEUED_GRACE_SECONDS = 5.0
"""A queued row younger than this is left alone: its flow run is just being made."""
STRAY_SECONDS = 60.0
"""A queued row without a flow run is given up after this long."""


def settle_run(context: Context, row: RunRow) -> bool:
    """End a run that is dead; tells whether the connector is free now.

    Dead is a run whose lease is stale, or whose flow run is final or gone while its lease is no
    longer fresh. A run that only waits in Prefect's queue is never called dead.

    Raises:
        Unavailable: Prefect is away, and the lease alone does not tell.
    """
    if RunState(row.state).final:
        return True
    if row.waiting:
        return False
    if row.state == RunState.QUEUED:
        return _settle_queued(context, row)
    with reading(context.engine) as connection:
        age = runs.lease_age(connection, row.id)
    if age is not None and age < 2 * context.sync.heartbeat_seconds:
        return False
    stale = age is None or age >= context.sync.lease_seconds
    try:
        state = _flow_run_state(context.prefect, row)
    except Unavailable:
        if not stale:
            raise
        state = "UNKNOWN"
    if state == "CANCELLED" and row.cancel_requested_at is None:
        # Cancelled in Prefect, and it died before it could write so.
        with writing(context.engine) as connection:
            runs.request_cancel(connection, row.id, reason="user")
        row = row._replace(cancel_requested_at=context.clock.now(), cancel_reason="user")
    if stale:
        return _end(context, row, "Its process fell silent.")
    if state in (*FINAL_STATES, None):
        return _end(context, row, "Its process has ended.")
    return False


def _settle_queued(context: Context, row: RunRow) -> bool:
    with reading(context.engine) as connection:
        age = runs.age(connection, row.id)
    if age < QUEUED_GRACE_SECONDS:
        return False
    if row.flow_run_id is None:
        return _adopt(context, row, age)
    state = _flow_run_state(context.prefect, row)
    if state == "CANCELLED":
        with writing(context.engine) as connection:
            return runs.cancel_queued(connection, row.id, reason="user")
    if state in (*FINAL_STATES, None):
        return _end(context, row, "Its flow run ended before it began.")
    return False


def _adopt(context: Context, row: RunRow, age: float) -> bool:
    """Find the flow run whose id was never written back, or give the row up."""
    found = orchestrator(context).flow_run_by_tag(row.id)
    if found is not None:
        with writing(context.engine) as connection:
            runs.change(connection, row.id, flow_run_id=found["id"])
        return False
    if age < STRAY_SECONDS:
        return False
    return _end(context, row, "No flow run was ever made for it.")


def _flow_run_state(client: PrefectClient, row: RunRow) -> str | None:
    """Return the type of the flow run's state; None when it is gone."""
    if row.flow_run_id is None:
        return None
    found = client.flow_run(row.flow_run_id)
    return str(found["state_type"]) if found is not None else None


def _end(context: Context, row: RunRow, message: str) -> bool:
    with writing(context.engine) as connection:
        if row.cancel_requested_at is not None:
            return runs.change(
                connection,
                row.id,
                state=RunState.CANCELLED,
                error_code="cancelled",
                error_message=f"Cancelled ({row.cancel_reason}). {message}",
                ended_at=db_now(),
            )
        return interrupt(connection, row, message)
