"""Collection connectors: made, listed, shown, changed, removed; and what can be chosen at their source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.requests import Request

from catchment.api.aimable import positions, render, shapes
from catchment.api.aimable.parameters import (
    USUAL_LIMIT,
    BrowsePosition,
    IdempotencyKey,
    Limit,
    NumberPosition,
)
from catchment.api.aimable.places import Here, HereOf
from catchment.api.errors import invalid
from catchment.api.limits import FaceRoute
from catchment.core.errors import ConfigRejected, Conflict, NotFound, OutOfScope, SourceDown
from catchment.core.runs import ConnectorStatus
from catchment.kit import catalog, registry
from catchment.kit.connector import BrowsePage
from catchment.services import connectors, inline_secrets, pages, removal, updating
from catchment.services.context import Context
from catchment.services.idempotency import once
from catchment.services.updating import KEEP, Changes
from catchment.store.rows import ConnectorRow
from catchment.store.spaces import CollectionRow

COLLECTION = "/v1/spaces/{space_id}/collections/{collection_id}"
MOST_REMOVAL_SECONDS = 20.0
"""A removal waits so long for a running sync; then the client is asked to try again."""
_STATUSES = {shown: inner for inner, shown in render.CONNECTOR_STATES.items()}

router = APIRouter(prefix=f"{COLLECTION}/connectors", tags=["connectors"], route_class=FaceRoute)


@router.get("", response_model=shapes.Many[shapes.Connector])
def list_connectors(
    here: HereOf,
    cursor: NumberPosition = None,
    limit: Limit = USUAL_LIMIT,
    provider_slug: Annotated[str | None, Query(max_length=100)] = None,
    status: shapes.ConnectorState | None = None,
) -> Any:
    """List the connectors of a collection, newest first."""
    collection = here.collection()
    found = pages.connectors_in(
        here.context,
        collection,
        provider=provider_slug,
        status=_STATUSES[status] if status else None,
        before=cursor,
        limit=limit,
    )
    return render.page(
        found,
        lambda row: render.connector(row, here.collection_id),
        lambda row: positions.write_number(row.pk),
    )


@router.post("", status_code=201, response_model=shapes.One[shapes.Connector])
def create_connector(
    request: Request,
    here: HereOf,
    body: shapes.NewConnector,
    idempotency_key: IdempotencyKey,
) -> Any:
    """Make a connector; the source is not contacted. The same key and body give the first answer again."""
    collection = here.collection("editor")

    def work() -> tuple[int, Any]:
        row = _make(here, collection, body)
        return 201, shapes.One(data=render.connector(row, here.collection_id)).model_dump(mode="json")

    return done_once(request, here, idempotency_key, body, work)


def done_once(
    request: Request, here: Here, key: str, body: BaseModel, work: Callable[[], tuple[int, Any]]
) -> Response:
    """Do work once for a key, and send its answer; a header tells where it was done before."""
    answer = once(
        here.context,
        here.caller,
        key,
        work,
        method=request.method,
        path=request.scope["path"],
        request=body.model_dump(mode="json", exclude_unset=True),
    )
    headers = {"Idempotent-Replayed": "true"} if answer.replayed else {}
    return JSONResponse(answer.body, answer.status, headers)


def _make(here: Here, collection: CollectionRow, body: shapes.NewConnector) -> ConnectorRow:
    slug = body.provider_slug
    if slug not in registry.known():
        raise invalid("There is no such provider.", "body", "provider_slug")
    if body.credential is None and catalog.auth_type(registry.provider(slug)) != "none":
        raise invalid("Field required", "body", "credential", kind="missing")
    _require_fit(slug, body.scope_config, body.credential)
    return connectors.add(
        here.context,
        slug,
        body.scope_config,
        name=body.name,
        credentials=body.credential or None,
        schedule=body.schedule,
        trusted=False,
        tenant_id=collection.tenant_id,
        collection_pk=collection.pk,
        created_by=here.caller.principal_id,
    )


def _require_fit(slug: str, config: dict[str, Any] | None, credential: dict[str, Any] | None) -> None:
    """Refuse secrets where they would be shown, and credentials that nobody would use."""
    provider = registry.provider(slug)
    for name in config or {}:
        if inline_secrets.looks_secret(name) and name not in provider.config_model.model_fields:
            raise invalid("This belongs into credential.", "body", "scope_config", name)
    if credential and provider.credentials_model is None:
        raise invalid(f"{provider.display_name} takes no credential.", "body", "credential")


@router.get("/{connector_id}", response_model=shapes.One[shapes.Connector])
def show_connector(
    here: HereOf,
    connector_id: str,
) -> Any:
    """Show a connector."""
    row = here.connector(connector_id)
    return shapes.One(data=render.connector(row, here.collection_id))


@router.patch("/{connector_id}", response_model=shapes.One[shapes.Connector])
def change_connector(
    here: HereOf,
    connector_id: str,
    body: shapes.ChangedConnector,
) -> Any:
    """Change a connector: what is absent stays, what is given replaces the old whole."""
    row = here.connector(connector_id, "editor")
    if body.provider_slug not in (None, row.provider):
        raise invalid("The provider of a connector cannot change.", "body", "provider_slug")
    config = body.scope_config
    if row.execution != registry.PUSHED:
        _require_fit(row.provider, config, body.credential)
    elif config is not None:
        config = inline_secrets.masked(config)
    changes = Changes(
        name=body.name,
        config=config,
        credentials=body.credential,
        schedule=body.schedule if "schedule" in body.model_fields_set else KEEP,
        paused=None if body.status is None else body.status == "paused",
    )
    updated = updating.update(here.context, row, changes).connector
    return shapes.One(data=render.connector(updated, here.collection_id))


@router.delete("/{connector_id}", status_code=204)
def remove_connector(
    here: HereOf,
    connector_id: str,
) -> Response:
    """Remove a connector with its documents and credential; a running sync is cancelled first."""
    row = here.connector(connector_id, "editor")
    removal.remove(here.context, row, wait_seconds=MOST_REMOVAL_SECONDS)
    return Response(status_code=204)


@router.get(
    "/{connector_id}/browse",
    response_model=shapes.Many[shapes.Resource],
    responses={502: {"description": "The source refused or failed."}},
)
def browse_connector(
    here: HereOf,
    connector_id: str,
    cursor: BrowsePosition = None,
    parent_id: Annotated[str | None, Query(max_length=2048)] = None,
    limit: Limit = USUAL_LIMIT,
) -> Any:
    """List what can be chosen at the source, at the top or below a resource. Reads only."""
    row = here.connector(connector_id, "editor")
    page, start = cursor or (None, 0)
    found = _browse(here.context, row, parent_id, page)
    shown = found.resources[start : start + limit]
    after = None
    if start + limit < len(found.resources):
        after = positions.write_browse(page, start + limit)
    elif found.next_page is not None:
        after = positions.write_browse(found.next_page, 0)
    return shapes.Many(
        data=[render.resource(one, parent_id, row.config) for one in shown],
        meta=shapes.Meta(next_cursor=after, has_more=after is not None),
    )


def _browse(context: Context, row: ConnectorRow, parent_id: str | None, page: str | None) -> BrowsePage:
    if row.status == ConnectorStatus.SETUP:
        raise Conflict("The connector has no credential yet.", remedy="Authorise it first.")
    registry.require_installed(row)
    try:
        return connectors.browse(context, row, parent_id or None, page)
    except OutOfScope as error:
        raise NotFound("There is no such resource.") from error
    except ConfigRejected as error:
        # A parent that is not there is the client's; settings that cannot work are not part of this request.
        if parent_id:
            raise NotFound("There is no such resource.") from error
        raise SourceDown(error.message, remedy=error.remedy) from error
