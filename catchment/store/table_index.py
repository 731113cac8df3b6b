"""What the indexes of both databases do alike: documents and permissions in tables, hits out of chunks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from catchment.core.documents import ParsedDocument
from catchment.core.subjects import normal
from catchment.store import bulk
from catchment.store.entries import document_of
from catchment.store.hits import hit_of
from catchment.store.index import Draft, Hit, IndexEntry, SearchRequest
from catchment.store.tables import CHUNK_BITS, document_access, documents
from catchment.store.words import QueryPart, query_parts


class TableIndex(ABC):
    """Half of `catchment.store.index.Index`; how words are kept and found is the database's own."""

    def draft(self, entry: IndexEntry) -> Draft:
        """Work out the rows of a document, and put them in place of its text."""
        if entry.draft is None:
            assert entry.parsed is not None
            document = document_of(entry, entry.parsed)
            entry.draft = Draft(document, self._chunks(entry, entry.parsed, document[1]))
            entry.parsed = None
        return entry.draft

    def remove(self, connection: Connection, pks: Sequence[int], *, now: float) -> int:
        """Take documents out and leave tombstones; returns how many were visible before."""
        removed = self._visible(connection, pks)
        self._drop_chunks(connection, removed)
        rows = [(now, 0, False, pk) for pk in removed]
        bulk.update_rows(connection, documents, ("deleted_at", "chunks", "stale"), rows)
        return len(removed)

    def set_permissions(
        self, connection: Connection, pk: int, entries: Sequence[tuple[str, str]], *, public: bool
    ) -> None:
        """Replace who may see a document."""
        connection.execute(document_access.delete().where(document_access.c.document_pk == pk))
        bulk.insert_rows(
            connection,
            document_access,
            ("document_pk", "kind", "subject"),
            [(pk, *subject) for subject in dict.fromkeys(normal(*entry) for entry in entries)],
        )
        bulk.update_rows(connection, documents, ("public",), [(public, pk)])

    def search(self, connection: Connection, request: SearchRequest) -> list[Hit]:
        """Return the best hits: chunks with all words, or with any where none has all."""
        parts = query_parts(request.query)
        wanted = request.offset + request.limit
        best = dict(self._best(connection, parts, request, wanted)[request.offset : wanted])
        rows = self._hit_rows(connection, list(best)) if best else ()
        hits = {row[0]: hit_of(row, best[row[0]], parts) for row in rows}
        return [hits[chunk_id] for chunk_id in best if chunk_id in hits]

    def matches(self, connection: Connection, request: SearchRequest) -> list[int]:
        """Return the numbers of the best documents, best first."""
        best = self._best(connection, query_parts(request.query), request, request.limit)
        return [chunk_id >> CHUNK_BITS for chunk_id, _ in best]

    @abstractmethod
    def _chunks(self, entry: IndexEntry, parsed: ParsedDocument, searched: str) -> list[tuple[Any, ...]]:
        """Return the row of each chunk, its place first; `searched` is the title as it is searched."""

    @abstractmethod
    def _visible(self, connection: Connection, pks: Sequence[int]) -> list[int]:
        """Return which of these documents can be found, ascending."""

    @abstractmethod
    def _drop_chunks(self, connection: Connection, pks: Sequence[int]) -> None:
        """Take the chunks of documents out; their numbers ascend."""

    @abstractmethod
    def _best(
        self, connection: Connection, parts: Sequence[QueryPart], request: SearchRequest, wanted: int
    ) -> list[tuple[int, float]]:
        """Return the best chunk, with its strength, of each of the best documents.

        Of those with all words or, where there are none, of those with any.
        """

    @abstractmethod
    def _hit_rows(self, connection: Connection, chunk_ids: Sequence[int]) -> Sequence[Any]:
        """Return the rows of `catchment.store.hits.HITS` for these chunks, in any order."""
