"""A store filled by hand: documents with the text, title and place that a test pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from catchment.core.documents import Chunk, ParsedDocument
from catchment.core.ids import new_id, new_short_id
from catchment.core.runs import ConnectorStatus, ItemState
from catchment.store import connectors, meta
from catchment.store.engine import reading, writing
from catchment.store.index import Hit, IndexEntry, SearchRequest, index_for
from catchment.store.postgres_index import WORDS_SQL, words_of
from catchment.store.tables import collections, documents, items, spaces

NOW = 1_700_000_000.0


def add_connector(engine: Engine, slug: str = "docs", *, collection_pk: int | None = None) -> int:
    """Store a connector and return its number."""
    with writing(engine) as connection:
        tenant = connectors.default_tenant(connection)
        return connectors.add(
            connection,
            id=new_id(),
            tenant_id=tenant,
            collection_pk=collection_pk or connectors.default_collection(connection, tenant),
            slug=slug,
            name=slug,
            provider="folder",
            config={},
            status=ConnectorStatus.ACTIVE,
            created_at=NOW,
            updated_at=NOW,
        ).pk


def add_collection(engine: Engine, name: str) -> int:
    """Store a collection and return its number."""
    with writing(engine) as connection:
        space = connection.execute(select(spaces.c.id).limit(1)).scalar_one()
        values = {"id": new_id(), "space_id": space, "name": name, "created_at": NOW}
        row = connection.execute(insert(collections).values(**values).returning(collections.c.pk))
        return int(row.scalar_one())


def in_chunks(text: str, size: int) -> list[Chunk]:
    """Cut a text every `size` characters."""
    return [Chunk(start, min(start + size, len(text)), "") for start in range(0, len(text), size)]


def entry(pk: int, text: str, **facts: Any) -> IndexEntry:
    """Make an entry; `chunks` is a list of chunks or the characters of each, by default all in one."""
    chunks = facts.pop("chunks", None)
    if not isinstance(chunks, list):
        chunks = in_chunks(text, chunks or max(len(text), 1))
    parsed = ParsedDocument(
        text=text,
        content_type=facts.pop("content_type", "text/plain"),
        chunks=chunks,
        notes=facts.pop("notes", []),
        warnings=facts.pop("warnings", []),
    )
    values: dict[str, Any] = {
        "pk": pk,
        "id": new_short_id(),
        "is_new": True,
        "connector_pk": 1,
        "collection_pk": 1,
        "title": f"Document {pk}",
        "path": f"{pk}.txt",
        "author": None,
        "created_at": None,
        "acl": "none",
        "tags": (),
        "metadata": {},
        "parsed": parsed,
    }
    return IndexEntry(**(values | facts))


class Library:
    """One connector with documents, written and searched through the index."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.index = index_for(engine.dialect.name)
        self.connector_pk = add_connector(engine)
        with reading(engine) as connection:
            self.collection_pk = connectors.by_pk(connection, self.connector_pk).collection_pk

    def add(self, text: str, *, modified_at: float | None = None, ahead: bool = False, **facts: Any) -> int:
        """Write one new document and return its number; its rows may be worked out ahead, without it."""
        with writing(self.engine) as connection:
            pk = meta.allocate_pks(connection, 1)
            home = {"connector_pk": self.connector_pk, "collection_pk": self.collection_pk}
            made = entry(0 if ahead else pk, text, **(home | {"title": f"Document {pk}"} | facts))
            if ahead:
                self.index.draft(made)
                made.pk = pk
            self.add_item(connection, made, modified_at=modified_at)
            self.index.upsert(connection, [made], now=NOW)
        return pk

    @staticmethod
    def add_item(connection: Connection, made: IndexEntry, *, modified_at: float | None = None) -> None:
        """Write the ledger's row that a document stands on."""
        connection.execute(
            insert(items).values(
                pk=made.pk,
                connector_pk=made.connector_pk,
                key=f"key-{made.pk}",
                path=made.path,
                state=ItemState.INDEXED,
                modified_at=modified_at,
                url=f"https://example.org/{made.pk}",
                updated_at=NOW,
            )
        )

    def rewrite(self, pk: int, text: str, **facts: Any) -> None:
        """Write a known document again."""
        home = {"connector_pk": self.connector_pk, "collection_pk": self.collection_pk}
        with writing(self.engine) as connection:
            self.index.upsert(connection, [entry(pk, text, is_new=False, **(home | facts))], now=NOW + 1)

    def remove(self, *pks: int) -> int:
        """Take documents out."""
        with writing(self.engine) as connection:
            return self.index.remove(connection, pks, now=NOW + 2)

    def allow(self, pk: int, entries: Sequence[tuple[str, str]] = (), *, public: bool = False) -> None:
        """Replace who may see a document."""
        with writing(self.engine) as connection:
            self.index.set_permissions(connection, pk, entries, public=public)

    def search(self, query: str, **filters: Any) -> list[Hit]:
        """Search as the index does."""
        with reading(self.engine) as connection:
            return self.index.search(connection, SearchRequest(query, **filters))

    def found(self, query: str, **filters: Any) -> list[int]:
        """Return the numbers of the documents that are found, best first."""
        return [int(hit.key.removeprefix("key-")) for hit in self.search(query, **filters)]

    def row(self, pk: int) -> Any:
        """Return the row of a document."""
        with reading(self.engine) as connection:
            return connection.execute(select(documents).where(documents.c.pk == pk)).one()


def check_index(engine: Engine) -> None:
    """Compare the words of the index with what the tables say, and look for chunks that belong to nothing."""
    if engine.dialect.name == "sqlite":
        with writing(engine) as connection:
            # With rank 1 the words are compared with the content table, not only among themselves.
            connection.exec_driver_sql(
                "INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('integrity-check', 1)"
            )
    with reading(engine) as connection:
        if engine.dialect.name == "sqlite":
            strays = connection.exec_driver_sql(
                "SELECT id FROM chunks_fts_docsize EXCEPT SELECT id FROM chunks"
                " UNION SELECT id FROM chunks EXCEPT SELECT id FROM chunks_fts_docsize"
            ).all()
            assert strays == []
        else:
            for row in connection.exec_driver_sql(WORDS_SQL).all():
                kept = "SELECT words = %s::tsvector FROM chunks WHERE id = %s"
                right = connection.exec_driver_sql(kept, (words_of(row), row[0])).scalar_one()
                assert right, f"checksum mismatch of chunk {row[0]}"
        orphans = connection.exec_driver_sql(
            "SELECT id FROM chunks WHERE id >> 20 NOT IN (SELECT pk FROM documents WHERE deleted_at IS NULL)"
        ).all()
    assert orphans == []
