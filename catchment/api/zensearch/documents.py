"""Documents: of a connector, and by their id alone."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from catchment.api import ids
from catchment.api.limits import FaceRoute
from catchment.api.requests import CallerOf, ContextOf
from catchment.api.zensearch import reading, render
from catchment.api.zensearch.face import envelope
from catchment.api.zensearch.reading import EditorOf, Limit, Offset
from catchment.api.zensearch.shapes import (
    Content,
    Deleted,
    Document,
    DocumentState,
    FullDocument,
    Many,
    One,
    Summary,
)
from catchment.core.errors import NotFound
from catchment.services import deletion, documents, reach
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.store.documents import ListedDocument

router = APIRouter(prefix="/api/v1", tags=["documents"], route_class=FaceRoute)
SUMMARY_CHARACTERS = 500


@router.get("/connectors/{connector_id}/documents", response_model=Many[Document])
def list_documents(
    request: Request,
    *,
    connector_id: str,
    context: ContextOf,
    caller: CallerOf,
    status: DocumentState | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Any:
    """Return the documents of a connector, newest first; deleted ones are not listed."""
    row = reading.connector(context, caller, connector_id)
    states = render.DOCUMENT_STATES[status] if status is not None else None
    seen_as = reach.viewer_of(context, caller).subjects
    page, total = documents.page(context, row, states=states, limit=limit, offset=offset, subjects=seen_as)
    data = [render.document(listed) for listed in page]
    return envelope(request, data, total=total, limit=limit, offset=offset)


@router.get("/connectors/{connector_id}/documents/{document_id}", response_model=One[FullDocument])
def show_document_of_connector(
    request: Request, connector_id: str, document_id: str, context: ContextOf, caller: CallerOf
) -> Any:
    """Return a document with its text."""
    listed = _below(context, caller, connector_id, document_id)
    return envelope(request, _full(context, listed))


@router.delete("/connectors/{connector_id}/documents/{document_id}", response_model=One[Deleted])
def delete_document_of_connector(
    request: Request, connector_id: str, document_id: str, context: ContextOf, caller: EditorOf
) -> Any:
    """Delete a document. It stays away until it changes at the source, or a full job takes it again."""
    listed = _below(context, caller, connector_id, document_id, least="editor")
    return envelope(request, _delete(context, listed))


@router.get("/documents/{document_id}", response_model=One[FullDocument])
def show_document(request: Request, document_id: str, context: ContextOf, caller: CallerOf) -> Any:
    """Return a document with its text."""
    return envelope(request, _full(context, _found(context, caller, document_id)))


@router.get("/documents/{document_id}/content", response_model=One[Content])
def show_content(request: Request, document_id: str, context: ContextOf, caller: CallerOf) -> Any:
    """Return the text of a document."""
    full = _full(context, _found(context, caller, document_id))
    return envelope(request, {name: full[name] for name in ("id", "title", "contentType", "content")})


@router.get("/documents/{document_id}/summary", response_model=One[Summary])
def show_summary(request: Request, document_id: str, context: ContextOf, caller: CallerOf) -> Any:
    """Return how a document begins: its first paragraphs, up to 500 characters. No model writes it."""
    listed = _found(context, caller, document_id)
    text = documents.opening(context, listed.document, characters=SUMMARY_CHARACTERS)
    identity = {"id": ids.prefixed("document", listed.document.id), "title": listed.document.title}
    return envelope(request, {**identity, "summary": text})


@router.delete("/documents/{document_id}", response_model=One[Deleted])
def delete_document(request: Request, document_id: str, context: ContextOf, caller: EditorOf) -> Any:
    """Delete a document. It stays away until it changes at the source, or a full job takes it again."""
    return envelope(request, _delete(context, _found(context, caller, document_id, least="editor")))


def _found(context: Context, caller: Caller, document_id: str, *, least: str = "viewer") -> ListedDocument:
    listed, row = reach.document(context, caller, ids.read("document", document_id))
    caller.require_space_role(reach.collection_of(context, row).space_id, least)
    return listed


def _below(
    context: Context, caller: Caller, connector_id: str, document_id: str, *, least: str = "viewer"
) -> ListedDocument:
    row = reading.connector(context, caller, connector_id, least=least)
    listed, owner = reach.document(context, caller, ids.read("document", document_id))
    if owner.pk != row.pk:
        raise NotFound("There is no such document.")
    return listed


def _full(context: Context, listed: ListedDocument) -> dict[str, Any]:
    return {**render.document(listed), "content": documents.text(context.engine, listed.document)}


def _delete(context: Context, listed: ListedDocument) -> dict[str, Any]:
    deletion.delete_document(context, listed.document)
    return {"id": ids.prefixed("document", listed.document.id), "deleted": True}
