"""Search as somebody who calls: only in spaces that are open to them, with a total and facets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace
from sqlalchemy import Connection

from catchment.services import reach
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.store import documents
from catchment.store.documents import ListedDocument
from catchment.store.engine import reading
from catchment.store.index import Hit, SearchRequest, index_for

MOST_COUNTED = 1000
"""A total and facets are of so many of the best documents at the most."""
MOST_VALUES = 50
"""Most values of one facet; the most frequent ones."""
FACTS = ("language", "department")
"""Small facts of documents that facets are made of."""


class Question(Struct, frozen=True):
    """What somebody looks for. Ids are inner ones; None means everywhere that is open to the caller.

    Attributes:
        query: Words, "quoted phrases" and prefix* words.
        connector_ids: Only in these connectors.
        collection_ids: Only in these collections.
        all_tags: Documents must carry every one of these.
        any_tags: Documents must carry one of these.
        authors: Only of these authors; empty means of all.
        content_types: Only of these media types; empty means of all.
        facts: Names of small facts, and the values of which one must be there.
        since: Changed at or after these POSIX seconds.
        until: Changed before these POSIX seconds.
        limit: Most hits.
        offset: Hits to leave out.
    """

    query: str
    connector_ids: Sequence[str] | None = None
    collection_ids: Sequence[str] | None = None
    all_tags: Sequence[str] = ()
    any_tags: Sequence[str] = ()
    authors: Sequence[str] = ()
    content_types: Sequence[str] = ()
    facts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    since: float | None = None
    until: float | None = None
    limit: int = 10
    offset: int = 0


class Found(Struct, frozen=True):
    """One hit, and the document that it is a part of."""

    hit: Hit
    listed: ListedDocument


class Answer(Struct, frozen=True):
    """What was found.

    Attributes:
        found: The asked-for page of hits, best first.
        total: How many documents match, counted up to `MOST_COUNTED`.
        is_more: Whether there may be more than were counted.
        facets: How often each value occurs among those that were counted, the most frequent first.
    """

    found: list[Found]
    total: int
    is_more: bool
    facets: dict[str, list[tuple[str, int]]] = field(default_factory=dict)


def find(context: Context, caller: Caller, question: Question, *, with_facets: bool = False) -> Answer:
    """Search. Places that do not exist, or are not open to the caller, hold nothing."""
    with reading(context.engine) as connection:
        request = _request(connection, caller, question)
        index = index_for(context.engine.dialect.name)
        pks = index.matches(connection, request)
        is_more = len(pks) == MOST_COUNTED
        page = replace(request, limit=question.limit, offset=question.offset)
        hits = index.search(connection, page) if question.offset < len(pks) or is_more else []
        listed = {hit.document_id: documents.by_id(connection, hit.document_id) for hit in hits}
        facets = _facets(connection, pks) if with_facets else {}
    found = [Found(hit, one) for hit in hits if (one := listed[hit.document_id]) is not None]
    return Answer(found, len(pks), is_more, facets)


def _request(connection: Connection, caller: Caller, question: Question) -> SearchRequest:
    wanted = None if question.collection_ids is None else set(question.collection_ids)
    named = None if question.connector_ids is None else set(question.connector_ids)
    sources = [
        row
        for row, home in reach.open_connectors(connection, caller)
        if (wanted is None or home.id in wanted) and (named is None or row.id in named)
    ]
    return SearchRequest(
        question.query,
        limit=MOST_COUNTED,
        # What a connector that is just being removed still has is shown no more.
        connector_pks=tuple(row.pk for row in sources),
        content_types=tuple(question.content_types),
        authors=tuple(question.authors),
        tags=tuple(question.all_tags),
        any_tags=tuple(question.any_tags),
        facts=tuple((name, tuple(values)) for name, values in question.facts.items()),
        since=question.since,
        until=question.until,
        viewer=reach.viewer(connection, caller),
    )


def _facets(connection: Connection, pks: Sequence[int]) -> dict[str, list[tuple[str, int]]]:
    counts: dict[str, Counter[str]] = {
        name: Counter() for name in ("connector", "content_type", "tag", *FACTS)
    }
    for connector_id, content_type, tags, metadata in documents.labels(connection, pks):
        counts["connector"][connector_id] += 1
        counts["content_type"][content_type] += 1
        counts["tag"].update(set(_texts(tags)))
        for name in FACTS:
            counts[name].update(set(_texts(metadata.get(name))))
    return {
        name: sorted(counter.most_common(MOST_VALUES), key=lambda one: (-one[1], one[0]))
        for name, counter in counts.items()
    }


def _texts(value: Any) -> Iterable[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
