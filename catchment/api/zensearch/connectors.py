"""Connectors: listed, made, shown, changed, removed, and tried."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request

from catchment.api import ids
from catchment.api.errors import invalid
from catchment.api.limits import FaceRoute
from catchment.api.requests import CallerOf, ContextOf
from catchment.api.zensearch import reading, render
from catchment.api.zensearch.bodies import ConnectorChange, NewConnector, Trial
from catchment.api.zensearch.face import envelope
from catchment.api.zensearch.reading import AdminOf, EditorOf, Limit, Offset
from catchment.api.zensearch.shapes import (
    Connector,
    ConnectorState,
    Deleted,
    Many,
    One,
    Test,
    UpdatedConnector,
)
from catchment.services import connectors, inline_secrets, overview, reach, removal, testing, updating
from catchment.services.context import Context
from catchment.store.rows import ConnectorRow

router = APIRouter(
    prefix="/api/v1/connectors",
    tags=["connectors"],
    route_class=FaceRoute,
    responses=reading.TOO_LARGE,
)
REMOVAL_SECONDS = 25.0
"""Longest wait for the active job of a connector that is to go; clients give up soon after."""


@router.get("", response_model=Many[Connector])
def list_connectors(
    request: Request,
    *,
    context: ContextOf,
    caller: CallerOf,
    type_: Annotated[str | None, Query(alias="type", max_length=64)] = None,
    status: ConnectorState | None = None,
    collection: Annotated[str | None, Query(max_length=128)] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Any:
    """Return the connectors that the caller may see, newest first."""
    wanted = ids.parse("collection", collection) if collection is not None else None
    found = [
        (row, place)
        for row, place in overview.visible(context, caller)
        if (type_ is None or type_ in (row.provider, render.type_of(row.provider)))
        and (status is None or render.status_of(row) == status)
        and (collection is None or place.id == wanted)
    ]
    page = found[offset : offset + limit]
    counts = overview.document_counts(context, [row for row, _ in page])
    data = [render.connector(row, collection_id=place.id, documents=counts[row.pk]) for row, place in page]
    return envelope(request, data, total=len(found), limit=limit, offset=offset)


@router.post("", status_code=201, response_model=One[Connector])
def create_connector(request: Request, body: NewConnector, context: ContextOf, caller: EditorOf) -> Any:
    """Make a connector; the source is not contacted."""
    slug = reading.slug_of(body.type)
    place = reading.named_collection(context, caller, body.collection, "collection", least="editor")
    reading.check_schedule(body.schedule)
    parted = inline_secrets.part(context, slug, body.config, pushed=False)
    row = connectors.add(
        context,
        slug,
        parted.config,
        name=body.name,
        credentials={**(parted.credentials or {}), **(body.credentials or {})},
        schedule=body.schedule,
        trusted=False,
        tenant_id=caller.tenant_id,
        collection_pk=place.pk,
        created_by=caller.principal_id,
    )
    return envelope(request, _shown(context, row))


@router.post("/test", response_model=One[Test])
def try_credentials(request: Request, body: Trial, caller: EditorOf) -> Any:
    """Try settings and credentials; nothing of them is stored. A source that refuses is a result."""
    del caller
    slug = reading.slug_of(body.type)
    tried = testing.try_settings(slug, body.config, body.credentials, trusted=False)
    return envelope(request, _tried(tried))


@router.get("/{connector_id}", response_model=One[Connector])
def show_connector(request: Request, connector_id: str, context: ContextOf, caller: CallerOf) -> Any:
    """Return a connector."""
    return envelope(request, _shown(context, reading.connector(context, caller, connector_id)))


@router.put("/{connector_id}", response_model=One[UpdatedConnector])
def change_connector(
    request: Request, connector_id: str, body: ConnectorChange, context: ContextOf, caller: EditorOf
) -> Any:
    """Change what is named, and leave the rest; `config` is merged, and null takes a setting away."""
    row = reading.own_connector(context, caller, connector_id)
    _require_same_place(context, row, body)
    keeps_schedule = "schedule" not in body.model_fields_set
    if not keeps_schedule:
        reading.check_schedule(body.schedule)
    credentials = body.credentials
    config = None
    if body.config is not None:
        pushed = row.execution != connectors.FETCHED
        parted = inline_secrets.part(context, row.provider, body.config, pushed=pushed, connector=row)
        config = updating.merged(row, parted.config)
        if parted.credentials is not None:
            credentials = {**parted.credentials, **(credentials or {})}
    changes = updating.Changes(
        name=body.name,
        config=config,
        credentials=credentials,
        schedule=updating.KEEP if keeps_schedule else body.schedule,
        paused=None if body.enabled is None else not body.enabled,
    )
    edited = updating.update(context, row, changes)
    return envelope(request, {**_shown(context, edited.connector), "documentsOutside": edited.outside})


def _require_same_place(context: Context, row: ConnectorRow, body: ConnectorChange) -> None:
    if body.type is not None and body.type not in (row.provider, render.type_of(row.provider)):
        raise invalid("The type of a connector cannot change.", "body", "type")
    if body.collection is not None:
        here = reach.collection_of(context, row).id
        if ids.parse("collection", body.collection) != here:
            raise invalid("The collection of a connector cannot change.", "body", "collection")


@router.delete("/{connector_id}", response_model=One[Deleted])
def remove_connector(request: Request, connector_id: str, context: ContextOf, caller: AdminOf) -> Any:
    """Remove a connector with its documents and credentials; its active job is cancelled first."""
    row = reading.connector(context, caller, connector_id)
    removal.remove(context, row, wait_seconds=REMOVAL_SECONDS)
    return envelope(request, {"id": ids.prefixed("connector", row.id), "deleted": True})


@router.post("/{connector_id}/test", response_model=One[Test])
def try_connector(request: Request, connector_id: str, context: ContextOf, caller: EditorOf) -> Any:
    """Try a stored connector with the credentials it has. A source that refuses is a result."""
    row = reading.connector(context, caller, connector_id)
    return envelope(request, _tried(testing.try_connector(context, row)))


def _shown(context: Context, row: ConnectorRow) -> dict[str, Any]:
    counts = overview.document_counts(context, [row])
    place = reach.collection_of(context, row)
    return render.connector(row, collection_id=place.id, documents=counts[row.pk])


def _tried(tried: testing.Tried) -> dict[str, Any]:
    return {"success": tried.success, "message": tried.message, "latencyMs": tried.latency_ms}
