"""The index in PostgreSQL: a vector of words beside each chunk, and a GIN index over all of them.

The words are cut by us (`catchment.store.lexemes`), so they come by COPY with the chunk and the server
parses nothing. A new store has no GIN index: its first load is a third quicker without, and ends by building
it (`complete`). Whether the index is there is read from the server's catalogue and noted nowhere else; so a
load that died before its end is completed by whoever comes next, and until then searches read every chunk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from catchment.core.documents import ParsedDocument
from catchment.core.errors import StoreUnavailable
from catchment.store import bulk
from catchment.store.engine import advisory_lock, reading
from catchment.store.entries import (
    LAST,
    chunk_bodies,
    chunk_rows,
    is_code,
    search_title,
    stretches,
    write_documents,
)
from catchment.store.hits import HITS, best_chunks
from catchment.store.index import IndexEntry, SearchRequest
from catchment.store.lexemes import place_lexemes, place_query, vector, word_query
from catchment.store.table_index import TableIndex
from catchment.store.tables import CHUNK_BITS, chunks, documents
from catchment.store.words import QueryPart

log = logging.getLogger("catchment.store")
NAME = "ix_chunks_words"
BUILD_MEMORY = "256MB"
BUILD_LOCK_SECONDS = 600
"""How long a build waits for transactions that are older than it; then the next run tries again."""
CHUNK_COLUMNS = ("id", "start", "heading_path", "text", "words")
# D for the text and A for the title: a word of the title weighs four times as much.
_RANK = "ts_rank('{{0.25, 0.25, 0.25, 1.0}}', c.words, {query}, 1)"

WORDS_SQL = (
    "SELECT c.id, c.text, d.content_type, d.search_title, d.connector_pk, d.collection_pk FROM chunks c"
    f" JOIN documents d ON d.pk = c.id >> {CHUNK_BITS}"
)
"""Everything that the words of a chunk are made of: the columns of `words_of`."""


class PostgresIndex(TableIndex):
    """See `catchment.store.index.Index`."""

    def upsert(
        self,
        connection: Connection,
        entries: Sequence[IndexEntry],
        *,
        now: float,
        ready: Callable[[], None] | None = None,
    ) -> None:
        """Write documents in the order of their numbers, each with all its chunks."""
        ordered = sorted(entries, key=lambda entry: entry.pk)
        drafted = [(entry, self.draft(entry)) for entry in ordered]
        self._drop_chunks(connection, [entry.pk for entry in ordered if not entry.is_new])
        write_documents(connection, [(entry, draft.document) for entry, draft in drafted], now)
        if ready is not None:
            ready()
        bulk.insert_rows(connection, chunks, CHUNK_COLUMNS, chunk_rows(drafted))

    def rename(self, connection: Connection, pk: int, *, title: str, path: str) -> None:
        """Give a document another title and path; only its first chunk is indexed again."""
        searched = search_title(title, path)
        bulk.update_rows(connection, documents, ("title", "search_title"), [(title, searched, pk)])
        refresh_words(connection, pk << CHUNK_BITS, pk << CHUNK_BITS)

    def complete(self, engine: Engine) -> None:
        """Build the GIN index if it is missing, without keeping anybody from reading or writing.

        One process builds, the others leave it to that one. What keeps it from being built is logged, and the
        next run or upkeep tries again.
        """
        with reading(engine) as connection:
            if not is_missing(connection):
                return
        try:
            with advisory_lock(engine, NAME, wait=False) as connection_of_lock:
                if connection_of_lock is not None:
                    build(connection_of_lock)
        except (DBAPIError, StoreUnavailable) as error:
            log.warning("the index over the words could not be built yet: %s", type(error).__name__)

    def _chunks(self, entry: IndexEntry, parsed: ParsedDocument, searched: str) -> list[tuple[Any, ...]]:
        code = is_code(parsed.content_type)
        places = place_lexemes(entry.connector_pk, entry.collection_pk)
        return [
            (
                ordinal,
                start,
                heading_path,
                body,
                vector(body, title="" if ordinal else searched, places=places, code=code),
            )
            for ordinal, start, heading_path, body in chunk_bodies(parsed)
        ]

    def _visible(self, connection: Connection, pks: Sequence[int]) -> list[int]:
        rows = connection.exec_driver_sql(
            "SELECT pk FROM documents WHERE deleted_at IS NULL AND pk = ANY(%s) ORDER BY pk FOR UPDATE",
            (list(pks),),
        )
        return [row[0] for row in rows]

    def _drop_chunks(self, connection: Connection, pks: Sequence[int]) -> None:
        ranges = [(first << CHUNK_BITS, last << CHUNK_BITS | LAST) for first, last in stretches(pks)]
        if ranges:
            connection.exec_driver_sql("DELETE FROM chunks WHERE id BETWEEN %s AND %s", ranges)

    def _best(
        self, connection: Connection, parts: Sequence[QueryPart], request: SearchRequest, wanted: int
    ) -> list[tuple[int, float]]:
        conditions = _conditions(request)
        if conditions is None:
            return []
        for operator in ("&", "|") if len(parts) > 1 else ("&",):
            query = word_query(parts, operator)
            best = _best_chunks(connection, query, request, conditions, wanted) if query else []
            if best:
                return best
        return []

    def _hit_rows(self, connection: Connection, chunk_ids: Sequence[int]) -> Sequence[Any]:
        return connection.exec_driver_sql(f"{HITS} = ANY(%s)", (list(chunk_ids),)).all()


def build(connection: Connection) -> None:
    """Build the GIN index, in place of one whose building was broken off.

    Args:
        connection: Outside of any transaction, and holding the lock on the index.
    """
    state = _state(connection)
    if state:
        return
    settings = {
        "maintenance_work_mem": BUILD_MEMORY,
        "lock_timeout": f"{BUILD_LOCK_SECONDS}s",
        "statement_timeout": "0",
    }
    for name, value in settings.items():
        connection.exec_driver_sql(f"SET {name} = '{value}'")
    try:
        if state is False:
            connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        connection.exec_driver_sql(f"CREATE INDEX CONCURRENTLY {NAME} ON chunks USING gin (words)")
        connection.exec_driver_sql("ANALYZE chunks, documents, items")
    finally:
        if not connection.invalidated:
            for name in settings:
                connection.exec_driver_sql(f"RESET {name}")


def is_missing(connection: Connection) -> bool:
    """Tell whether there is something to search, and no whole index over its words."""
    return not _state(connection) and _has_chunks(connection)


def _state(connection: Connection) -> bool | None:
    """Return whether the index is there and whole; None where there is none."""
    valid = connection.exec_driver_sql(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", (NAME,)
    ).scalar_one_or_none()
    return bool(valid) if valid is not None else None


def _has_chunks(connection: Connection) -> bool:
    return connection.exec_driver_sql("SELECT 1 FROM chunks LIMIT 1").first() is not None


def refresh_words(connection: Connection, first: int, last: int) -> int:
    """Cut the words of the chunks with these numbers again; returns how many chunks there were."""
    rows = connection.exec_driver_sql(
        f"{WORDS_SQL} WHERE c.id BETWEEN %s AND %s ORDER BY c.id", (first, last)
    ).all()
    fresh = [(words_of(row), row[0]) for row in rows]
    if fresh:
        connection.exec_driver_sql("UPDATE chunks SET words = %s WHERE id = %s", fresh)
    return len(fresh)


def words_of(row: Sequence[Any]) -> str:
    """Return the vector of a chunk as a literal, from a row of `WORDS_SQL`."""
    chunk_id, text, content_type, title, connector_pk, collection_pk = row
    return vector(
        text,
        title=title if not chunk_id & LAST else "",
        places=place_lexemes(connector_pk, collection_pk),
        code=is_code(content_type),
    )


def _conditions(request: SearchRequest) -> tuple[str, list[Any]] | None:
    """Write the filters on the document as SQL; None where no document can pass them."""
    clauses: list[str] = []
    values: list[Any] = []
    for column, wanted in (("d.content_type", request.content_types), ("d.author", request.authors)):
        if wanted:
            clauses.append(f"{column} = ANY(%s)")
            values.append([value for value in wanted if _can_be_stored(value)])
    for tag in request.tags:
        if not _can_be_stored(tag):
            return None
        clauses.append("jsonb_exists(d.tags, %s)")
        values.append(tag)
    if request.any_tags:
        clauses.append("jsonb_exists_any(d.tags, %s::text[])")
        values.append([tag for tag in request.any_tags if _can_be_stored(tag)])
    for name, wanted in request.facts:
        # A fact that is a list has several values; of one that is not, this is the one.
        clauses.append(
            "EXISTS (SELECT 1 FROM jsonb_array_elements_text(jsonb_build_array() || (d.metadata -> %s)) v"
            " WHERE v = ANY(%s))"
        )
        values += [name, [value for value in wanted if _can_be_stored(value)]]
    for operator, moment in ((">=", request.since), ("<", request.until)):
        if moment is not None:
            clauses.append(f"(SELECT i.modified_at FROM items i WHERE i.pk = d.pk) {operator} %s")
            values.append(moment)
    if request.viewer is not None:
        subjects = [pair for pair in request.viewer.subjects if all(map(_can_be_stored, pair))]
        clauses.append(
            "(d.acl = 'none' OR d.public OR EXISTS (SELECT 1 FROM document_access a WHERE"
            " a.document_pk = d.pk AND (a.kind, a.subject) IN"
            " (SELECT * FROM unnest(%s::text[], %s::text[]))))"
        )
        values += [[kind for kind, _ in subjects], [subject for _, subject in subjects]]
    return " AND ".join(clauses), values


def _can_be_stored(text: str) -> bool:
    """Whether the database takes this text; what it does not take, no document has."""
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _best_chunks(
    connection: Connection,
    query: str,
    request: SearchRequest,
    conditions: tuple[str, list[Any]],
    wanted: int,
) -> list[tuple[int, float]]:
    where, values = conditions
    # Only documents that can be found have chunks, so without a filter nothing else is to be looked at.
    among = (
        f" AND EXISTS (SELECT 1 FROM documents d WHERE d.pk = c.id >> {CHUNK_BITS} AND {where})"
        if where
        else ""
    )
    place = place_query(request)
    match = f"({place}) & ({query})" if place else query
    rank = _RANK.format(query="%s::tsquery")

    def ranked(take: int) -> Sequence[Any]:
        return connection.exec_driver_sql(
            f"SELECT c.id, {rank} AS strength FROM chunks c WHERE c.words @@ %s::tsquery{among}"
            " ORDER BY strength DESC, c.id LIMIT %s",
            (query, match, *values, take),
        ).all()

    return best_chunks(ranked, wanted)
