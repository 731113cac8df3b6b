"""The index in SQLite: FTS5 over the chunks, without a second copy of the text.

The FTS table reads its content through the view `chunk_search`. So what is to be taken out must be
told to it while the view still shows it, and rows go in by one statement per stretch of numbers,
ascending, which keeps the interpreter's lock free and FTS's own buffer whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine

from catchment.core.documents import ParsedDocument
from catchment.store import bulk
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
from catchment.store.table_index import TableIndex
from catchment.store.tables import CHUNK_BITS, chunks, documents
from catchment.store.words import QueryPart, searchable

_CHUNK_COLUMNS = ("id", "start", "heading_path", "text", "search_text")

_FTS_IN = (
    "INSERT INTO chunks_fts (rowid, title, body, place)"
    " SELECT id, title, body, place FROM chunk_search WHERE id BETWEEN ? AND ?"
)
_FTS_OUT = (
    "INSERT INTO chunks_fts (chunks_fts, rowid, title, body, place)"
    " SELECT 'delete', id, title, body, place FROM chunk_search WHERE id BETWEEN ? AND ?"
)


class SqliteIndex(TableIndex):
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
        rows = chunk_rows(drafted)
        old = [entry.pk for entry in ordered if not entry.is_new]
        self._drop_chunks(connection, old)
        write_documents(connection, [(entry, draft.document) for entry, draft in drafted], now)
        bulk.insert_rows(connection, chunks, _CHUNK_COLUMNS, rows)
        written = stretches([entry.pk for entry in ordered])
        del ordered, drafted, rows  # the texts are in the table now, and what comes next takes a while
        if ready is not None:
            ready()
        for first, last in written:
            connection.exec_driver_sql(_FTS_IN, (first << CHUNK_BITS, last << CHUNK_BITS | LAST))

    def rename(self, connection: Connection, pk: int, *, title: str, path: str) -> None:
        """Give a document another title and path; only its first chunk is indexed again."""
        first = pk << CHUNK_BITS
        connection.exec_driver_sql(_FTS_OUT, (first, first))
        bulk.update_rows(
            connection, documents, ("title", "search_title"), [(title, search_title(title, path), pk)]
        )
        connection.exec_driver_sql(_FTS_IN, (first, first))

    def complete(self, engine: Engine) -> None:
        """Nothing: the words are written with the text."""

    def _chunks(self, _entry: IndexEntry, parsed: ParsedDocument, _searched: str) -> list[tuple[Any, ...]]:
        code = is_code(parsed.content_type)
        plain = not code and parsed.text.isascii()
        return [
            (ordinal, start, heading_path, body, None if plain else searchable(body, code=code))
            for ordinal, start, heading_path, body in chunk_bodies(parsed)
        ]

    def _visible(self, connection: Connection, pks: Sequence[int]) -> list[int]:
        rows = connection.exec_driver_sql(
            "SELECT pk FROM documents WHERE deleted_at IS NULL"
            " AND pk IN (SELECT value FROM json_each(?)) ORDER BY pk",
            (json.dumps(list(pks)),),
        )
        return [row[0] for row in rows]

    def _drop_chunks(self, connection: Connection, pks: Sequence[int]) -> None:
        """Take the chunks of documents out, in ascending order, for FTS before the table."""
        ranges = [(first << CHUNK_BITS, last << CHUNK_BITS | LAST) for first, last in stretches(pks)]
        for stretch in ranges:
            connection.exec_driver_sql(_FTS_OUT, stretch)
        for stretch in ranges:
            connection.exec_driver_sql("DELETE FROM chunks WHERE id BETWEEN ? AND ?", stretch)

    def _best(
        self, connection: Connection, parts: Sequence[QueryPart], request: SearchRequest, wanted: int
    ) -> list[tuple[int, float]]:
        if not parts:
            return []
        for operator in (" AND ", " OR ") if len(parts) > 1 else (" AND ",):
            best = _best_chunks(connection, _match(parts, operator, request), request, wanted)
            if best:
                return best
        return []

    def _hit_rows(self, connection: Connection, chunk_ids: Sequence[int]) -> Sequence[Any]:
        return connection.exec_driver_sql(
            f"{HITS} IN (SELECT value FROM json_each(?))", (json.dumps(list(chunk_ids)),)
        ).all()


def _phrase(part: QueryPart) -> str:
    star = "*" if part.prefix else ""
    whole = f'"{" ".join(part.words)}"{star}'
    return f'({whole} OR "{" ".join(part.pieces)}"{star})' if part.pieces else whole


def _match(parts: Sequence[QueryPart], operator: str, request: SearchRequest) -> str:
    """Write the MATCH expression; places are words of a column, so they narrow before ranking."""
    words = operator.join(_phrase(part) for part in parts)
    expression = f"{{title body}} : ({words})"
    for letter, pks in (("c", request.connector_pks), ("k", request.collection_pks)):
        if pks is not None:
            places = " OR ".join(f"{letter}{pk}" for pk in pks) or "nowhere"
            expression = f"({expression}) AND place : ({places})"
    return expression


def _conditions(request: SearchRequest) -> tuple[str, list[Any]]:
    """Write the filters on the document as SQL."""
    clauses = ["d.deleted_at IS NULL"]
    values: list[Any] = []
    for column, wanted in (("d.content_type", request.content_types), ("d.author", request.authors)):
        if wanted:
            clauses.append(f"{column} IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(wanted))
    for tag in request.tags:
        clauses.append("EXISTS (SELECT 1 FROM json_each(d.tags) WHERE value = json_extract(?, '$[0]'))")
        values.append(json.dumps([tag]))  # as JSON, because a lone surrogate cannot be bound
    among = "value IN (SELECT value FROM json_each(?))"
    if request.any_tags:
        clauses.append(f"EXISTS (SELECT 1 FROM json_each(d.tags) WHERE {among})")
        values.append(json.dumps(request.any_tags))
    for name, wanted in request.facts:
        # A fact that is a list has several values; of one that is not, this is the one.
        clauses.append(f"EXISTS (SELECT 1 FROM json_each(d.metadata, ?) WHERE {among})")
        values += [f'$."{name}"', json.dumps(wanted)]
    for operator, moment in ((">=", request.since), ("<", request.until)):
        if moment is not None:
            clauses.append(f"(SELECT modified_at FROM items WHERE items.pk = d.pk) {operator} ?")
            values.append(moment)
    if request.viewer is not None:
        clauses.append(
            "(d.acl = 'none' OR d.public OR EXISTS (SELECT 1 FROM document_access a WHERE"
            " a.document_pk = d.pk AND (a.kind, a.subject) IN"
            " (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))))"
        )
        values.append(json.dumps(request.viewer.subjects))
    return " AND ".join(clauses), values


def _best_chunks(
    connection: Connection, expression: str, request: SearchRequest, wanted: int
) -> list[tuple[int, float]]:
    where, values = _conditions(request)

    def ranked(take: int) -> Sequence[Any]:
        return connection.exec_driver_sql(
            "SELECT f.rowid, -bm25(chunks_fts, 4.0, 1.0, 0.0) FROM chunks_fts f"
            " WHERE chunks_fts MATCH ? AND EXISTS"
            f" (SELECT 1 FROM documents d WHERE d.pk = f.rowid >> {CHUNK_BITS} AND {where})"
            " ORDER BY bm25(chunks_fts, 4.0, 1.0, 0.0), f.rowid LIMIT ?",
            (expression, *values, take),
        ).all()

    return best_chunks(ranked, wanted)
