"""The index: documents and their chunks, written and found through one small interface.

`index_for` returns the one that fits the database. A remote destination can stand in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct, field
from sqlalchemy import Connection, Engine

from catchment.core.documents import ParsedDocument


class Draft(Struct, frozen=True):
    """What a document becomes in the tables, but for its numbers and for the time.

    Attributes:
        document: The first columns of its row.
        chunks: A row for each chunk, with the chunk's place in the document where its number will be.
    """

    document: tuple[Any, ...]
    chunks: list[tuple[Any, ...]]


class IndexEntry(Struct):
    """A document to be written.

    Attributes:
        pk: The number of the item that it was made of.
        id: A new id; used only when the document is new.
        is_new: No document of this number was ever written.
        connector_pk: Whose it is.
        collection_pk: Where it is found.
        title: What is shown.
        path: Its words are searched with the title.
        author: Who wrote it.
        created_at: POSIX seconds.
        acl: ``none`` or ``source``.
        tags: Labels.
        metadata: Small facts.
        parsed: Text, chunks, notes and warnings; None once they are in the draft, which holds the text then.
        draft: What was worked out of all this, see `Index.draft`.
    """

    pk: int
    id: str
    is_new: bool
    connector_pk: int
    collection_pk: int
    title: str
    path: str
    author: str | None
    created_at: float | None
    acl: str
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    parsed: ParsedDocument | None
    draft: Draft | None = None


class Viewer(Struct, frozen=True):
    """Who searches: only documents that one of these may see are found.

    Attributes:
        subjects: Pairs of kind and subject (``("user", "ann@example.org")``).
    """

    subjects: tuple[tuple[str, str], ...] = ()


class SearchRequest(Struct, frozen=True):
    """What to look for, and where. Filters narrow before anything is ranked.

    Attributes:
        query: Words, "quoted phrases", and prefix* words.
        limit: Most hits, 1 to 100; one hit is one document.
        offset: Hits to leave out.
        connector_pks: Only documents of these connectors; None means of all.
        collection_pks: Only documents in these collections; None means in all.
        content_types: Only these media types; empty means all.
        authors: Only these authors; empty means all.
        tags: Documents must carry every one of these.
        any_tags: Documents must carry one of these at least; empty means all.
        facts: Names of small facts, and the values of which a document must have one.
        since: Changed at or after these POSIX seconds.
        until: Changed before these POSIX seconds.
        viewer: Who asks; None is the operator, who sees all.
    """

    query: str
    limit: int = 10
    offset: int = 0
    connector_pks: tuple[int, ...] | None = None
    collection_pks: tuple[int, ...] | None = None
    content_types: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    any_tags: tuple[str, ...] = ()
    facts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    since: float | None = None
    until: float | None = None
    viewer: Viewer | None = None


class Hit(Struct, frozen=True):
    """One document that was found, by its best chunk.

    Attributes:
        document_id: Id of the document.
        connector_pk: Whose it is.
        key: Key of its item.
        title: Its title.
        url: Where a person opens it.
        content_type: Its media type.
        author: Who wrote it.
        modified_at: POSIX seconds.
        heading_path: Headings above the chunk.
        snippet: The stretch of the chunk around what was found.
        highlights: Offsets in the snippet (start, end) of what was found.
        score: 0 to 1, greater is better; comparable within one search only.
        stale: A newer version exists and could not be read.
    """

    document_id: str
    connector_pk: int
    key: str
    title: str
    url: str | None
    content_type: str
    author: str | None
    modified_at: float | None
    heading_path: str
    snippet: str
    score: float
    stale: bool
    highlights: list[tuple[int, int]] = field(default_factory=list)


class Index(Protocol):
    """What a place for documents must be able to do."""

    def draft(self, entry: IndexEntry) -> Draft:
        """Work out what is to be written of a document, its numbers (`pk`, `id`, `is_new`) aside.

        It asks no database, so that whoever has time can do it ahead of the transaction. What is not drafted
        yet, `upsert` drafts. The text is taken out of the entry, and lies in the draft from then on.
        """

    def upsert(
        self,
        connection: Connection,
        entries: Sequence[IndexEntry],
        *,
        now: float,
        ready: Callable[[], None] | None = None,
    ) -> None:
        """Write documents, each with all its chunks in place of the old ones.

        Args:
            connection: In a transaction.
            entries: What to write.
            now: POSIX seconds.
            ready: Called when all is worked out and only the database has work left, which takes a while.
        """

    def remove(self, connection: Connection, pks: Sequence[int], *, now: float) -> int:
        """Take documents out of the index, leave a tombstone each, and return how many there were."""

    def rename(self, connection: Connection, pk: int, *, title: str, path: str) -> None:
        """Give a document another title and path; its text stays."""

    def set_permissions(
        self, connection: Connection, pk: int, entries: Sequence[tuple[str, str]], *, public: bool
    ) -> None:
        """Replace who may see a document."""

    def search(self, connection: Connection, request: SearchRequest) -> list[Hit]:
        """Return the best hits, best first."""

    def matches(self, connection: Connection, request: SearchRequest) -> list[int]:
        """Return the numbers of the best documents, best first: what `search` finds, from the first on."""

    def complete(self, engine: Engine) -> None:
        """Bring up what a first load left for its end; quick where nothing was left."""


def index_for(dialect: str) -> Index:
    """Return the index that lives in a database of this dialect."""
    if dialect == "postgresql":
        from catchment.store.postgres_index import PostgresIndex

        return PostgresIndex()
    if dialect != "sqlite":
        raise NotImplementedError(f"There is no index for {dialect}.")
    from catchment.store.sqlite_index import SqliteIndex

    return SqliteIndex()
