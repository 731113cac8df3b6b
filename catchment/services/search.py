"""Search: words and filters as a person gives them, hits with the connector's name."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Engine

from catchment.core.errors import UsageError
from catchment.services.names import connector_called
from catchment.store import connectors
from catchment.store.engine import reading
from catchment.store.index import Hit, SearchRequest, index_for

MOST_HITS = 100


class Found(Struct, frozen=True):
    """One hit and the name of the connector that it came from."""

    hit: Hit
    connector: str


def search(
    engine: Engine,
    query: str,
    *,
    connector_names: Sequence[str] = (),
    types: Sequence[str] = (),
    authors: Sequence[str] = (),
    tags: Sequence[str] = (),
    limit: int = 10,
    offset: int = 0,
    since: float | None = None,
    until: float | None = None,
) -> list[Found]:
    """Return the best hits, best first; the operator sees everything.

    Args:
        engine: The store.
        query: Words, "quoted phrases" and prefix* words.
        connector_names: Only documents of these connectors, by id, slug or name; empty means all.
        types: Media types, or endings such as ``pdf``; empty means all.
        authors: Only these authors.
        tags: Documents must carry every one of these.
        limit: Most hits, 1 to 100.
        offset: Hits to leave out.
        since: Changed at or after these POSIX seconds.
        until: Changed before these POSIX seconds.

    Raises:
        NotFound: There is no such connector.
        UsageError: The query is empty, or a number is out of range.
    """
    require_words(query)
    if not 1 <= limit <= MOST_HITS:
        raise UsageError(f"The limit {limit} cannot be used.", remedy=f"Give a number from 1 to {MOST_HITS}.")
    if offset < 0:
        raise UsageError("The offset cannot be negative.")
    pks = tuple(connector_called(engine, name).pk for name in connector_names) or None
    with reading(engine) as connection:
        tenant = connectors.default_tenant(connection)
        living = {row.pk: row.slug for row in connectors.all_living(connection, tenant)}
        request = SearchRequest(
            query,
            limit=limit,
            offset=offset,
            connector_pks=pks,
            content_types=tuple(media_type(name) for name in types),
            authors=tuple(authors),
            tags=tuple(tags),
            since=since,
            until=until,
        )
        hits = index_for(engine.dialect.name).search(connection, request)
        # What a connector that is just being removed still has is shown no more.
        return [Found(hit, living[hit.connector_pk]) for hit in hits if hit.connector_pk in living]


def require_words(query: str) -> None:
    """Refuse a query without a word.

    Raises:
        UsageError: It is empty.
    """
    if not query.strip():
        raise UsageError("There is nothing to search for.", remedy="Give one word or more.")


def media_type(name: str) -> str:
    """Return the media type that is meant by itself or by an ending.

    Raises:
        UsageError: No such ending is known.
    """
    if "/" in name:
        return name.lower()
    known, _ = mimetypes.guess_type(f"x.{name.lstrip('.').lower()}")
    if known is None:
        raise UsageError(
            f"The type {name!r} is not known.", remedy="Write a media type such as application/pdf."
        )
    return known
