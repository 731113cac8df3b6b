"""Search over everything that the caller may see."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from catchment.api import ids
from catchment.api.errors import invalid
from catchment.api.ids import prefixed
from catchment.api.limits import FaceRoute
from catchment.api.requests import CallerOf, ContextOf
from catchment.api.zensearch import reading
from catchment.api.zensearch.bodies import DateRange, Filters, SearchRequest
from catchment.api.zensearch.face import envelope
from catchment.api.zensearch.shapes import Results, Searched
from catchment.core.clock import iso
from catchment.core.errors import NotFound
from catchment.services import finding, reach
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.services.finding import Answer, Found, Question

router = APIRouter(
    prefix="/api/v1/search", tags=["search"], route_class=FaceRoute, responses=reading.TOO_LARGE
)
_FACETS = {
    "connector": "sources",
    "content_type": "contentTypes",
    "tag": "topics",
    "language": "languages",
    "department": "departments",
}


@router.post("", response_model=Searched[Results])
def search(request: Request, body: SearchRequest, context: ContextOf, caller: CallerOf) -> Any:
    """Find documents, best first."""
    return _answer(request, body, context, caller, with_facets=False)


@router.post("/faceted", response_model=Searched[Results])
def search_with_facets(request: Request, body: SearchRequest, context: ContextOf, caller: CallerOf) -> Any:
    """Find documents, best first, and say how often which values occur among them."""
    return _answer(request, body, context, caller, with_facets=True)


def _answer(
    request: Request, body: SearchRequest, context: Context, caller: Caller, *, with_facets: bool
) -> Any:
    began = time.monotonic()
    question = _question(body, context, caller)
    answer = finding.find(context, caller, question, with_facets=with_facets)
    took = round((time.monotonic() - began) * 1000)
    return envelope(request, _rendered(answer), took=took)


def _question(body: SearchRequest, context: Context, caller: Caller) -> Question:
    filters = body.filters or Filters()
    since, until = _moments(filters.date_range or DateRange())
    places = None
    if body.collections:
        places = [
            reading.named_collection(context, caller, text, "collections", least="viewer").id
            for text in body.collections
        ]
    facts = {"department": filters.departments or [], "language": filters.languages or []}
    return Question(
        body.query,
        connector_ids=_sources(context, caller, filters.sources) if filters.sources else None,
        collection_ids=places,
        all_tags=filters.tags or (),
        any_tags=filters.topics or (),
        authors=filters.authors or (),
        content_types=filters.content_types or (),
        facts={name: values for name, values in facts.items() if values},
        since=since,
        until=until,
        limit=body.limit,
        offset=body.offset,
    )


def _sources(context: Context, caller: Caller, named: Sequence[str]) -> list[str]:
    found = []
    for text in named:
        try:
            found.append(reach.connector(context, caller, ids.read("connector", text)).id)
        except NotFound as error:
            raise invalid(error.message, "body", "filters", "sources") from None
    return found


def _moments(wanted: DateRange) -> tuple[float | None, float | None]:
    """Return the first moment, and the one after the last."""
    since = _moment(wanted.start, "start") if wanted.start is not None else None
    until = None
    if wanted.end is not None:
        is_day = "T" not in wanted.end and " " not in wanted.end.strip()
        until = _moment(wanted.end, "end") + (86_400 if is_day else 1)
    return since, until


def _moment(text: str, name: str) -> float:
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise invalid(
            "Write a day or a moment such as 2024-01-20.", "body", "filters", "dateRange", name
        ) from None


def _rendered(answer: Answer) -> dict[str, Any]:
    return {
        "results": [_result(one) for one in answer.found],
        "total": answer.total,
        "totalIsExact": not answer.is_more,
        "facets": {
            _FACETS[name]: [
                {"value": prefixed("connector", value) if name == "connector" else value, "count": count}
                for value, count in values
            ]
            for name, values in answer.facets.items()
        },
    }


def _result(found: Found) -> dict[str, Any]:
    hit, row = found.hit, found.listed.document
    words = (hit.snippet[start:end] for start, end in hit.highlights)
    return {
        "id": prefixed("document", hit.document_id),
        "title": hit.title,
        "content": hit.snippet,
        "score": hit.score,
        "path": row.path,
        "url": hit.url,
        "contentType": hit.content_type,
        "author": hit.author,
        "metadata": {
            "source": prefixed("connector", found.listed.connector_id),
            "collection": prefixed("collection", found.listed.collection_id),
            "createdAt": iso(row.created_at or row.modified_at or row.indexed_at),
        },
        "highlights": list(dict.fromkeys(words)),
    }
