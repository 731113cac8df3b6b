"""How transactions begin, wait and end."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import Connection, Engine, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from catchment.core.errors import DiskFull, StoreUnavailable, UsageError
from catchment.store import meta
from catchment.store.connectors import lock
from catchment.store.engine import db_now, open_engine, reading, transact, writing
from catchment.store.tables import connectors, documents
from tests.support.library import Library, add_connector


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


class TestPostgresql:
    @pytest.fixture
    def store(self, postgres_store: Engine) -> Engine:
        """A migrated store on PostgreSQL."""
        return postgres_store

    def test_out_of_reach_says_so_without_the_password(self) -> None:
        """One sentence that names the setting; wrong use, so that a command ends with exit code 2."""
        engine = open_engine("postgresql://ann:geheimnis@127.0.0.1:1/docs")
        for opened in (reading, writing):
            with pytest.raises(StoreUnavailable) as caught, opened(engine):
                pass
            assert isinstance(caught.value, UsageError)
            assert caught.value.code == "store_unavailable"
            assert "127.0.0.1:1/docs" in str(caught.value)
            assert "CATCHMENT_DATABASE_URL" in str(caught.value)
            assert "geheimnis" not in str(caught.value) + str(caught.value.__cause__)

    @pytest.mark.parametrize("url", ["ann:geheimnis@nowhere", "mysql://ann:geheimnis@host/docs"])
    def test_is_meant_by_no_other_address(self, url: str) -> None:
        """An address of something else is refused without repeating it."""
        with pytest.raises(UsageError, match="CATCHMENT_DATABASE_URL") as caught:
            open_engine(url)
        assert "geheimnis" not in str(caught.value)

    def test_is_handed_what_stands_behind_the_question_mark(self) -> None:
        """Encryption is a matter of the address."""
        engine = open_engine("postgresql://host/docs?sslmode=verify-full&sslrootcert=/etc/ca.pem")
        _, given = engine.dialect.create_connect_args(engine.url)
        assert (given["sslmode"], given["sslrootcert"]) == ("verify-full", "/etc/ca.pem")

    def test_does_a_transaction_again_that_met_another_head_on(self, store: Engine) -> None:
        """Two that lock the same rows in opposite order: the server ends one, and both are done."""
        for key in ("a", "b"):
            put(store, key, "0")
        both, one_is_done = threading.Barrier(2, timeout=30), threading.Event()
        begun: list[str] = []

        def work(keys: str) -> None:
            def change(connection: Connection) -> None:
                begun.append(keys)
                if len(begun) > 2:
                    assert one_is_done.wait(30)  # else the two may meet again
                connection.exec_driver_sql("SET LOCAL deadlock_timeout = '100ms'")
                for place, key in enumerate(keys):
                    connection.exec_driver_sql(
                        "UPDATE meta SET value = (value::int + 1)::text WHERE key = %s", (key,)
                    )
                    if place == 0 and len(begun) <= 2:
                        both.wait()

            transact(store, change)
            one_is_done.set()

        threads = [threading.Thread(target=work, args=(keys,)) for keys in ("ab", "ba")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (get(store, "a"), get(store, "b")) == ("2", "2")
        assert len(begun) == 3

    def test_does_other_work_once(self, store: Engine) -> None:
        """Only a conflict between transactions is a reason to begin again."""
        begun: list[int] = []

        def fail(connection: Connection) -> None:
            begun.append(1)
            connection.exec_driver_sql("SELECT 1 / 0")

        with pytest.raises(DBAPIError, match="division by zero"):
            transact(store, fail)
        assert begun == [1]

    def test_limits_how_long_a_stopped_writer_holds_its_locks(self, store: Engine) -> None:
        """Only writers are limited; who reads a long list may take the time."""
        names = ("idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout")
        with writing(store) as writer, reading(store) as reader:
            for name in names:
                assert writer.exec_driver_sql(f"SHOW {name}").scalar_one() != "0"
                assert reader.exec_driver_sql(f"SHOW {name}").scalar_one() == "0"
        with reading(store) as reader:  # the writer's connection, perhaps
            assert reader.exec_driver_sql("SHOW lock_timeout").scalar_one() == "0"

    def test_shows_a_reader_one_moment(self, store: Engine) -> None:
        """Two statements of one reader see the same, whatever is written between them."""
        put(store, "value", "old")
        with reading(store) as reader:
            assert meta.get(reader, "value") == "old"
            put(store, "value", "new")
            assert meta.get(reader, "value") == "old"
        assert get(store, "value") == "new"

    def test_lets_one_decide_about_a_connector_at_a_time(self, store: Engine) -> None:
        """Who reads a connector's runs in order to change them waits for the other who does."""
        pk = add_connector(store)
        order: list[str] = []
        begun = threading.Event()

        def second() -> None:
            begun.wait()
            with writing(store) as connection:
                lock(connection, pk)
                order.append(f"second saw {meta.get(connection, 'turn')}")

        thread = threading.Thread(target=second)
        thread.start()
        with writing(store) as connection:
            lock(connection, pk)
            begun.set()
            time.sleep(0.2)  # long enough for the other to go ahead, were it not waiting
            meta.put(connection, "turn", "first")
            order.append("first wrote")
        thread.join()
        assert order == ["first wrote", "second saw first"]

    def test_sorts_keys_by_bytes(self, store: Engine) -> None:
        """As SQLite does, whatever the locale of the database: capitals, hyphens and accents have no say."""
        library = Library(store)
        names = ["a-b", "a/b", "aB", "ab", "B", "é", "z"]
        for name in names:
            library.add("x", title=name)
        with reading(store) as connection:
            found = connection.execute(select(documents.c.title).order_by(documents.c.title)).scalars().all()
        assert found == sorted(names, key=str.encode)
