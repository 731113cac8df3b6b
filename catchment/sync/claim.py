"""The first act of every flow: to win the connector, or to step back without a trace.

The store's claim is the only lock: a unique index allows one active run per connector. The lease that
a claim hands out fences the run: once another has taken over, the old one can write nothing.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from catchment.core.ids import new_id
from catchment.core.parameters import RunParameters
from catchment.core.runs import ConnectorStatus, RunKind, RunState, Trigger
from catchment.store import connectors, runs
from catchment.store.engine import db_now, writing
from catchment.store.rows import ConnectorRow, RunRow

INTERRUPTED = "interrupted"


class Claimed(Struct, frozen=True):
    """The connector is held by this run."""

    run: RunRow
    connector: ConnectorRow


class Refused(Struct, frozen=True):
    """This flow run has nothing to do; `why` is one sentence."""

    why: str


class Ticket(Struct, frozen=True):
    """Which flow run asks.

    Attributes:
        flow_run_id: Id of the flow run; None outside Prefect.
        attempt: Which attempt of it; a retry in Prefect is a new run of ours.
        run_id: The run row it was started for, from its tag.
        trigger: What started it, if no row says so.
    """

    flow_run_id: str | None = None
    attempt: int = 1
    run_id: str | None = None
    trigger: Trigger = Trigger.MANUAL


def claim(
    engine: Engine, parameters: RunParameters, ticket: Ticket, *, lease_seconds: float
) -> Claimed | Refused:
    """Take the connector for one run.

    Args:
        engine: The store.
        parameters: What the flow was called with.
        ticket: Which flow run asks.
        lease_seconds: An active run that was silent for longer counts as dead and is ended.
    """
    with writing(engine) as connection:
        row = _own_row(connection, ticket)
        connector = _connector_of(connection, parameters, row)
        if not isinstance(connector, Refused) and connectors.lock(connection, connector.pk):
            row = _own_row(connection, ticket)
            connector = _connector_of(connection, parameters, row)
        if isinstance(connector, Refused):
            return connector
        if row is not None and RunState(row.state) is not RunState.QUEUED:
            return Refused(f"run {row.id} is {row.state} already")
        if not parameters.dry_run:
            refused = _ready(connection, connector, row, lease_seconds)
            if refused is not None:
                return refused
        if row is None:
            row = _new_row(connection, connector, parameters, ticket)
            if row is None:
                return Refused("another run took the connector first")
        active = runs.active(connection, connector.pk) if row.waiting and row.kind == RunKind.SYNC else None
        if active is not None:
            return Refused(f"run {active.id} holds the connector")
        # A dry run takes no claim, so it moves nothing of the connector's either.
        lease = 0 if row.dry_run else connectors.next_lease(connection, connector.pk)
        count = ticket.attempt if ticket.flow_run_id is not None else None
        if not runs.take(connection, row.id, lease, flow_run_id=ticket.flow_run_id, count=count):
            return Refused(f"run {row.id} was ended before it began")
        taken = runs.get(connection, row.id)
        assert taken is not None
        return Claimed(taken, connectors.by_pk(connection, connector.pk))


def _own_row(connection: Connection, ticket: Ticket) -> RunRow | None:
    """Find the row that this attempt of this flow run belongs to: by flow run, else by tag."""
    if ticket.flow_run_id is not None:
        row = runs.by_flow_run(connection, ticket.flow_run_id, ticket.attempt)
        if row is not None:
            return row
        if ticket.attempt > 1:
            return None
    return runs.get(connection, ticket.run_id) if ticket.run_id is not None else None


def _connector_of(
    connection: Connection, parameters: RunParameters, row: RunRow | None
) -> ConnectorRow | Refused:
    if row is not None:
        found = [connectors.by_pk(connection, row.connector_pk)]
    else:
        found = connectors.find(connection, connectors.default_tenant(connection), parameters.connector)
        if not found and (by_id := connectors.by_id(connection, parameters.connector)) is not None:
            found = [by_id]
    if not found or found[0].deleted_at is not None:
        return Refused(f"skipped: there is no connector called {parameters.connector!r}")
    if len(found) > 1:
        return Refused(f"skipped: {len(found)} connectors are called {parameters.connector!r}; use the id")
    return found[0]


def _ready(
    connection: Connection, connector: ConnectorRow, row: RunRow | None, lease_seconds: float
) -> Refused | None:
    """Tell why the connector cannot be taken; ends a run that died holding it."""
    if connector.paused or connector.status == ConnectorStatus.PAUSED:
        return Refused("skipped: the connector is paused")
    if row is not None and row.kind != RunKind.SYNC:
        return None  # what was handed in is read beside a sync, and before any credentials are there
    if connector.status == ConnectorStatus.SETUP:
        return Refused("skipped: the connector's set-up is not finished")
    active = runs.active(connection, connector.pk)
    if active is None or (row is not None and active.id == row.id):
        return None
    age = runs.lease_age(connection, active.id)
    if active.state == RunState.QUEUED or age is None or age < lease_seconds:
        return Refused(f"skipped: run {active.id} is active")
    interrupt(connection, active, f"It was silent for {age:.0f} seconds.")
    return None


def interrupt(connection: Connection, row: RunRow, message: str) -> bool:
    """End a run whose process died. Interrupted is not failed: the connector's status stays."""
    return runs.change(
        connection,
        row.id,
        state=RunState.FAILED,
        error_code=INTERRUPTED,
        error_message=message,
        ended_at=db_now(),
        wait_reason=None,
        wait_since=None,
    )


def _new_row(
    connection: Connection, connector: ConnectorRow, parameters: RunParameters, ticket: Ticket
) -> RunRow | None:
    run_id = new_id()
    try:
        with connection.begin_nested():
            add_run(
                connection,
                run_id,
                connector.pk,
                mode=parameters.mode,
                trigger=ticket.trigger,
                names=parameters.file_filter,
                allow_mass_delete=parameters.allow_mass_delete,
                dry_run=parameters.dry_run,
                flow_run_id=ticket.flow_run_id,
                flow_run_count=ticket.attempt if ticket.flow_run_id else None,
            )
    except IntegrityError:
        return None
    return runs.get(connection, run_id)


def add_run(
    connection: Connection,
    run_id: str,
    connector_pk: int,
    *,
    mode: str,
    trigger: str,
    names: list[str],
    allow_mass_delete: bool = False,
    dry_run: bool = False,
    waiting: bool = False,
    kind: RunKind = RunKind.SYNC,
    **more: Any,
) -> None:
    """Insert a queued run; raises IntegrityError when it is a sync and the connector has an active one."""
    runs.add(
        connection,
        id=run_id,
        connector_pk=connector_pk,
        kind=kind.value,
        mode=str(mode),
        trigger=str(trigger),
        state=RunState.QUEUED.value,
        waiting=waiting,
        dry_run=dry_run,
        allow_mass_delete=allow_mass_delete,
        filter=names,
        details={},
        created_at=db_now(),
        **more,
    )
