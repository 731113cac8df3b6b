"""Permissions: asking the source again who may see the documents of a connector."""

from __future__ import annotations

from catchment.core.errors import Conflict
from catchment.core.ids import new_id
from catchment.core.runs import RunKind, RunState, Trigger
from catchment.kit import registry
from catchment.kit.connector import Acl
from catchment.services import chores, syncs
from catchment.services.context import Context
from catchment.store import connectors, runs
from catchment.store.engine import db_now, writing
from catchment.store.rows import ConnectorRow, RunRow


def refresh(context: Context, connector: ConnectorRow) -> RunRow:
    """Ask for a run that reads the access lists again, and return its row.

    Where the source has no access lists there is nothing to read, and the run is done as it begins. One
    that waits already is returned instead of a second.

    Raises:
        Conflict: The connector is paused, or its provider is not installed.
    """
    if connector.paused:
        raise Conflict(f"The connector {connector.slug} is paused.", remedy="Resume it first.")
    provider = registry.provider_of(connector)
    if provider.acl is Acl.NONE and connector.execution != registry.PUSHED:
        registry.require_installed(connector)
    with writing(context.engine) as connection:
        connectors.lock(connection, connector.pk)
        if provider.acl is Acl.NONE:
            run_id = new_id()
            runs.add(
                connection,
                id=run_id,
                connector_pk=connector.pk,
                kind=RunKind.PERMISSIONS.value,
                mode="auto",
                trigger=Trigger.MANUAL.value,
                state=RunState.SUCCEEDED.value,
                filter=[],
                details={"notes": ["The source has no access lists: roles on the collection decide."]},
                created_at=db_now(),
                started_at=db_now(),
                ended_at=db_now(),
            )
        else:
            latest = runs.recent_of_kind(connection, connector.pk, RunKind.PERMISSIONS, limit=1)
            waiting = [row for row in latest if row.state == RunState.QUEUED]
            run_id = waiting[0].id if waiting else chores.leave(connection, connector, RunKind.PERMISSIONS)
    row = syncs.show(context, run_id)
    if row.waiting:
        chores.start_now(context, run_id)
    return row
