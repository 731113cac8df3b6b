"""Collections: made, listed, shown, changed, removed; and files that are handed to them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, UploadFile
from fastapi.responses import Response
from starlette.requests import Request

from catchment.api.aimable import places, render, shapes
from catchment.api.aimable.parameters import (
    USUAL_LIMIT,
    CollectionId,
    Limit,
    Offset,
    OptionalCollectionId,
    SpaceId,
)
from catchment.api.aimable.places import HereOf
from catchment.api.limits import FaceRoute, check_files
from catchment.api.requests import CallerOf, ContextOf, settings
from catchment.core.errors import Forbidden
from catchment.services import files, handing_in, spaces
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.services.uploads import Upload
from catchment.store.spaces import CollectionRow

IN_SPACE = "/v1/spaces/{space_id}/collections"
TOO_LARGE: dict[int | str, dict[str, Any]] = {413: {"description": "A file, or all of them, is too large."}}
_FILES = "The files; each at most 50 MiB unless set otherwise."
Files = Annotated[list[UploadFile], File(description=_FILES)]
AtLeastOne = Annotated[list[UploadFile], File(description=_FILES, min_length=1)]

router = APIRouter(tags=["collections"], route_class=FaceRoute)


@router.get(IN_SPACE, response_model=shapes.Many[shapes.Collection])
def list_collections(
    space_id: SpaceId,
    context: ContextOf,
    caller: CallerOf,
    cursor: Offset = None,
    limit: Limit = USUAL_LIMIT,
) -> Any:
    """List the collections of a space, newest first."""
    space = places.space(context, caller, space_id)
    found = spaces.list_collections(context, caller, space_id=space.id)
    return render.part([render.collection(view) for view in found], start=cursor, limit=limit)


@router.post(IN_SPACE, status_code=201, response_model=shapes.MadeCollection)
def create_collection(
    space_id: SpaceId, body: shapes.NewCollection, context: ContextOf, caller: CallerOf
) -> Any:
    """Make a collection."""
    space = places.space(context, caller, space_id, "editor")
    row = spaces.add_collection(context, caller, body.name, space_id=space.id, description=body.description)
    made = render.collection(spaces.show_collection(context, row))
    return shapes.MadeCollection(**made.model_dump(), data=made)


@router.get(f"{IN_SPACE}/{{collection_id}}", response_model=shapes.One[shapes.Collection])
def show_collection(here: HereOf) -> Any:
    """Show a collection, and how much is in it."""
    return shapes.One(data=render.collection(spaces.show_collection(here.context, here.collection())))


@router.patch("/v1/collections/{collection_id}", response_model=shapes.One[shapes.Collection])
def change_collection(
    collection_id: CollectionId, body: shapes.ChangedCollection, context: ContextOf, caller: CallerOf
) -> Any:
    """Change the name or the description of a collection; what is absent or null stays."""
    row = places.collection_by_id(context, caller, collection_id, "admin")
    changed = spaces.edit_collection(context, caller, row, name=body.name, description=body.description)
    return shapes.One(data=render.collection(spaces.show_collection(context, changed)))


@router.delete("/v1/collections/{collection_id}", status_code=204)
def remove_collection(collection_id: CollectionId, context: ContextOf, caller: CallerOf) -> Response:
    """Remove a collection without connectors; the default one stays."""
    row = places.collection_by_id(context, caller, collection_id, "admin")
    spaces.remove_collection(context, caller, row)
    return Response(status_code=204)


@router.post(
    f"{IN_SPACE}/{{collection_id}}/documents",
    status_code=202,
    response_model=shapes.TakenUpload,
    responses=TOO_LARGE,
)
def upload_documents(
    request: Request,
    here: HereOf,
    files: Files = [],  # noqa: B006 - never changed; FastAPI reads from it that the field may be absent
    file: Files = [],  # noqa: B006
) -> Any:
    """Take files in as documents of a collection; they are read in the background."""
    sent = [*files, *file]
    check_files(request, sent)
    return _take_in(request, here.context, here.caller, here.collection("editor"), sent)


@router.post("/v1/files", status_code=202, response_model=shapes.TakenUpload, responses=TOO_LARGE)
def upload_files(
    request: Request,
    context: ContextOf,
    caller: CallerOf,
    files: AtLeastOne,
    collection_id: OptionalCollectionId = None,
) -> Any:
    """Take files in, for the collection that is named or the oldest that the caller may write to."""
    check_files(request, files)
    if collection_id is not None:
        collection = places.collection_by_id(context, caller, collection_id, "editor")
    else:
        collection = _own_collection(context, caller)
    return _take_in(request, context, caller, collection, files)


def _own_collection(context: Context, caller: Caller) -> CollectionRow:
    for view in reversed(spaces.list_collections(context, caller)):
        if caller.space_role(view.row.space_id) in ("editor", "admin"):
            return view.row
    raise Forbidden("There is no collection that you may write to.")


def _take_in(
    request: Request, context: Context, caller: Caller, collection: CollectionRow, sent: list[UploadFile]
) -> shapes.TakenUpload:
    connector, done = handing_in.upload(
        context,
        caller,
        collection,
        [Upload(one.filename or "", one.file) for one in sent],
        max_file_bytes=settings(request).upload_file_bytes,
    )
    taken = files.shown(context, connector, [one.key for one in done.files])
    told = render.upload(connector, collection, done.run.id, taken)
    return shapes.TakenUpload(**told.model_dump(), data=told)
