"""Rows of the store in the words of this face."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from catchment.api.aimable import shapes
from catchment.api.ids import hyphenated
from catchment.core.clock import iso
from catchment.core.runs import RunState
from catchment.kit.connector import Resource
from catchment.services import inline_secrets
from catchment.services.pages import Page
from catchment.store.rows import ConnectorRow, RunRow

R = TypeVar("R")
S = TypeVar("S")

OPERATOR = "operator"
"""Stands for the principal of connectors that were made at the command line."""
CONNECTOR_STATES: Mapping[str, shapes.ConnectorState] = {
    "SETUP": "pending",
    "ACTIVE": "active",
    "PAUSED": "paused",
    "ERROR": "error",
}
SYNC_STATES: Mapping[str, shapes.SyncState] = {
    "QUEUED": "running",
    "RUNNING": "running",
    "CANCELLING": "running",
    "SUCCEEDED": "completed",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}
_COUNTERS = ("collected", "parsed", "indexed", "skipped", "failed", "deleted")


def page(found: Page[R], shown: Callable[[R], S], position: Callable[[R], str]) -> shapes.Many[S]:
    """Show a page of a list, and where the next one begins."""
    after = position(found.rows[-1]) if found.has_more else None
    meta = shapes.Meta(next_cursor=after, has_more=found.has_more)
    return shapes.Many(data=[shown(row) for row in found.rows], meta=meta)


def whole(entries: list[S]) -> shapes.Many[S]:
    """Show a list that has one page."""
    return shapes.Many(data=entries, meta=shapes.Meta(next_cursor=None, has_more=False))


def connector(row: ConnectorRow, collection_id: UUID) -> shapes.Connector:
    """Show a connector, without any secret."""
    return shapes.Connector(
        id=hyphenated(row.id),
        collection_id=str(collection_id),
        provider_slug=row.provider,
        principal_id=hyphenated(row.created_by) if row.created_by else OPERATOR,
        scope_config=inline_secrets.masked(row.config),
        status=CONNECTOR_STATES[row.status],
        created_at=time(row.created_at),
        updated_at=time(row.updated_at),
        name=row.name,
        schedule=row.schedule,
        last_synced_at=iso(row.last_success_at),
        error_message=row.error_message,
    )


def sync(row: RunRow, connector: ConnectorRow) -> shapes.Sync:
    """Show a run as it stands."""
    return shapes.Sync(
        id=hyphenated(row.id),
        collection_connector_id=hyphenated(connector.id),
        status=SYNC_STATES[row.state],
        records_fetched=row.collected,
        metadata=_metadata(row),
        created_at=time(row.created_at),
        started_at=iso(row.started_at),
        completed_at=iso(row.ended_at),
        error_message=row.error_message,
    )


def new_sync(row: RunRow, connector: ConnectorRow) -> shapes.Sync:
    """Show a run as it was when it was asked for, however far it has come meanwhile."""
    return shapes.Sync(
        id=hyphenated(row.id),
        collection_connector_id=hyphenated(connector.id),
        status="running",
        records_fetched=0,
        metadata={},
        created_at=time(row.created_at),
        started_at=None,
        completed_at=None,
        error_message=None,
    )


def _metadata(row: RunRow) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if row.state != RunState.QUEUED:
        told = {"kind": row.kind, "mode": row.mode, "trigger": row.trigger}
        told |= {"strategy": row.strategy, "reason": row.reason}
        told |= {name: getattr(row, name) for name in _COUNTERS}
        told |= {"errors": row.details.get("errors", [])}
    if row.cancel_requested_at is not None:
        told["cancel_requested_at"] = iso(row.cancel_requested_at)
    return told


def resource(found: Resource, parent_id: str | None, config: Mapping[str, Any]) -> shapes.Resource:
    """Show something that can be chosen; it is selected where its id stands in the settings."""
    return shapes.Resource(
        id=found.id,
        name=found.name,
        type=found.kind,
        parent_id=parent_id,
        has_children=found.has_children,
        selectable=True,
        size=found.size,
        modified_at=None,
        selected=any(
            found.id == value or (isinstance(value, list) and found.id in value) for value in config.values()
        ),
    )


def time(seconds: float) -> str:
    """Write a time that is always there."""
    return str(iso(seconds))
