"""What can be asked: search, documents, connectors, figures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import strawberry
from msgspec.structs import replace

from catchment.api import ids
from catchment.api.trove.asked import Asked
from catchment.api.trove.scalars import DateTime
from catchment.api.trove.types import (
    CONTENT_TYPES,
    MOST_RUNS,
    Asking,
    Connector,
    ConnectorStatus,
    ContentCount,
    Document,
    DocumentPage,
    SearchResult,
    SearchResults,
    SyncRun,
    TypeCount,
    content_type,
    within,
)
from catchment.core.errors import NotFound, UsageError
from catchment.services import library
from catchment.services.library import Findings
from catchment.store.index import SearchRequest
from catchment.store.views import SortKey

MOST_FOUND = 50
MOST_DOCUMENTS = 100
MOST_OFFSET = 2**31 - 1
_SORTS: dict[str, SortKey] = {
    "indexedat": "indexed",
    "createdat": "indexed",
    "contentdate": "content",
    "date": "content",
    "title": "title",
}
_TEXT = "text"


@strawberry.type(description="Figures about everything that can be seen.")
class Stats:
    """Figures, each counted when it is asked for."""

    @strawberry.field
    def total_documents(self, info: Asking) -> int:
        """Documents that can be found."""
        return sum(info.context.documents_of_connectors.values())

    @strawberry.field
    def total_connectors(self, info: Asking) -> int:
        """Connectors."""
        return len(info.context.seen)

    @strawberry.field
    def active_connectors(self, info: Asking) -> int:
        """Connectors that are active."""
        return sum(row.status == ConnectorStatus.ACTIVE.value for row in info.context.seen.values())

    @strawberry.field
    def documents_by_connector_type(self, info: Asking) -> list[TypeCount]:
        """Documents by the type of their connector, most first; types without documents too."""
        counts: Counter[str] = Counter({row.provider: 0 for row in info.context.seen.values()})
        for pk, count in info.context.documents_of_connectors.items():
            counts[info.context.seen[pk].provider] += count
        return [TypeCount(connector_type=name, document_count=count) for name, count in counts.most_common()]

    @strawberry.field
    def documents_by_content_type(self, info: Asking) -> list[ContentCount]:
        """Documents by content type, most first."""
        counts: Counter[str] = Counter()
        stored = library.count_by_content_type(info.context.context, info.context.narrow())
        for name, count in stored.items():
            counts[content_type(name)] += count
        return [ContentCount(content_type=name, document_count=count) for name, count in counts.most_common()]

    @strawberry.field
    def recent_sync_runs(self, info: Asking, limit: int | None = 10) -> list[SyncRun]:
        """The newest runs of all connectors, newest first."""
        most = within("limit", limit, MOST_RUNS, 10)
        return [SyncRun(row=row) for row in info.context.runs(list(info.context.seen.values()), most)]


@strawberry.type
class Query:
    """Reads."""

    @strawberry.field
    def search(
        self,
        info: Asking,
        *,
        query: str,
        connector_id: strawberry.ID | None = None,
        connector_type: str | None = None,
        author: str | None = None,
        after: DateTime | None = None,
        before: DateTime | None = None,
        content_type: str | None = None,
        tags: list[str] | None = None,
        limit: int | None = 10,
    ) -> SearchResults:
        """Find documents by their words, best first; every filter must hold."""
        asked = info.context
        request = SearchRequest(
            query,
            limit=within("limit", limit, MOST_FOUND, 10),
            connector_pks=_connectors(asked, connector_id, connector_type),
            authors=(author,) if author is not None else (),
            tags=_tags(tags),
            since=after,
            until=before,
            content_types=_stored_types(asked, content_type),
        )
        return _searched(asked, request, library.search)

    @strawberry.field
    def discover(
        self,
        info: Asking,
        *,
        topic: str,
        connector_id: strawberry.ID | None = None,
        connector_type: str | None = None,
        limit: int | None = 10,
    ) -> SearchResults:
        """Find documents about a topic, also those that have only some of its words."""
        request = SearchRequest(
            topic,
            limit=within("limit", limit, MOST_FOUND, 10),
            connector_pks=_connectors(info.context, connector_id, connector_type),
        )
        return _searched(info.context, request, library.discover)

    @strawberry.field
    def recent(
        self,
        info: Asking,
        *,
        connector_id: strawberry.ID | None = None,
        connector_type: str | None = None,
        author: str | None = None,
        since: DateTime | None = None,
        limit: int | None = 10,
    ) -> list[Document]:
        """Return what was indexed last, newest first."""
        most = within("limit", limit, MOST_FOUND, 10)
        asked = info.context
        pks = _connectors(asked, connector_id, connector_type)
        wanted = replace(asked.narrow(pks), author=author, indexed_since=since)
        asked.spend_rows(most)
        return [Document(row=row) for row in library.page(asked.context, wanted, limit=most)]

    @strawberry.field
    def document(self, info: Asking, id: strawberry.ID) -> Document:
        """Return one document."""
        inner = ids.parse("document", id)
        if inner is None:
            raise NotFound("Document not found")
        return Document(row=library.document(info.context.context, info.context.caller, inner))

    @strawberry.field
    def documents(
        self,
        info: Asking,
        *,
        connector_id: strawberry.ID | None = None,
        connector_type: str | None = None,
        author: str | None = None,
        content_type: str | None = None,
        tags: list[str] | None = None,
        after: DateTime | None = None,
        before: DateTime | None = None,
        search: str | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
        limit: int | None = 20,
        offset: int | None = 0,
    ) -> DocumentPage:
        """Return a stretch of the list of documents, newest first unless told otherwise."""
        asked = info.context
        most = within("limit", limit, MOST_DOCUMENTS, 20)
        start = offset or 0
        if not 0 <= start <= MOST_OFFSET:
            raise UsageError(f"offset must be from 0 to {MOST_OFFSET}.")
        if len(search or "") > library.MOST_QUERY_CHARACTERS:
            # A database compares only so long a pattern, and says so in its own words.
            raise UsageError(f"search has at most {library.MOST_QUERY_CHARACTERS:,} characters.")
        wanted = replace(
            asked.narrow(_connectors(asked, connector_id, connector_type)),
            author=author,
            tags=_tags(tags),
            since=after,
            until=before,
            words=search or None,
            **_of_type(content_type),
        )
        sort, ascending = _order(sort_by, sort_order)
        asked.spend_rows(most)
        rows = library.page(asked.context, wanted, limit=most, offset=start, sort=sort, ascending=ascending)
        total = library.count(asked.context, wanted)
        return DocumentPage(
            nodes=[Document(row=row) for row in rows],
            total_count=total,
            has_more=start + len(rows) < total,
        )

    @strawberry.field
    def connectors(
        self, info: Asking, connector_type: str | None = None, status: ConnectorStatus | None = None
    ) -> list[Connector]:
        """Return the connectors, oldest first."""
        return [
            Connector(row=row)
            for row in info.context.seen.values()
            if connector_type in (None, row.provider) and (status is None or status.value == row.status)
        ]

    @strawberry.field
    def connector(self, info: Asking, id: strawberry.ID) -> Connector | None:
        """Return one connector, or null where there is none of this id."""
        inner = ids.parse("connector", id)
        found = next((row for row in info.context.seen.values() if row.id == inner), None)
        return Connector(row=found) if found is not None else None

    @strawberry.field
    def stats(self) -> Stats:
        """Return figures about everything."""
        return Stats()


def _connectors(asked: Asked, connector_id: str | None, connector_type: str | None) -> tuple[int, ...]:
    """Return the numbers of the connectors that are asked about."""
    pks = tuple(
        pk for pk, row in asked.seen.items() if connector_type is None or row.provider == connector_type
    )
    if connector_id is None:
        return pks
    inner = ids.read("connector", connector_id)
    found = tuple(pk for pk, row in asked.seen.items() if row.id == inner)
    if not found:
        raise NotFound("Connector not found")
    return tuple(pk for pk in found if pk in pks)


def _searched(
    asked: Asked, request: SearchRequest, find: Callable[[Any, Any, SearchRequest], Findings]
) -> SearchResults:
    asked.spend_rows(request.limit)
    began = time.perf_counter()
    findings = find(asked.context, asked.caller, request)
    return SearchResults(
        results=[SearchResult(found=found) for found in findings.found],
        total_matches=findings.total,
        query_time_ms=round((time.perf_counter() - began) * 1000),
    )


def _tags(tags: list[str] | None) -> tuple[str, ...]:
    if tags is not None and len(tags) > 100:
        raise UsageError("At most 100 tags can be asked for.")
    return tuple(dict.fromkeys(tags or ()))


def _check_type(name: str) -> None:
    if name not in CONTENT_TYPES:
        raise UsageError(f"contentType must be one of {', '.join(CONTENT_TYPES)}.")


def _of_type(name: str | None) -> dict[str, Any]:
    """Return the part of a filter for a content type: every format of a file counts as text."""
    if name is None:
        return {}
    _check_type(name)
    others = tuple(other for other in CONTENT_TYPES if other != _TEXT)
    return {"other_than": others} if name == _TEXT else {"content_types": (name,)}


def _stored_types(asked: Asked, name: str | None) -> tuple[str, ...]:
    """Return the stored types that a content type stands for."""
    if name is None:
        return ()
    _check_type(name)
    if name != _TEXT:
        return (name,)
    stored = library.count_by_content_type(asked.context, asked.narrow())
    return (_TEXT, *(other for other in stored if content_type(other) == _TEXT and other != _TEXT))


def _order(sort_by: str | None, sort_order: str | None) -> tuple[SortKey, bool]:
    sort = _SORTS.get((sort_by or "indexedAt").replace("_", "").lower())
    if sort is None:
        raise UsageError("sortBy must be indexedAt, contentDate, createdAt or title.")
    order = (sort_order or "desc").lower()
    if order not in ("asc", "desc"):
        raise UsageError("sortOrder must be asc or desc.")
    return sort, order == "asc"
