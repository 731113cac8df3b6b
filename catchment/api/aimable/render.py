"""Rows of the store in the words of this face."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from catchment.api.aimable import positions, shapes
from catchment.api.ids import hyphenated
from catchment.core.clock import iso
from catchment.core.runs import RunState
from catchment.kit import catalog, oauth, registry
from catchment.kit.connector import Resource
from catchment.services import files, inline_secrets
from catchment.services.access import Caller
from catchment.services.pages import Page
from catchment.services.spaces import CollectionView
from catchment.store.kept import FileRow
from catchment.store.rows import ConnectorRow, RunRow
from catchment.store.spaces import CollectionRow, SpaceRow

R = TypeVar("R")
S = TypeVar("S")

OPERATOR = "operator"
"""Stands for the principal of connectors that were made at the command line."""
SPACE_ROLE = "space."
"""Before the name of a role in a space, in its key."""
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


def part(entries: Sequence[S], *, start: int | None, limit: int) -> shapes.Many[S]:
    """Show some entries of a short list; positions in it count from its beginning."""
    first = start or 0
    has_more = first + limit < len(entries)
    after = positions.write_offset(first + limit) if has_more else None
    meta = shapes.Meta(next_cursor=after, has_more=has_more)
    return shapes.Many(data=list(entries[first : first + limit]), meta=meta)


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


def space(row: SpaceRow, caller: Caller) -> shapes.Space:
    """Show a space, and what the caller may do there."""
    role = caller.space_role(row.id)
    return shapes.Space(
        id=hyphenated(row.id),
        space_id=hyphenated(row.id),
        name=row.name,
        role=role_key(role) if role else None,
        created_at=time(row.created_at),
    )


def collection(view: CollectionView) -> shapes.Collection:
    """Show a collection, and how much is in it."""
    return shapes.Collection(
        id=hyphenated(view.row.id),
        collection_id=hyphenated(view.row.id),
        space_id=hyphenated(view.row.space_id),
        name=view.row.name,
        description=view.row.description,
        connectors=view.connectors,
        documents=view.documents,
        created_at=time(view.row.created_at),
    )


def role_key(role: str) -> str:
    """Write a role in a space as clients know it."""
    return f"{SPACE_ROLE}{role}"


def provider(slug: str, *, clients: Collection[str]) -> shapes.Provider:
    """Show a provider; one with a sign-in in the browser is set up when the operator has set its client.

    Args:
        slug: Which.
        clients: Slugs of those that have one.
    """
    source = registry.provider(slug)
    auth = catalog.auth_type(source)
    vendor = oauth.VENDORS.get(slug)
    scopes = (vendor.scopes if vendor else ()) or source.scopes_needed
    return shapes.Provider(
        id=provider_id(slug),
        provider_slug=slug,
        display_name=source.display_name,
        auth_type=auth,
        execution_strategy="server-side",
        default_scopes=[shapes.ScopeName(name=name, description=_about(name)) for name in scopes],
        config_schema=catalog.config_schema(source),
        setup_complete=auth != "oauth2" or slug in clients,
        installed=registry.is_installed(slug),
    )


def _about(scope: str) -> str:
    return f"Permission {scope.rpartition('/')[2]} at the provider."


def provider_id(slug: str) -> str:
    """Return the id of a provider: always the same for a slug."""
    return str(uuid5(NAMESPACE_URL, f"catchment:provider:{slug}"))


def upload(
    connector: ConnectorRow, collection: CollectionRow, run_id: str, taken: Sequence[FileRow]
) -> shapes.Upload:
    """Show what became of files that were handed in."""
    shown = [
        shapes.File(
            id=hyphenated(one.id), name=one.path, size=one.size or 0, status=files.status_of(one.state)
        )
        for one in taken
    ]
    return shapes.Upload(
        source_ids=[one.id for one in shown],
        collection_id=hyphenated(collection.id),
        connector_id=hyphenated(connector.id),
        sync_id=hyphenated(run_id),
        files=shown,
    )


def time(seconds: float) -> str:
    """Write a time that is always there."""
    return str(iso(seconds))
