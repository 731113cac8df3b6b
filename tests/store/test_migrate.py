"""Bringing a store to the newest schema."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, insert, inspect, select, text

from catchment.core.errors import UsageError
from catchment.store import connectors, meta
from catchment.store.engine import open_engine, reading, writing
from catchment.store.migrate import HEAD, _config, current_revision, migrate, require_current
from catchment.store.tables import metadata, spaces, tenants


def stamp(engine: Engine, revision: str) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def differences(engine: Engine) -> list[Any]:
    """What autogenerate would write, without the tables and words of the index, which no model declares."""

    def ours(found: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
        if kind == "column" and name == "words":
            return str(found.table.name) != "chunks"
        return not (kind == "table" and reflected and str(name).startswith("chunks_fts"))

    with reading(engine) as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": ours, "compare_type": True, "render_as_batch": True}
        )
        return list(compare_metadata(context, metadata))


class TestANewStore:
    def test_has_an_identity_a_tenant_a_space_and_a_collection(self, store: Engine) -> None:
        """What every other process takes for granted is there after the first migration."""
        with reading(store) as connection:
            tenant = connectors.default_tenant(connection)
            assert len(meta.store_id(connection)) == 32
            assert meta.last_pk(connection) == 0
            assert connectors.default_collection(connection, tenant) == 1
            assert connection.execute(select(spaces.c.tenant_id)).scalars().all() == [tenant]

    def test_is_founded_once(self, store: Engine) -> None:
        """A second migration does nothing, and says nothing."""
        with reading(store) as connection:
            identity = meta.store_id(connection)
        assert migrate(store) == []
        with reading(store) as connection:
            assert meta.store_id(connection) == identity
            assert len(connection.execute(select(tenants.c.id)).all()) == 1

    def test_is_made_with_its_folder(self, tmp_path: Path) -> None:
        """A home that does not exist yet is no obstacle."""
        engine = open_engine(f"sqlite:///{tmp_path / 'deep' / 'home' / 'catchment.db'}")
        assert migrate(engine) == [f"The store is at revision {HEAD}."]
        engine.dispose()

    def test_asking_for_its_revision_makes_no_file(self, empty: Engine, tmp_path: Path) -> None:
        """Looking at a home leaves it as it was."""
        assert current_revision(empty) is None
        assert list(tmp_path.iterdir()) == []

    def test_that_fails_half_way_leaves_nothing(self, empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        """Tables and identity come in one transaction."""
        monkeypatch.setattr(connectors, "found_tenant", lambda *_args, **_kw: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            migrate(empty)
        assert current_revision(empty) is None
        assert inspect(empty).get_table_names() == []
        monkeypatch.undo()
        assert migrate(empty) == [f"The store is at revision {HEAD}."]


class TestTheMigrations:
    def test_end_at_the_revision_that_the_program_knows(self) -> None:
        """HEAD is written by hand and must follow the newest migration."""
        assert ScriptDirectory.from_config(_config()).get_current_head() == HEAD

    def test_make_the_tables_that_the_queries_expect(self, store: Engine) -> None:
        """Autogenerate finds nothing to add, on either engine."""
        assert differences(store) == []

    def test_would_not_miss_a_column(self, store: Engine) -> None:
        """The comparison above can fail."""
        with writing(store) as connection:
            connection.execute(text("ALTER TABLE spaces ADD COLUMN colour TEXT"))
        assert [found[0] for found in differences(store)] == ["remove_column"]

    def test_keep_the_words_of_the_partial_indexes(self, store: Engine) -> None:
        """What autogenerate does not compare: the conditions that make the claim's indexes partial."""
        with reading(store) as connection:
            catalogue = {
                "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%'",
                "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '%WHERE%'",
            }[store.dialect.name]
            made = {row[0] for row in connection.exec_driver_sql(catalogue.replace("%", "%%"))}
        declared = {
            index.name
            for table in metadata.tables.values()
            for index in table.indexes
            if index.dialect_options["sqlite"].get("where") is not None
        }
        assert made == declared


class TestAnOlderStore:
    def test_is_copied_before_it_is_changed(self, sqlite: Engine, tmp_path: Path) -> None:
        """The copy opens, holds what the store held, and is as private as the store."""
        database = tmp_path / "catchment.db"
        database.chmod(0o600)
        with reading(sqlite) as connection:
            identity = meta.store_id(connection)
        stamp(sqlite, "0000")
        with pytest.raises(Exception, match="0000"):  # no such migration: it fails after the copy
            migrate(sqlite)
        copy = tmp_path / f"catchment.db.before-{HEAD}-from-0000"
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        opened = sqlite3.connect(copy)
        assert opened.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchone() == (identity,)
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        opened.close()

    def test_is_copied_whole_while_somebody_reads_it(self, sqlite: Engine, tmp_path: Path) -> None:
        """A reader keeps the newest pages in the log; the copy has them all the same."""
        with reading(sqlite) as reader:
            meta.store_id(reader)
            with writing(sqlite) as connection:
                connection.execute(insert(tenants).values(id="late", name="Late", created_at=0))
            stamp(sqlite, "0000")
            with pytest.raises(Exception, match="0000"):
                migrate(sqlite)
        opened = sqlite3.connect(tmp_path / f"catchment.db.before-{HEAD}-from-0000")
        assert ("late",) in opened.execute("SELECT id FROM tenants").fetchall()
        opened.close()

    def test_stays_as_it_was_when_the_migration_fails(self, sqlite: Engine) -> None:
        """An error leaves the old revision, and the lock is free again."""
        stamp(sqlite, "0000")
        for _ in range(2):
            with pytest.raises(Exception, match="0000"):
                migrate(sqlite)
        assert current_revision(sqlite) == "0000"


class TestRequireCurrent:
    def test_says_that_there_is_no_store(self, empty: Engine) -> None:
        """An empty home names the command that makes a store."""
        with pytest.raises(UsageError, match=r"^There is no store yet\. Run: catchment migrate"):
            require_current(empty)

    def test_says_that_the_store_is_older(self, store: Engine) -> None:
        """An old store names the command that brings it forward."""
        stamp(store, "0000")
        with pytest.raises(UsageError, match=rf"revision 0000, this Catchment needs {HEAD}\. Run: catchment"):
            require_current(store)

    def test_says_that_the_store_is_newer(self, store: Engine) -> None:
        """A store from the future is not touched, by migrate neither."""
        stamp(store, "9999")
        for refuse in (require_current, migrate):
            with pytest.raises(UsageError, match=r"revision 9999, newer than .* Install the newer version"):
                refuse(store)
        assert current_revision(store) == "9999"

    def test_lets_a_current_store_pass(self, store: Engine) -> None:
        """Nothing is said about a store that is as it should be."""
        require_current(store)


_MIGRATE = """
import sys
from catchment.store.engine import open_engine
from catchment.store.migrate import migrate
print("ready", flush=True)
sys.stdin.readline()
print(migrate(open_engine(sys.argv[1])))
"""


@pytest.mark.parametrize("engine_name", ["empty", "postgres"])
def test_two_processes_that_migrate_at_once_found_one_store(
    engine_name: str, request: pytest.FixtureRequest
) -> None:
    """One lays the tables while the others wait, and those find them laid."""
    engine: Engine = request.getfixturevalue(engine_name)
    url = engine.url.render_as_string(hide_password=False)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _MIGRATE, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    said = []
    for process in processes:  # let go together: each needs its line before any is waited for
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        said.append(process.communicate()[0].strip())
        assert process.returncode == 0
    assert sorted(said) == [f"['The store is at revision {HEAD}.']", "[]", "[]"]
    with reading(engine) as connection:
        assert len(connection.execute(select(tenants.c.id)).all()) == 1
