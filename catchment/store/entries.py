"""What a document becomes in the tables, whatever index lies over them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from catchment.core.documents import ParsedDocument
from catchment.store import bulk
from catchment.store.index import Draft, IndexEntry
from catchment.store.tables import CHUNK_BITS, MAX_CHUNKS, documents
from catchment.store.words import path_words, spaced

LAST = MAX_CHUNKS - 1
_DRAFTED = (
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
)
_COLUMNS = (*_DRAFTED, "indexed_at", "deleted_at")
_NEW_COLUMNS = (*_COLUMNS, "id", "connector_pk", "collection_pk", "pk")
_CODE_TYPES = ("text/x-", "application/x-code", "application/javascript", "application/x-sh")


def is_code(content_type: str) -> bool:
    """Whether the parts of identifiers are words, too."""
    return content_type.startswith(_CODE_TYPES)


def search_title(title: str, path: str) -> str:
    """Return the words that a document is found by besides its text."""
    words = path_words(path)
    return f"{spaced(title)} {words}" if words else spaced(title)


def document_of(entry: IndexEntry, parsed: ParsedDocument) -> tuple[Any, ...]:
    """Return the values of `_DRAFTED`."""
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
    )


def chunk_bodies(parsed: ParsedDocument) -> Iterator[tuple[int, int, str, str]]:
    """Yield ordinal, start, heading path and text of each chunk; one empty chunk where there is none.

    A document without text is still found by its title.
    """
    text = parsed.text
    if not parsed.chunks:
        yield 0, 0, "", ""
        return
    for ordinal, (start, end, heading_path) in enumerate(parsed.chunks[:MAX_CHUNKS]):
        yield ordinal, start, heading_path, text[start:end]


def chunk_rows(entries: Sequence[tuple[IndexEntry, Draft]]) -> list[tuple[Any, ...]]:
    """Return the rows of all chunks, numbered."""
    return [
        (entry.pk << CHUNK_BITS | ordinal, start, heading_path, text, searched)
        for entry, draft in entries
        for ordinal, start, heading_path, text, searched in draft.chunks
    ]


def write_documents(
    connection: Connection, entries: Sequence[tuple[IndexEntry, tuple[Any, ...]]], now: float
) -> None:
    """Write documents, without their chunks, from entries and the values of `document_of`."""
    bulk.insert_rows(
        connection,
        documents,
        _NEW_COLUMNS,
        [
            (*drafted, now, None, entry.id, entry.connector_pk, entry.collection_pk, entry.pk)
            for entry, drafted in entries
            if entry.is_new
        ],
    )
    bulk.update_rows(
        connection,
        documents,
        _COLUMNS,
        [(*drafted, now, None, entry.pk) for entry, drafted in entries if not entry.is_new],
    )


def stretches(pks: Sequence[int]) -> list[tuple[int, int]]:
    """Join consecutive numbers, which ascend, into (first, last)."""
    result: list[tuple[int, int]] = []
    for pk in pks:
        if result and result[-1][1] + 1 == pk:
            result[-1] = (result[-1][0], pk)
        else:
            result.append((pk, pk))
    return result
