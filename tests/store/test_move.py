"""Moving a store from SQLite to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from catchment.core.errors import UsageError
from catchment.store import connectors, meta, move, runs
from catchment.store.engine import open_engine, reading, writing
from catchment.store.migrate import current_revision, migrate
from catchment.store.move import MoveFailed
from catchment.store.postgres_index import NAME
from catchment.store.tables import chunks, documents, items, metadata
from catchment.store.tables import meta as facts
from tests.support.library import Library, add_connector, check_index


@pytest.fixture
def filled(sqlite: Engine) -> Library:
    """A store with a bit of everything."""
    library = Library(sqlite)
    library.add("The relief gate", title="Gates", tags=("wet",), metadata={"pages": "3"}, author="Ann")
    library.add("混凝土大坝的安全监测", path="notes/混凝土.txt", chunks=4)
    library.add("def getUserName(): pass", content_type="text/x-python")
    library.remove(library.add("gone"))
    secret = library.add("secret gauge", acl="source")
    library.allow(secret, [("user", "ann")])
    with writing(sqlite) as connection:
        connectors.change(connection, library.connector_pk, cursor_revision=7, cursor_hash="h", lease=3)
        connection.execute(update(items).values(content_hash=b"\x00\xff", size=2**40))
    return library


def rows(engine: Engine) -> dict[str, list[Any]]:
    """Every row of every table, without what each database has of its own."""
    with reading(engine) as connection:
        found = {
            table.name: [
                {name: value for name, value in row._mapping.items() if name != "search_text"}
                for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
        }
    found["meta"] = [row for row in found["meta"] if row["key"] != meta.ITEM_PK]
    return found


class TestMove:
    def test_carries_every_row_as_it_is(self, filled: Library, postgres: Engine) -> None:
        """Ids, numbers, hashes, tombstones, access lists and the cursor's revision are the same."""
        told: dict[str, int] = {}
        moved = move.move(filled.engine, postgres, on_table=lambda table, count: told.update({table: count}))
        assert rows(postgres) == rows(filled.engine)
        assert moved.rows == told
        assert moved.rows["documents"] == 5
        with reading(postgres) as connection:
            assert meta.store_id(connection) == moved.store_id

    def test_makes_the_index_anew(self, filled: Library, postgres: Engine) -> None:
        """Every search finds what it found before."""
        move.move(filled.engine, postgres)
        check_index(postgres)
        there = Library.__new__(Library)
        there.__dict__.update(filled.__dict__, engine=postgres, index=move.index_for("postgresql"))
        for query in ("relief gate", "安全", "user name", "gone", "gauge", "混凝土", "gates"):
            assert there.found(query) == filled.found(query), query
        with reading(postgres) as connection:
            assert connection.exec_driver_sql("SELECT to_regclass(%s)", (NAME,)).scalar_one() is not None

    def test_lets_numbers_go_on(self, filled: Library, postgres: Engine) -> None:
        """New items, connectors and scopes do not meet old ones."""
        move.move(filled.engine, postgres)
        with reading(filled.engine) as connection:
            last = meta.last_pk(connection)
        with writing(postgres) as connection:
            assert meta.allocate_pks(connection, 1) == last + 1
        assert add_connector(postgres, "another") > filled.connector_pk

    def test_replaces_what_only_sqlite_takes(self, filled: Library, postgres: Engine) -> None:
        """A NUL that an older version let in does not hold the move up."""
        with writing(filled.engine) as connection:
            connection.execute(update(documents).values(title="a\0b", metadata={"x\0": "\ud800"}))
            connection.execute(update(chunks).values(heading_path="a\0b"))
        move.move(filled.engine, postgres)
        with reading(postgres) as connection:
            assert set(connection.execute(select(documents.c.title)).scalars()) == {"a\ufffdb"}

    def test_refuses_a_target_that_is_in_use(self, filled: Library, postgres: Engine) -> None:
        """Nothing is mixed, and nothing of the target is lost."""
        migrate(postgres)
        add_connector(postgres, "mine")
        before = rows(postgres)
        with pytest.raises(UsageError, match="a store in the target already"):
            move.move(filled.engine, postgres)
        assert rows(postgres) == before

    def test_refuses_while_a_run_is_under_way(self, filled: Library, postgres: Engine) -> None:
        """What the run writes afterwards would be missing."""
        with writing(filled.engine) as connection:
            runs.add(
                connection, id="r" * 32, connector_pk=filled.connector_pk, kind="sync", mode="auto",
                trigger="manual", state="RUNNING", filter=[], details={}, created_at=0.0,
            )  # fmt: skip
        with pytest.raises(UsageError, match="rrrr is under way"):
            move.move(filled.engine, postgres)

    def test_refuses_a_target_of_another_kind(self, filled: Library, tmp_path: Path) -> None:
        """The way back is a copy of the old file, or a new sync."""
        other = open_engine(f"sqlite:///{tmp_path / 'other.db'}")
        with pytest.raises(UsageError, match="to PostgreSQL only"):
            move.move(filled.engine, other)
        other.dispose()

    def test_that_loses_a_row_keeps_nothing(
        self, filled: Library, postgres: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The two sides are counted before anything is kept; a second try starts afresh."""
        real = move._pages

        def leaky(source: Any, statement: Any) -> Iterator[Any]:
            for page in real(source, statement):
                yield page[1:] if "chunks" in str(statement) else page

        monkeypatch.setattr(move, "_pages", leaky)
        with pytest.raises(MoveFailed, match="rows of chunks"):
            move.move(filled.engine, postgres)
        with reading(postgres) as connection:
            assert connection.execute(select(documents.c.pk)).all() == []
            # What a new store has is still there.
            assert connection.execute(select(facts.c.key)).all() != []
        monkeypatch.undo()
        move.move(filled.engine, postgres)
        assert rows(postgres) == rows(filled.engine)

    def test_refuses_a_source_of_another_revision(self, filled: Library, postgres: Engine) -> None:
        """An old store is migrated where it is, first."""
        with writing(filled.engine) as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
        with pytest.raises(UsageError, match="revision 0000"):
            move.move(filled.engine, postgres)
        assert current_revision(postgres) is None
