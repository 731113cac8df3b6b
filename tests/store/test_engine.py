"""How transactions begin, wait and end."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from catchment.core.errors import DiskFull
from catchment.store import meta
from catchment.store.engine import db_now, open_engine, reading, writing
from catchment.store.tables import connectors


def put(engine: Engine, key: str, value: str = "x") -> None:
    with writing(engine) as connection:
        meta.put(connection, key, value)


def get(engine: Engine, key: str) -> str | None:
    with reading(engine) as connection:
        return meta.get(connection, key)


class TestWriting:
    def test_takes_its_turn_at_the_beginning(self, sqlite: Engine) -> None:
        """A second writer waits before its first statement, so that what it read cannot grow old."""
        order: list[str] = []
        begun, waiting = threading.Event(), threading.Event()

        def second() -> None:
            begun.wait()
            waiting.set()
            with writing(sqlite) as connection:
                order.append(f"second saw {meta.get(connection, 'turn')}")

        thread = threading.Thread(target=second)
        thread.start()
        with writing(sqlite) as connection:
            begun.set()
            waiting.wait()
            time.sleep(0.2)  # long enough for the other to be refused, were it not waiting
            meta.put(connection, "turn", "first")
            order.append("first wrote")
        thread.join()
        assert order == ["first wrote", "second saw first"]

    def test_by_many_threads_that_read_before_they_write_loses_nothing(self, sqlite: Engine) -> None:
        """Read, add one, write: no update is lost and none is refused."""
        put(sqlite, "count", "0")
        refused: list[BaseException] = []

        def add() -> None:
            try:
                for _ in range(25):
                    with writing(sqlite) as connection:
                        meta.put(connection, "count", str(int(meta.get(connection, "count") or 0) + 1))
            except BaseException as error:
                refused.append(error)

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert refused == []
        assert get(sqlite, "count") == "100"

    def test_that_fails_leaves_nothing(self, store: Engine) -> None:
        """An error inside takes everything back and is let through as it is."""
        with pytest.raises(ZeroDivisionError), writing(store) as connection:
            meta.put(connection, "half", "done")
            raise ZeroDivisionError
        assert get(store, "half") is None
        put(store, "half", "whole")
        assert get(store, "half") == "whole"

    def test_refuses_what_belongs_to_nothing(self, store: Engine) -> None:
        """Foreign keys hold on both engines."""
        with pytest.raises(IntegrityError), writing(store) as connection:
            connection.execute(
                insert(connectors).values(
                    id="a", tenant_id="nobody", collection_pk=999, slug="s", name="n", provider="p",
                    config={}, status="ACTIVE", created_at=0, updated_at=0,
                )
            )  # fmt: skip

    def test_on_a_full_disk_says_so_and_keeps_what_was(self, sqlite: Engine) -> None:
        """SQLite's own limit stands for the disk: the sentence is ours, and the store stays good."""
        put(sqlite, "before", "kept")
        with pytest.raises(DiskFull, match="no room left") as caught, writing(sqlite) as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
            meta.put(connection, "large", "x" * 1_000_000)
        assert "Free some space" in caught.value.remedy
        assert isinstance(caught.value.__cause__, OperationalError)
        assert get(sqlite, "before") == "kept"
        assert get(sqlite, "large") is None
        sqlite.dispose()  # the limit belonged to the connection
        put(sqlite, "large", "x" * 1_000_000)
        with reading(sqlite) as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"

    def test_lets_other_errors_of_the_database_through(self, store: Engine) -> None:
        """Not every refusal is a full disk."""
        with pytest.raises(Exception, match="no_such_table") as caught, writing(store) as connection:
            connection.execute(text("SELECT * FROM no_such_table"))
        assert not isinstance(caught.value, DiskFull)


class TestReading:
    def test_never_waits_for_a_writer_and_sees_one_moment(self, sqlite: Engine) -> None:
        """While a transaction is open, and after it, a reader sees what was there at its beginning."""
        put(sqlite, "value", "old")
        with reading(sqlite) as reader:
            assert meta.get(reader, "value") == "old"
            with writing(sqlite) as connection:
                meta.put(connection, "value", "new")
                assert get(sqlite, "value") == "old"  # another reader, in the midst of it
            assert meta.get(reader, "value") == "old"
        assert get(sqlite, "value") == "new"

    def test_after_a_writer_on_the_same_connection_begins_as_a_reader(self, sqlite: Engine) -> None:
        """A connection that wrote goes back to the pool without the wish to write again."""
        put(sqlite, "value", "old")
        with writing(sqlite), reading(sqlite) as reader:
            assert meta.get(reader, "value") == "old"


class TestTheDatabase:
    def test_keeps_the_time_of_this_world(self, store: Engine) -> None:
        """db_now is POSIX seconds, UTC, finer than a second."""
        with reading(store) as connection:
            values = [float(connection.execute(select(db_now())).scalar_one()) for _ in range(3)]
        assert abs(values[0] - time.time()) < 60
        assert values == sorted(values)
        assert any(value % 1 for value in values)

    def test_goes_on_within_a_transaction(self, store: Engine) -> None:
        """A lease is measured by the moment of the statement, not of the transaction's beginning."""
        with writing(store) as connection:
            first = connection.execute(select(db_now())).scalar_one()
            time.sleep(0.05)
            assert connection.execute(select(db_now())).scalar_one() > first

    def test_is_opened_with_the_settings_that_promises_rest_on(self, sqlite: Engine) -> None:
        """Each connection, not only the first, has them."""
        wanted = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 60_000}
        with reading(sqlite) as one, reading(sqlite) as two:
            for connection in (one, two):
                for name, value in wanted.items():
                    assert connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() == value

    def test_takes_a_plain_address_of_postgresql_for_the_driver_that_is_installed(self) -> None:
        """postgresql:// means psycopg 3; nothing is connected by opening."""
        engine = open_engine("postgresql://someone@localhost/nowhere")
        assert engine.dialect.driver == "psycopg"
