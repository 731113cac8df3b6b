"""Source files: what a source holds as it was last seen, and what was handed in beside it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, File, Query, UploadFile
from starlette.requests import Request

from catchment.api import ids
from catchment.api.errors import invalid
from catchment.api.limits import FaceRoute, check_files
from catchment.api.requests import CallerOf, ContextOf, settings
from catchment.api.zensearch import reading, render
from catchment.api.zensearch.bodies import MOST_FILTER, FilesToDelete, Path
from catchment.api.zensearch.face import envelope
from catchment.api.zensearch.reading import EditorOf, Limit, Offset
from catchment.api.zensearch.shapes import File as FileShape
from catchment.api.zensearch.shapes import FilesDeleted, Many, One
from catchment.api.zensearch.shapes import Upload as UploadShape
from catchment.services import files, reach, uploads

router = APIRouter(
    prefix="/api/v1/connectors/{connector_id}/files",
    tags=["files"],
    route_class=FaceRoute,
    responses=reading.TOO_LARGE,
)


@router.get("", response_model=Many[FileShape])
def list_files(
    request: Request,
    *,
    connector_id: str,
    context: ContextOf,
    caller: CallerOf,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Any:
    """Return what the source holds, and what was handed in, by path; also what could not be read.

    Of a source that shows things to some of its people only, just what the caller may see.
    """
    row = reading.connector(context, caller, connector_id)
    seen_as = reach.viewer_of(context, caller).subjects
    page, total = files.listed(context, row, limit=limit, offset=offset, subjects=seen_as)
    data = [render.file(one) for one in page]
    return envelope(request, data, total=total, limit=limit, offset=offset)


@router.post("/upload", status_code=202, response_model=One[UploadShape])
def upload_files(
    request: Request,
    connector_id: str,
    context: ContextOf,
    caller: EditorOf,
    files_: Annotated[list[UploadFile], File(alias="files", min_length=1)],
) -> Any:
    """Take files in; a job of their own reads them. A file of the same path is replaced."""
    row = reading.connector(context, caller, connector_id, least="editor")
    check_files(request, files_)
    done = uploads.upload(
        context,
        row,
        [uploads.Upload(one.filename or "", one.file) for one in files_],
        max_file_bytes=settings(request).upload_file_bytes,
    )
    taken = files.shown(context, row, [one.key for one in done.files])
    return envelope(request, {"files": [render.file(one) for one in taken], **render.queued(done.run)})


@router.delete("", response_model=One[FilesDeleted])
def delete_files(
    request: Request,
    *,
    connector_id: str,
    context: ContextOf,
    caller: EditorOf,
    body: Annotated[FilesToDelete | None, Body()] = None,
    path: Annotated[
        list[Path] | None,
        Query(max_length=MOST_FILTER, description="For clients that cannot send a body; may be repeated."),
    ] = None,
) -> Any:
    """Take our copy of files away, with their documents; the source is never touched."""
    row = reading.connector(context, caller, connector_id, least="editor")
    paths = [*(body.paths if body else []), *(path or [])]
    named = body.ids if body else []
    if not paths and not named:
        raise invalid("Name files by paths or by ids.", "body", "paths", kind="missing")
    known = {text: inner for text in named if (inner := ids.parse("file", text)) is not None}
    done = files.delete(
        context, row, names=list(dict.fromkeys(paths)), ids=list(dict.fromkeys(known.values()))
    )
    # What was not found is told in the words of the request.
    missing = {inner for inner in done.not_found if inner in known.values()}
    not_found = [one for one in done.not_found if one not in missing]
    not_found += [text for text in dict.fromkeys(named) if known.get(text) is None or known[text] in missing]
    return envelope(request, {"deleted": done.deleted, "notFound": not_found})
