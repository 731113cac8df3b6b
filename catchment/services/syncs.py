"""Runs: asked for, followed, cancelled, tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from sqlalchemy.exc import IntegrityError

from catchment.core.errors import Conflict, NotFound, Unavailable, UsageError
from catchment.core.ids import new_id
from catchment.core.runs import ConnectorStatus, Mode, RunKind, RunState, Trigger
from catchment.kit import registry
from catchment.kit.connector import Kind
from catchment.services.connectors import find, orchestrator
from catchment.services.context import Context
from catchment.services.settling import settle_run
from catchment.store import connectors, runs
from catchment.store.engine import reading, writing
from catchment.store.rows import ConnectorRow, RunRow
from catchment.sync.claim import add_run

MOST_NAMES = 100_000


def trigger(
    context: Context,
    connector: ConnectorRow,
    *,
    mode: Mode = Mode.AUTO,
    names: Sequence[str] = (),
    allow_mass_delete: bool = False,
    dry_run: bool = False,
    cause: Trigger = Trigger.MANUAL,
    resumes: str | None = None,
) -> RunRow:
    """Ask for a run: a row first, then a flow run for it.

    A run with names that finds the connector busy waits behind the run that holds it; it is merged
    into one that waits already.

    Raises:
        Conflict: Another run holds the connector, it is paused, pushed to or unfinished, or its provider is
            not installed.
        UsageError: There are too many names.
        Unavailable: Prefect is away; nothing was stored.
    """
    _refuse_unready(connector, mode, dry_run=dry_run)
    if len(names) > MOST_NAMES:
        raise UsageError(f"At most {MOST_NAMES} names can be given at once.")
    run_id = new_id()
    for attempt in (1, 2):
        try:
            with writing(context.engine) as connection:
                if resumes is not None and runs.is_resumed(connection, resumes):
                    raise Conflict(f"Run {resumes} was resumed already.")
                add_run(
                    connection,
                    run_id,
                    connector.pk,
                    mode=mode,
                    trigger=cause,
                    names=list(names),
                    allow_mass_delete=allow_mass_delete,
                    dry_run=dry_run,
                    resumes=resumes,
                )
            break
        except IntegrityError:
            with reading(context.engine) as connection:
                active = runs.active(connection, connector.pk)
            if active is None:
                continue
            if attempt == 1 and settle_run(context, active):
                continue
            # Two sweeps may want to resume the same run; the second one is not to do it after the first.
            if names and mode is not Mode.FULL and resumes is None:
                return _wait_behind(context, connector, mode, names, cause)
            raise Conflict(
                f"Run {active.id} holds the connector {connector.slug}.",
                remedy=f"Wait for it, or run: catchment run cancel {active.id}.",
            ) from None
    else:
        raise Conflict(f"The connector {connector.slug} is busy.", remedy="Try again.")
    return start(context, run_id, connector)


def _refuse_unready(connector: ConnectorRow, mode: Mode, *, dry_run: bool) -> None:
    if registry.provider_of(connector).kind is Kind.PUSH and (mode is not Mode.FULL or dry_run):
        raise Conflict(
            "There is nothing to fetch: this connector is pushed to.",
            remedy="The mode full indexes anew what was pushed.",
        )
    registry.require_installed(connector)
    if connector.status == ConnectorStatus.SETUP:
        raise Conflict(
            "The connector's set-up is not finished.",
            remedy=f"Run: catchment connector credentials {connector.slug}.",
        )
    if connector.paused and not dry_run:
        raise Conflict(
            f"The connector {connector.slug} is paused.",
            remedy=f"Run: catchment connector resume {connector.slug}.",
        )


def start(context: Context, run_id: str, connector: ConnectorRow) -> RunRow:
    """Create the flow run of a new row; when Prefect refuses or is away, the row is taken back."""
    try:
        return start_flow_run(context, run_id, connector)
    except BaseException:
        with writing(context.engine) as connection:
            runs.remove(connection, run_id)
        raise


def start_flow_run(context: Context, run_id: str, connector: ConnectorRow) -> RunRow:
    """Create the flow run of a stored row, and its deployment if somebody removed it in Prefect.

    Raises:
        Unavailable: Prefect is away; the row stays as it was.
    """
    way = orchestrator(context)
    run = show(context, run_id)
    if run.kind != RunKind.SYNC or connector.execution == registry.PUSHED:
        return _begun(context, run_id, way.start(run, connector, way.deploy_general()))
    if way.deployment(connector) is None:
        deployment_id = way.deploy(connector)
        with writing(context.engine) as connection:
            connectors.change(connection, connector.pk, deployment_id=deployment_id)
        connector = find(context, connector.id)
    return _begun(context, run_id, way.start(run, connector))


def _begun(context: Context, run_id: str, flow_run_id: str) -> RunRow:
    with writing(context.engine) as connection:
        # Perhaps it has begun already, and wrote its own id.
        runs.change(connection, run_id, flow_run_id=flow_run_id)
    return show(context, run_id)


def start_released(context: Context, run_id: str, connector: ConnectorRow) -> RunRow:
    """Hand a run that has just ceased to wait over to Prefect; where Prefect is away, it waits on.

    Raises:
        Unavailable: Prefect is away.
    """
    try:
        return start_flow_run(context, run_id, connector)
    except BaseException:
        with writing(context.engine) as connection:
            runs.change(connection, run_id, waiting=True)
        raise


def _wait_behind(
    context: Context, connector: ConnectorRow, mode: Mode, names: Sequence[str], cause: Trigger
) -> RunRow:
    with writing(context.engine) as connection:
        connectors.lock(connection, connector.pk)
        for row in runs.waiting(connection, connector.pk):
            if row.kind == RunKind.SYNC and row.mode == mode:
                merged = list(dict.fromkeys([*row.filter, *names]))
                runs.change(connection, row.id, filter=merged)
                return row
        run_id = new_id()
        add_run(connection, run_id, connector.pk, mode=mode, trigger=cause, names=list(names), waiting=True)
    return show(context, run_id)


def show(context: Context, run_id: str) -> RunRow:
    """Return a run by its id, or by the beginning or the end of it.

    Raises:
        NotFound: There is none.
        UsageError: There are several.
    """
    with reading(context.engine) as connection:
        row = runs.get(connection, run_id)
        found = [row] if row is not None else runs.find(connection, run_id)
    if not found:
        raise NotFound(f"There is no run {run_id!r}.", remedy="See: catchment runs.")
    if len(found) > 1:
        raise UsageError(f"Several runs match {run_id!r}.", remedy="Give more of the id.")
    return found[0]


def recent(context: Context, connector: ConnectorRow | None = None, *, limit: int = 20) -> list[RunRow]:
    """Return the newest runs first."""
    with reading(context.engine) as connection:
        return runs.recent(connection, connector.pk if connector else None, limit=limit)


def connector_of(context: Context, run: RunRow) -> ConnectorRow:
    """Return the connector of a run."""
    with reading(context.engine) as connection:
        return connectors.by_pk(connection, run.connector_pk)


def follow(
    context: Context,
    run_id: str,
    *,
    on_change: Callable[[RunRow], None],
    every_seconds: float = 0.2,
    ask_prefect_after_seconds: float = 5.0,
) -> RunRow:
    """Watch a run until it is final, and return it.

    A run that does not begin, or falls silent, makes this ask Prefect whether it still exists.
    """
    asked = time.monotonic()
    while True:
        row = show(context, run_id)
        on_change(row)
        if RunState(row.state).final:
            return row
        if time.monotonic() - asked > ask_prefect_after_seconds:
            asked = time.monotonic()
            with suppress(Unavailable):
                settle_run(context, row)
        time.sleep(every_seconds)


def active(context: Context, connector: ConnectorRow) -> RunRow | None:
    """Return the run that holds a connector, or None."""
    with reading(context.engine) as connection:
        return runs.active(connection, connector.pk)


def should_have_begun(row: RunRow) -> bool:
    """Say whether Prefect may know more of a run than its row tells."""
    return row.state == RunState.QUEUED and not row.waiting


def fresh(context: Context, row: RunRow) -> RunRow:
    """Return a run as it is now, after asking Prefect for one that should have begun, if that is there."""
    if should_have_begun(row):
        with suppress(Unavailable):
            settle_run(context, row)
    return show(context, row.id)


def cancel(context: Context, row: RunRow, *, reason: str = "user") -> RunRow:
    """Ask a run to stop; a queued one is cancelled at once.

    Works while Prefect is away, too: a living run reads its row at least once a second.

    Raises:
        Conflict: The run is final already.
    """
    if RunState(row.state).final:
        raise Conflict(f"Run {row.id} is {row.state} already.")
    with writing(context.engine) as connection:
        runs.request_cancel(connection, row.id, reason=reason)
    if row.flow_run_id is not None:
        with suppress(Unavailable):
            orchestrator(context).cancel(row.flow_run_id)
    return show(context, row.id)


def cancel_current(context: Context, connector: ConnectorRow) -> RunRow:
    """Ask the run that holds a connector to stop, or the oldest that waits for its turn.

    Raises:
        Conflict: Nothing runs.
    """
    with reading(context.engine) as connection:
        waiting = [row for row in runs.waiting(connection, connector.pk) if row.kind == RunKind.SYNC]
        row = runs.active(connection, connector.pk) or next(iter(waiting), None)
    if row is None:
        raise Conflict("No sync of this connector is running.")
    return cancel(context, row)


def retry(context: Context, row: RunRow) -> RunRow:
    """Run once more what a run was asked to do.

    Raises:
        Conflict: It is not final, or another run holds the connector.
    """
    if not RunState(row.state).final:
        raise Conflict(f"Run {row.id} is {row.state}.", remedy="Wait until it ends.")
    if row.kind != RunKind.SYNC:
        raise UsageError(f"Run {row.id} is no sync (it is of kind {row.kind}), and cannot be tried again.")
    return trigger(
        context,
        connector_of(context, row),
        mode=Mode(row.mode),
        names=row.filter,
        allow_mass_delete=row.allow_mass_delete,
        dry_run=row.dry_run,
        cause=Trigger.RETRY,
    )
