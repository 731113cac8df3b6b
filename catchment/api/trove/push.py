"""The push of documents in batches: ``POST /api/sync/documents``."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Body
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from catchment.api import ids
from catchment.api.limits import LenientRoute
from catchment.api.requests import CallerOf, ContextOf
from catchment.api.trove.face import FACE
from catchment.services import library
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.services.push import Pushed, push
from catchment.services.push_input import CONTENT_TYPES, MOST_CURSOR, MOST_DOCUMENTS, read_envelope

# A text that no database takes is the fault of one document, and costs the others nothing.
router = APIRouter(tags=["trove"], route_class=LenientRoute)
_WRITES = "editor"
_PUSHES = CapacityLimiter(16)
"""Threads for pushes, which wait for the store's writer: they must leave some to requests that only read."""
_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_DOCUMENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["external_id"],
    "description": "What is wrong with one document is told in `errors` and costs the others nothing.",
    "properties": {
        "external_id": {"type": "string", "description": "Stable id from the source; 1 to 512 characters."},
        "title": _TEXT,
        "text": {**_TEXT, "description": "Required unless `audio_url` is given."},
        "audio_url": {**_TEXT, "description": "Address of a recording that is to be transcribed."},
        "url": _TEXT,
        "author": _TEXT,
        "date": {**_TEXT, "description": "ISO 8601; without a zone it is in UTC."},
        "content_type": {"enum": [*CONTENT_TYPES, None], "default": "text"},
        "tags": {"type": ["array", "null"], "items": {"type": "string"}},
        "metadata": {"type": ["object", "null"], "additionalProperties": True},
    },
}
_REQUEST_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["connector_id", "documents"],
    "properties": {
        "connector_id": {"type": "string", "minLength": 1},
        "documents": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_DOCUMENTS,
            "items": _DOCUMENT_SCHEMA,
        },
        "cursor": {**_TEXT, "maxLength": MOST_CURSOR},
        "cursor_before": {
            **_TEXT,
            "maxLength": MOST_CURSOR,
            "description": "What the stored cursor must be; another one is answered with 409.",
        },
    },
}


class DocumentError(BaseModel):
    """Why one document was not taken."""

    external_id: str | None
    error: str


class PushAnswer(BaseModel):
    """What became of a push: the numbers and the errors add up to the documents that were sent."""

    documentsIndexed: int = Field(ge=0)  # noqa: N815 - the word of the face
    documentsSkipped: int = Field(ge=0)  # noqa: N815
    errors: list[DocumentError]
    cursor: str | None
    transcriptionsQueued: int = Field(ge=0)  # noqa: N815


@router.post(
    "/api/sync/documents",
    response_model=PushAnswer,
    responses={
        202: {"model": PushAnswer, "description": "Taken; recordings wait for their transcription."},
        413: {
            "description": "The body is too large.",
            "content": {"application/json": {"schema": dict(FACE.error_schema)}},
        },
    },
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": _REQUEST_SCHEMA}}}},
)
async def push_documents(body: Annotated[Any, Body()], context: ContextOf, caller: CallerOf) -> Response:
    """Take up to 50 documents into a LOCAL connector; when the answer comes, they can be found."""
    return await to_thread.run_sync(_pushed, body, context, caller, limiter=_PUSHES)


def _pushed(body: Any, context: Context, caller: Caller) -> Response:
    caller.require_role(_WRITES)
    envelope = read_envelope(body)
    inner = ids.read("connector", envelope.connector_id)
    row = library.seen_connector(context, caller, inner, least=_WRITES)
    done = push(
        context,
        row,
        envelope.documents,
        cursor=envelope.cursor,
        cursor_before=envelope.cursor_before,
    )
    return JSONResponse(_told(done), status_code=202 if done.transcriptions else 200)


def _told(done: Pushed) -> dict[str, Any]:
    return {
        "documentsIndexed": done.indexed,
        "documentsSkipped": done.skipped,
        "errors": [{"external_id": key, "error": reason} for key, reason in done.errors],
        "cursor": done.cursor,
        "transcriptionsQueued": done.transcriptions,
    }
