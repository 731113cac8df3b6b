"""The adapter finds in the product's store what the product's own index has written."""

from __future__ import annotations

from pathlib import Path

from benchmarks.catchment_adapter import open_search
from catchment.core.documents import Chunk, ParsedDocument
from catchment.core.ids import new_short_id
from catchment.store.connectors import default_collection, default_tenant
from catchment.store.engine import open_engine, writing
from catchment.store.index import IndexEntry
from catchment.store.migrate import migrate
from catchment.store.sqlite_index import SqliteIndex
from catchment.store.tables import connectors, items

NOW = 1_700_000_000.0


def entry(pk: int, text: str) -> IndexEntry:
    parsed = ParsedDocument(text=text, content_type="text/plain", chunks=[Chunk(0, len(text), "")])
    return IndexEntry(
        pk=pk,
        id=new_short_id(),
        is_new=True,
        connector_pk=1,
        collection_pk=1,
        title="tok2222",
        path=f"{pk}.txt",
        author=None,
        created_at=None,
        acl="none",
        tags=(),
        metadata={},
        parsed=parsed,
    )


def store(home: Path) -> None:
    """Write two documents, the second of which is deleted."""
    engine = open_engine(f"sqlite:///{home / 'catchment.db'}")
    migrate(engine)
    with writing(engine) as db:
        tenant = default_tenant(db)
        collection = default_collection(db, tenant)
        db.execute(
            connectors.insert(),
            {
                "pk": 1,
                "id": "k",
                "tenant_id": tenant,
                "collection_pk": collection,
                "slug": "k",
                "name": "k",
                "provider": "folder",
                "config": {},
                "status": "ACTIVE",
                "created_at": NOW,
                "updated_at": NOW,
            },
        )
        for pk in (1, 2):
            row = {"pk": pk, "connector_pk": 1, "key": f"{pk}.txt", "path": f"{pk}.txt", "state": "indexed"}
            db.execute(items.insert(), {**row, "updated_at": NOW})
        SqliteIndex().upsert(db, [entry(1, "one tok1111"), entry(2, "two tok3333")], now=NOW)
        SqliteIndex().remove(db, [2], now=NOW)
    engine.dispose()


class TestOpenSearch:
    def test_a_word_of_the_text_finds_its_document_and_a_deleted_one_is_gone(self, tmp_path: Path) -> None:
        """Found by text and not by title, as the key that the folder gave."""
        store(tmp_path)
        with open_search(tmp_path) as search:
            assert search("tok1111") == ["1.txt"]
            assert search("tok2222") == []
            assert search("tok3333") == []
