"""Collections: where documents of connectors come together."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from catchment.api.errors import invalid
from catchment.api.ids import prefixed
from catchment.api.limits import FaceRoute
from catchment.api.requests import CallerOf, ContextOf
from catchment.api.zensearch import reading, render
from catchment.api.zensearch.bodies import CollectionChange, NewCollection
from catchment.api.zensearch.face import envelope
from catchment.api.zensearch.reading import AdminOf, EditorOf, Limit, Offset
from catchment.api.zensearch.shapes import Collection, Deleted, Many, One
from catchment.services import spaces

router = APIRouter(
    prefix="/api/v1/collections",
    tags=["collections"],
    route_class=FaceRoute,
    responses=reading.TOO_LARGE,
)


@router.get("", response_model=Many[Collection])
def list_collections(
    request: Request, context: ContextOf, caller: CallerOf, limit: Limit = 50, offset: Offset = 0
) -> Any:
    """Return the collections that the caller may see, newest first."""
    found = spaces.list_collections(context, caller)
    data = [render.collection(view) for view in found[offset : offset + limit]]
    return envelope(request, data, total=len(found), limit=limit, offset=offset)


@router.post("", status_code=201, response_model=One[Collection])
def create_collection(request: Request, body: NewCollection, context: ContextOf, caller: EditorOf) -> Any:
    """Make a collection, in the team's default space."""
    row = spaces.add_collection(
        context,
        caller,
        body.name,
        description=body.description,
        embedding_model=body.embedding_model,
    )
    return envelope(request, render.collection(spaces.show_collection(context, row)))


@router.get("/{collection_id}", response_model=One[Collection])
def show_collection(request: Request, collection_id: str, context: ContextOf, caller: CallerOf) -> Any:
    """Return a collection."""
    row = reading.collection(context, caller, collection_id)
    return envelope(request, render.collection(spaces.show_collection(context, row)))


@router.put("/{collection_id}", response_model=One[Collection])
def change_collection(
    request: Request, collection_id: str, body: CollectionChange, context: ContextOf, caller: AdminOf
) -> Any:
    """Change the name or the description; what is not named stays."""
    row = reading.collection(context, caller, collection_id)
    if body.embedding_model not in (None, row.embedding_model):
        raise invalid("The embedding model of a collection cannot change.", "body", "embeddingModel")
    row = spaces.edit_collection(context, caller, row, name=body.name, description=body.description)
    return envelope(request, render.collection(spaces.show_collection(context, row)))


@router.delete("/{collection_id}", response_model=One[Deleted])
def remove_collection(request: Request, collection_id: str, context: ContextOf, caller: AdminOf) -> Any:
    """Remove an empty collection."""
    row = reading.collection(context, caller, collection_id)
    spaces.remove_collection(context, caller, row)
    return envelope(request, {"id": prefixed("collection", row.id), "deleted": True})


@router.post("/{collection_id}/refresh-stats", response_model=One[Collection])
def refresh_stats(request: Request, collection_id: str, context: ContextOf, caller: CallerOf) -> Any:
    """Return a collection with its numbers counted now, as they always are."""
    return show_collection(request, collection_id, context, caller)
