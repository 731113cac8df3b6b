"""What a document becomes in the tables, whatever index lies over them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from catchment.store import bulk
from catchment.store.index import IndexEntry
from catchment.store.tables import MAX_CHUNKS, documents
from catchment.store.words import path_words, spaced

LAST = MAX_CHUNKS - 1
_COLUMNS = (
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
_NEW_COLUMNS = (*_COLUMNS, "id", "connector_pk", "collection_pk", "pk")
_CODE_TYPES = ("text/x-", "application/x-code", "application/javascript", "application/x-sh")


def is_code(content_type: str) -> bool:
    """Whether the parts of identifiers are words, too."""
    return content_type.startswith(_CODE_TYPES)


def search_title(title: str, path: str) -> str:
    """Return the words that a document is found by besides its text."""
    words = path_words(path)
    return f"{spaced(title)} {words}" if words else spaced(title)


def document_rows(entries: Sequence[IndexEntry], now: float) -> list[tuple[Any, ...]]:
    """Return the values of `_COLUMNS` for each document."""
    return [_document_row(entry, now) for entry in entries]


def write_documents(
    connection: Connection, entries: Sequence[IndexEntry], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Write documents, without their chunks; the rows are those of `document_rows`."""
    pairs = list(zip(entries, rows, strict=True))
    bulk.insert_rows(
        connection,
        documents,
        _NEW_COLUMNS,
        [
            (*row, entry.id, entry.connector_pk, entry.collection_pk, entry.pk)
            for entry, row in pairs
            if entry.is_new
        ],
    )
    bulk.update_rows(
        connection, documents, _COLUMNS, [(*row, entry.pk) for entry, row in pairs if not entry.is_new]
    )


def _document_row(entry: IndexEntry, now: float) -> tuple[Any, ...]:
    """Return the values of `_COLUMNS`."""
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


def chunk_bodies(entry: IndexEntry) -> Iterator[tuple[int, int, str, str]]:
    """Yield ordinal, start, heading path and text of each chunk; one empty chunk where there is none.

    A document without text is still found by its title.
    """
    text = entry.parsed.text
    if not entry.parsed.chunks:
        yield 0, 0, "", ""
        return
    for ordinal, (start, end, heading_path) in enumerate(entry.parsed.chunks[:MAX_CHUNKS]):
        yield ordinal, start, heading_path, text[start:end]


def stretches(pks: Sequence[int]) -> list[tuple[int, int]]:
    """Join consecutive numbers, which ascend, into (first, last)."""
    result: list[tuple[int, int]] = []
    for pk in pks:
        if result and result[-1][1] + 1 == pk:
            result[-1] = (result[-1][0], pk)
        else:
            result.append((pk, pk))
    return result
