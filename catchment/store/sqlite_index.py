"""The index in SQLite: FTS5 over the chunks, without a second copy of the text.

The FTS table reads its content through the view `chunk_search`. So what is to be taken out must be
told to it while the view still shows it, and rows go in by one statement per stretch of numbers,
ascending, which keeps the interpreter's lock free and FTS's own buffer whole.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from catchment.store import bulk
from catchment.store.index import Hit, IndexEntry, SearchRequest
from catchment.store.snippets import snippet
from catchment.store.tables import CHUNK_BITS, MAX_CHUNKS, chunks, document_access, documents
from catchment.store.words import QueryPart, path_words, query_parts, searchable, spaced

LAST = MAX_CHUNKS - 1
_DOCUMENT_COLUMNS = (
    "title",
    "search_title",
    "content_type",
    "author",
    "created_at",
    "acl",
    "stale",
    "characters",
    "chunks",
    "tags",
    "notes",
    "metadata",
    "indexed_at",
    "deleted_at",
)
_NEW_COLUMNS = (*_DOCUMENT_COLUMNS, "id", "connector_pk", "collection_pk", "pk")
_CHUNK_COLUMNS = ("id", "start", "heading_path", "text", "search_text")

_FTS_IN = (
    "INSERT INTO chunks_fts (rowid, title, body, place)"
    " SELECT id, title, body, place FROM chunk_search WHERE id BETWEEN ? AND ?"
)
_FTS_OUT = (
    "INSERT INTO chunks_fts (chunks_fts, rowid, title, body, place)"
    " SELECT 'delete', id, title, body, place FROM chunk_search WHERE id BETWEEN ? AND ?"
)
_CODE_TYPES = ("text/x-", "application/x-code", "application/javascript", "application/x-sh")


class SqliteIndex:
    """See `catchment.store.index.Index`."""

    def upsert(self, connection: Connection, entries: Sequence[IndexEntry], *, now: float) -> None:
        """Write documents in the order of their numbers, each with all its chunks."""
        ordered = sorted(entries, key=lambda entry: entry.pk)
        old = [entry.pk for entry in ordered if not entry.is_new]
        self._drop_chunks(connection, old)
        rows = [_document_row(entry, now) for entry in ordered]
        bulk.insert_rows(
            connection,
            documents,
            _NEW_COLUMNS,
            [
                (*row, entry.id, entry.connector_pk, entry.collection_pk, entry.pk)
                for row, entry in zip(rows, ordered, strict=True)
                if entry.is_new
            ],
        )
        bulk.update_rows(
            connection,
            documents,
            _DOCUMENT_COLUMNS,
            [(*row, entry.pk) for row, entry in zip(rows, ordered, strict=True) if not entry.is_new],
        )
        chunk_rows: list[tuple[Any, ...]] = []
        for entry in ordered:
            _add_chunk_rows(entry, chunk_rows)
        bulk.insert_rows(connection, chunks, _CHUNK_COLUMNS, chunk_rows)
        for first, last in _stretches([entry.pk for entry in ordered]):
            connection.exec_driver_sql(_FTS_IN, (first << CHUNK_BITS, last << CHUNK_BITS | LAST))

    def remove(self, connection: Connection, pks: Sequence[int], *, now: float) -> int:
        """Take documents out and leave tombstones; returns how many were visible before."""
        removed = [
            row[0]
            for row in connection.exec_driver_sql(
                "SELECT pk FROM documents WHERE deleted_at IS NULL"
                " AND pk IN (SELECT value FROM json_each(?)) ORDER BY pk",
                (json.dumps(list(pks)),),
            )
        ]
        self._drop_chunks(connection, removed)
        bulk.update_rows(
            connection,
            documents,
            ("deleted_at", "chunks", "stale"),
            [(now, 0, False, pk) for pk in removed],
        )
        return len(removed)

    def rename(self, connection: Connection, pk: int, *, title: str, path: str) -> None:
        """Give a document another title and path; only its first chunk is indexed again."""
        first = pk << CHUNK_BITS
        connection.exec_driver_sql(_FTS_OUT, (first, first))
        bulk.update_rows(
            connection, documents, ("title", "search_title"), [(title, search_title(title, path), pk)]
        )
        connection.exec_driver_sql(_FTS_IN, (first, first))

    def set_permissions(
        self, connection: Connection, pk: int, entries: Sequence[tuple[str, str]], *, public: bool
    ) -> None:
        """Replace who may see a document."""
        connection.execute(document_access.delete().where(document_access.c.document_pk == pk))
        bulk.insert_rows(
            connection,
            document_access,
            ("document_pk", "kind", "subject"),
            [(pk, kind, subject) for kind, subject in dict.fromkeys(entries)],
        )
        bulk.update_rows(connection, documents, ("public",), [(public, pk)])

    def search(self, connection: Connection, request: SearchRequest) -> list[Hit]:
        """Return the best hits: chunks with all words, or with any where none has all."""
        parts = query_parts(request.query)
        if not parts:
            return []
        wanted = request.offset + request.limit
        for operator in (" AND ", " OR ") if len(parts) > 1 else (" AND ",):
            best = _best_chunks(connection, _match(parts, operator, request), request, wanted)
            if best:
                return _hits(connection, best[request.offset : wanted], parts)
        return []

    def _drop_chunks(self, connection: Connection, pks: Sequence[int]) -> None:
        """Take the chunks of documents out, in ascending order, for FTS before the table."""
        stretches = [(first << CHUNK_BITS, last << CHUNK_BITS | LAST) for first, last in _stretches(pks)]
        for stretch in stretches:
            connection.exec_driver_sql(_FTS_OUT, stretch)
        for stretch in stretches:
            connection.exec_driver_sql("DELETE FROM chunks WHERE id BETWEEN ? AND ?", stretch)


def search_title(title: str, path: str) -> str:
    """Return the words that a document is found by besides its text."""
    words = path_words(path)
    return f"{spaced(title)} {words}" if words else spaced(title)


def _document_row(entry: IndexEntry, now: float) -> tuple[Any, ...]:
    parsed = entry.parsed
    return (
        entry.title,
        search_title(entry.title, entry.path),
        parsed.content_type,
        entry.author,
        entry.created_at,
        entry.acl,
        False,
        len(parsed.text),
        len(parsed.chunks),
        json.dumps(entry.tags) if entry.tags else "[]",
        json.dumps([*parsed.notes, *parsed.warnings]) if parsed.notes or parsed.warnings else "[]",
        json.dumps({**entry.metadata, **parsed.metadata}) if entry.metadata or parsed.metadata else "{}",
        now,
        None,
    )


def _add_chunk_rows(entry: IndexEntry, rows: list[tuple[Any, ...]]) -> None:
    base = entry.pk << CHUNK_BITS
    text = entry.parsed.text
    code = entry.parsed.content_type.startswith(_CODE_TYPES)
    if not entry.parsed.chunks:
        # A document without text is still found by its title.
        rows.append((base, 0, "", "", None))
        return
    plain = not code and text.isascii()
    for ordinal, (start, end, heading_path) in enumerate(entry.parsed.chunks[:MAX_CHUNKS]):
        body = text[start:end]
        rows.append(
            (base + ordinal, start, heading_path, body, None if plain else searchable(body, code=code))
        )


def _stretches(pks: Sequence[int]) -> list[tuple[int, int]]:
    """Join consecutive numbers, which ascend, into (first, last)."""
    result: list[tuple[int, int]] = []
    for pk in pks:
        if result and result[-1][1] + 1 == pk:
            result[-1] = (result[-1][0], pk)
        else:
            result.append((pk, pk))
    return result


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
    """Return the best chunk of each of the `wanted` best documents, with its rank.

    A few long documents may fill the first page with their own chunks, so more are read until
    there are enough documents.
    """
    where, values = _conditions(request)
    take = wanted * 4
    while True:
        rows = connection.exec_driver_sql(
            "SELECT f.rowid, bm25(chunks_fts, 4.0, 1.0, 0.0) AS rank FROM chunks_fts f"
            " WHERE chunks_fts MATCH ? AND EXISTS"
            f" (SELECT 1 FROM documents d WHERE d.pk = f.rowid >> {CHUNK_BITS} AND {where})"
            " ORDER BY bm25(chunks_fts, 4.0, 1.0, 0.0), f.rowid LIMIT ?",
            (expression, *values, take),
        ).all()
        best: dict[int, tuple[int, float]] = {}
        for rowid, rank in rows:
            best.setdefault(rowid >> CHUNK_BITS, (rowid, rank))
        if len(best) >= wanted or len(rows) < take:
            return list(best.values())[:wanted]
        take *= 4


def _hits(connection: Connection, best: Sequence[tuple[int, float]], parts: Sequence[QueryPart]) -> list[Hit]:
    if not best:
        return []
    ranks = dict(best)
    rows = connection.exec_driver_sql(
        "SELECT c.id, c.heading_path, c.text, d.id, d.connector_pk, i.key, d.title, i.url,"
        " d.content_type, d.author, i.modified_at, d.stale FROM chunks c"
        f" JOIN documents d ON d.pk = c.id >> {CHUNK_BITS} JOIN items i ON i.pk = d.pk"
        " WHERE c.id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ranks)),),
    )
    hits = {row[0]: _hit(row, ranks[row[0]], parts) for row in rows}
    return [hits[chunk_id] for chunk_id, _ in best if chunk_id in hits]


def _hit(row: Any, rank: float, parts: Sequence[QueryPart]) -> Hit:
    shown, highlights = snippet(row[2] or row[6], parts)
    strength = max(-rank, 0.0)
    return Hit(
        document_id=row[3],
        connector_pk=row[4],
        key=row[5],
        title=row[6],
        url=row[7],
        content_type=row[8],
        author=row[9],
        modified_at=row[10],
        heading_path=row[1],
        snippet=shown,
        score=round(strength / (1.0 + strength), 6),
        stale=bool(row[11]),
        highlights=highlights,
    )
