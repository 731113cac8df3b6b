"""Whole syncs out of a real server: what must hold for every source, and what is PostgreSQL's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from catchment.core.settings import SyncSettings
from catchment.kit import Item, SourceDown
from connectors.postgresql import PostgreSQL, listing
from connectors.postgresql import connector as connector_module
from connectors.postgresql.rows import RowPlan
from tests.connectors.postgresql.conftest import Base, House
from tests.support.postgres import Site
from tests.support.postgres_wire import Match, Wire

Make = Callable[..., None]


@pytest.fixture
def docs(base: Base) -> Base:
    """A table of thirty rows."""
    base.sql(
        "CREATE TABLE docs (id int PRIMARY KEY, title text, body text, changed timestamptz DEFAULT now())"
    )
    base.sql("INSERT INTO docs SELECT g, 'Title ' || g, 'words of number' || g FROM generate_series(1, 30) g")
    return base


@pytest.fixture
def wire(postgres_site: Site) -> Iterator[Wire]:
    """A way to the server that can break."""
    made = Wire(postgres_site)
    yield made
    made.close()


def pages_of(table: str) -> Match:
    """Match the pages of a table's listing."""
    return lambda statement: f'"{table}"' in statement and " LIMIT " in statement


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of all rows whose bodies were read, one by one or with a listing."""
    asked: list[str] = []
    fetch_many, with_content = PostgreSQL.fetch_many, listing.item_with_content

    def noting(self: PostgreSQL, items: list[Item]) -> Iterator[Any]:
        asked.extend(item.key for item in items)
        return fetch_many(self, items)

    def noting_listed(plan: RowPlan, row: tuple[Any, ...]) -> Item:
        item = with_content(plan, row)
        if item.content is not None:
            asked.append(item.key)
        return item

    monkeypatch.setattr(PostgreSQL, "fetch_many", noting)
    monkeypatch.setattr(listing, "item_with_content", noting_listed)
    return asked


class TestRuns:
    def test_rows_are_found_and_follow_their_table(self, docs: Base, house: House, make: Make) -> None:
        """Rows become documents; changes and deletions follow with the next run."""
        make(tables=["docs"])
        first = house.sync()
        assert (first.state, first.indexed, first.failed) == ("SUCCEEDED", 30, 0)
        (hit,) = house.search("number7")
        assert (hit.title, hit.key) == ("Title 7", "public.docs[7]")
        docs.sql("UPDATE docs SET body = 'quite different' WHERE id = 7")
        docs.sql("DELETE FROM docs WHERE id = 8")
        docs.sql("INSERT INTO docs VALUES (31, 'New', 'fresh')")
        second = house.sync()
        assert (second.indexed, second.deleted, second.skipped) == (2, 1, 28)
        assert not house.search("number8")
        assert house.search("different")[0].key == "public.docs[7]"

    @pytest.mark.parametrize("settings", [{}, {"updated_column": "changed"}, {"key": ["title"]}])
    def test_an_unchanged_run_reads_no_body(
        self, docs: Base, house: House, make: Make, bodies: list[str], settings: dict[str, Any]
    ) -> None:
        """What the server hashes, or stamps, needs not be read to be known as unchanged."""
        make(tables=["docs"], url="https://example.org/{id}", **settings)
        house.sync()
        assert len(bodies) == 30
        bodies.clear()
        again = house.sync()
        assert (again.skipped, again.indexed, again.state) == (30, 0, "SUCCEEDED")
        assert bodies == []
        assert (house.sync(mode="full").indexed, len(bodies)) == (30, 30)

    def test_a_failing_table_leaves_its_documents_and_the_other_scopes(
        self, docs: Base, house: House, make: Make, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 1: no deletions in that scope, no success, other scopes unaffected."""
        monkeypatch.setattr(listing, "FIRST_ROWS", 10)
        monkeypatch.setattr(listing, "MOST_ROWS", 10)
        docs.sql("CREATE TABLE notes (id int PRIMARY KEY, body text)")
        docs.sql("INSERT INTO notes VALUES (1, 'a'), (2, 'b')")
        make(tables=["docs", "notes"], host=wire.folder)
        assert house.sync().indexed == 32
        docs.sql("DELETE FROM docs WHERE id IN (1, 30)")
        docs.sql("DELETE FROM notes WHERE id = 1")
        wire.fault(pages_of("docs"), cut=True, skip=1)
        run = house.sync()
        assert (run.state, run.error_code, run.deleted) == ("FAILED", "scope_incomplete", 1)
        assert {"public.docs/1", "public.docs/30"} <= house.paths()
        assert "public.notes/1" not in house.paths()
        wire.mend()
        assert (house.sync().deleted, len(house.paths())) == (2, 29)

    def test_a_row_added_while_a_listing_runs_is_not_deleted_by_it(
        self, docs: Base, house: House, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 2: a document of another run, behind the page that is read, survives this one."""
        make(tables=["docs"])
        house.sync()
        pages, once = listing._pages, []

        def meanwhile(*args: Any) -> Iterator[Any]:
            for number, row in enumerate(pages(*args)):
                if number == 20 and not once:
                    once.append(1)
                    docs.sql("INSERT INTO docs VALUES (-1, 'Late', 'arrived meanwhile')")
                yield row

        monkeypatch.setattr(listing, "_pages", meanwhile)
        assert house.sync().deleted == 0
        assert house.sync().indexed == 1
        assert house.search("meanwhile")

    def test_a_row_that_cannot_be_parsed_fails_alone(self, base: Base, house: House, make: Make) -> None:
        """Acceptance 5: one bad document is recorded, the others are there, and it is tried again."""
        base.sql("CREATE TABLE files (id int PRIMARY KEY, name text, file bytea)")
        base.sql(
            "INSERT INTO files VALUES (1, 'bad', '%PDF-1.4 broken'), (2, 'good', 'plain words'), "
            "(3, 'none', NULL)"
        )
        make(tables=["files"], content_column="file")
        run = house.sync()
        assert (run.indexed, run.failed) == (1, 2)
        assert {failure["key"] for failure in run.details["errors"]} == {"public.files[1]", "public.files[3]"}
        base.sql("UPDATE files SET file = 'now in words' WHERE id = 1")
        assert house.sync().indexed == 1

    def test_a_listing_that_broke_off_is_taken_up_by_the_ledger(
        self,
        docs: Base,
        house: House,
        make: Make,
        wire: Wire,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Acceptance 8: what was listed before is indexed, and is not made again.

        The run says what happened, and no library beside it.
        """
        monkeypatch.setattr(listing, "FIRST_ROWS", 10)
        make(tables=["docs"], host=wire.folder)
        wire.fault(pages_of("docs"), cut=True, skip=1)
        assert (house.sync().state, len(house.paths())) == ("FAILED", 10)
        assert [record for record in caplog.records if record.name.startswith("sqlalchemy")] == []
        wire.mend()
        run = house.sync()
        assert (run.indexed, run.skipped, len(house.paths())) == (20, 10, 30)

    def test_an_emptied_table_is_held_by_the_guard(self, docs: Base, house: House, make: Make) -> None:
        """Acceptance 9: a listing that returns nothing deletes nothing until a person allows it."""
        make(tables=["docs"])
        house.sync()
        docs.sql("TRUNCATE docs")
        run = house.sync()
        assert (run.state, run.deleted, len(house.paths())) == ("FAILED", 0, 30)
        assert house.sync(allow_mass_delete=True).deleted == 30

    def test_a_table_of_many_that_is_dropped_is_held_by_the_guard(
        self, docs: Base, house: House, make: Make
    ) -> None:
        """Acceptance 9: where all tables are read, one that vanishes counts as rows that vanish."""
        docs.sql("CREATE TABLE notes (id int PRIMARY KEY, body text)")
        docs.sql("INSERT INTO notes VALUES (1, 'a')")
        make()
        assert house.sync().indexed == 31
        docs.sql("DROP TABLE docs")
        run = house.sync()
        assert (run.state, run.deleted, len(house.paths())) == ("FAILED", 0, 31)

    def test_a_dropped_table_deletes_nothing(self, docs: Base, house: House, make: Make) -> None:
        """Acceptance 16: a table that the settings name and that is gone is an error."""
        make(tables=["docs"])
        house.sync()
        docs.sql("DROP TABLE docs")
        run = house.sync()
        assert (run.state, run.error_code, len(house.paths())) == ("FAILED", "scope_incomplete", 30)

    def test_equal_rows_without_a_key_are_one_document(self, base: Base, house: House, make: Make) -> None:
        """Acceptance 17: the same id twice in one listing."""
        base.sql("CREATE TABLE t (body text)")
        base.sql("INSERT INTO t VALUES ('same'), ('same'), ('other')")
        make(tables=["t"])
        assert house.sync().indexed == 2
        assert house.sync().indexed == 0
        base.sql("DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)")
        assert house.sync().deleted == 0

    def test_a_killed_run_is_taken_up_by_the_ledger(self, docs: Base, house: House, make: Make) -> None:
        """What an earlier run indexed is skipped by its version, not made again."""
        make(tables=["docs"], include=["public.docs/1*"])
        half = house.sync()
        assert half.indexed == 11
        with house.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE scopes SET listed_at = NULL")
        assert house.sync().skipped == 11

    def test_a_narrower_scope_takes_its_documents_along_and_gives_them_back(
        self, docs: Base, house: House, make: Make
    ) -> None:
        """Acceptance 30: a table taken out goes without the guard, and comes back when the setting does."""
        docs.sql("CREATE TABLE notes (id int PRIMARY KEY, body text)")
        docs.sql("INSERT INTO notes VALUES (1, 'a')")
        make(tables=["docs", "notes"])
        house.sync()
        self._configure(house, docs, tables=["notes"])
        run = house.sync()
        assert (run.state, run.deleted, house.paths()) == ("SUCCEEDED", 30, {"public.notes/1"})
        self._configure(house, docs, tables=["docs", "notes"])
        assert house.sync().indexed == 30

    @staticmethod
    def _configure(house: House, base: Base, **settings: Any) -> None:
        from sqlalchemy import update

        from catchment.store.tables import connectors

        with house.engine.begin() as connection:
            connection.execute(update(connectors).values(config=base.config(**settings)))

    def test_named_rows_are_synced_alone(self, docs: Base, house: House, make: Make) -> None:
        """A key or a path names a row; one that is gone is removed."""
        make(tables=["docs"])
        run = house.sync(file_filter=["public.docs/3", "public.docs[4]", "public.docs/99", "other/1"])
        assert (run.indexed, run.failed) == (2, 2)
        docs.sql("DELETE FROM docs WHERE id = 3")
        assert house.sync(file_filter=["public.docs/3"]).deleted == 1
        assert house.paths() == {"public.docs/4"}

    def test_a_row_marked_as_deleted_goes(self, docs: Base, house: House, make: Make) -> None:
        """The soft-delete column takes documents out, and back in."""
        docs.sql("ALTER TABLE docs ADD COLUMN deleted_at timestamptz")
        make(tables=["docs"], deleted_column="deleted_at")
        house.sync()
        docs.sql("UPDATE docs SET deleted_at = now() WHERE id <= 3")
        assert house.sync().deleted == 3
        docs.sql("UPDATE docs SET deleted_at = NULL")
        house.sync()
        assert len(house.paths()) == 30


class TestFeeds:
    def test_incremental_runs_follow_the_changed_at_column(
        self, docs: Base, house: House, make: Make, bodies: list[str]
    ) -> None:
        """Acceptance 4, 16: only what bears a later time is read, and late commits are not lost."""
        make(tables=["docs"], updated_column="changed", late_commit_seconds=0)
        house.sync()
        with docs.another() as late:
            late.execute("INSERT INTO docs VALUES (100, 'Late', 'late commit')")
            docs.sql("UPDATE docs SET body = 'changed words', changed = now() WHERE id = 5")
            bodies.clear()
            run = house.sync(mode="incremental")
            assert (run.strategy, run.failed) == ("delta", 0)
            assert "public.docs[5]" in bodies
            late.commit()
        house.sync(mode="incremental")
        assert house.search("late commit")

    def test_a_complete_feed_stands_in_for_listings(
        self, docs: Base, house: House, make: Make, bodies: list[str]
    ) -> None:
        """Acceptance 4, 7: an automatic run takes changes and deletions from the log."""
        docs.sql("CREATE PUBLICATION catchment FOR TABLE docs")
        make(tables=["docs"], replication="pgoutput")
        assert (house.sync().strategy, house.sync().strategy) == ("listing", "delta")
        docs.sql("UPDATE docs SET body = 'changed words' WHERE id = 5")
        docs.sql("DELETE FROM docs WHERE id = 6")
        docs.sql("UPDATE docs SET id = 70 WHERE id = 7")
        bodies.clear()
        run = house.sync()
        assert (run.strategy, run.indexed, run.deleted) == ("delta", 2, 2)
        assert sorted(bodies) == ["public.docs[5]", "public.docs[70]"]
        assert {"public.docs/6", "public.docs/7"} & house.paths() == set()

    def test_an_expired_cursor_leads_to_a_listing_with_its_reason(
        self, docs: Base, house: House, make: Make
    ) -> None:
        """Acceptance 3: the slot was dropped: everything is listed, the run says why, the feed goes on."""
        docs.sql("CREATE PUBLICATION catchment FOR TABLE docs")
        make(tables=["docs"], replication="pgoutput")
        house.sync()
        docs.sql("DELETE FROM docs WHERE id = 6")
        docs.sql(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s",
            docs.name,
        )
        run = house.sync()
        assert (run.state, run.strategy, run.reason, run.deleted) == (
            "SUCCEEDED",
            "listing",
            "cursor_expired",
            1,
        )
        docs.sql("INSERT INTO docs VALUES (200, 'x', 'y')")
        run = house.sync()
        assert (run.strategy, run.indexed) == ("delta", 1)

    def test_a_crash_before_the_cursor_is_saved_loses_nothing(
        self, docs: Base, house: House, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 7: changes that were taken and not saved come again; the slot was only looked into."""
        docs.sql("CREATE PUBLICATION catchment FOR TABLE docs")
        make(tables=["docs"], replication="pgoutput")
        house.sync()
        docs.sql("UPDATE docs SET body = 'changed words' WHERE id = 5")
        saved = dict(house.cursors.saved)
        resolved = connector_module.ChangeLog._resolved

        def dying(*args: Any) -> Iterator[Any]:
            yield from ()
            raise SourceDown("the server went away")

        monkeypatch.setattr(connector_module.ChangeLog, "_resolved", dying)
        assert house.sync().state == "FAILED"
        assert {k: v.current.text for k, v in house.cursors.saved.items()} == {
            k: v.current.text for k, v in saved.items()
        }
        monkeypatch.setattr(connector_module.ChangeLog, "_resolved", resolved)
        house.sync()
        assert house.search("changed words")

    def test_a_restored_store_lists_everything(self, docs: Base, house: House, make: Make) -> None:
        """Acceptance 28: a cursor that is ahead of the store is not believed; nothing is missing."""
        docs.sql("CREATE PUBLICATION catchment FOR TABLE docs")
        make(tables=["docs"], replication="pgoutput")
        house.sync()
        with house.engine.connect() as connection:
            before = connection.exec_driver_sql("SELECT cursor_revision, cursor_hash FROM connectors").one()
        docs.sql("INSERT INTO docs VALUES (100, 'x', 'restored words')")
        house.sync()
        with house.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE connectors SET cursor_revision = ?, cursor_hash = ?", tuple(before)
            )
        run = house.sync()
        assert (run.strategy, run.reason) == ("listing", "cursor_ahead")
        assert house.search("restored words")


class TestGentleness:
    def test_a_writer_is_never_blocked(
        self, docs: Base, house: House, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While a run reads, rows and the table itself can be changed at once, whatever the lock."""
        make(tables=["docs"], views=[], queries={"q": "SELECT id, body FROM docs"})
        blocked: list[str] = []
        many = PostgreSQL.fetch_many

        def writing(self: PostgreSQL, items: list[Item]) -> Iterator[Any]:
            docs.sql("SET lock_timeout = '3s'")
            for number, answer in enumerate(many(self, items)):
                if number == 5:
                    docs.sql("UPDATE docs SET body = body || '.' WHERE id = 1")
                    docs.sql("SELECT * FROM docs WHERE id = 2 FOR UPDATE")
                    docs.sql("CREATE INDEX IF NOT EXISTS later ON docs (changed)")
                    blocked.append("no")
                yield answer

        monkeypatch.setattr(PostgreSQL, "fetch_many", writing)
        assert house.sync().state == "SUCCEEDED"
        assert blocked

    def test_no_transaction_stays_open_while_documents_are_worked_on(self, docs: Base) -> None:
        """Whoever takes items slowly holds no snapshot at the server: not by pages, and not by a scan."""
        for settings in ({}, {"key": ["title"]}):
            source = docs.source(tables=["docs"], **settings)
            events = source.listing(source.scopes()[0])
            next(events)
            open_ones = docs.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'catchment' "
                "AND datname = %s AND state LIKE 'idle in transaction%%'",
                docs.name,
            )
            assert open_ones == [(0,)]
            list(events)

    def test_every_transaction_is_read_only(self, docs: Base) -> None:
        """Nothing that is asked can write."""
        source = docs.source(tables=["docs"])
        with source.database.reading() as connection:
            assert connection.execute("SHOW transaction_read_only").fetchone() == ("on",)
            assert connection.execute("SHOW statement_timeout").fetchone() == ("5min",)

    def test_a_stopped_run_does_not_wait_for_the_server(self, base: Base) -> None:
        """A statement that takes long is cancelled when the run is asked to stop."""
        from catchment.core.errors import RunCancelled

        base.sql("CREATE VIEW v AS SELECT 1 AS id, pg_sleep(120)::text AS body")
        source = base.source(views=["v"], key=["id"])
        timer = threading.Timer(0.5, source.session.stop.set)
        timer.start()
        with pytest.raises(RunCancelled):
            list(source.listing(source.scopes()[0]))
        timer.join()

    def test_large_rows_do_not_pile_up(self, base: Base, house: House, make: Make) -> None:
        """Rows of a megabyte each are handed on a few at a time, by the sizes that the server tells."""
        base.sql("CREATE TABLE t (id int PRIMARY KEY, body text)")
        base.sql("INSERT INTO t SELECT g, repeat('word ', 200000) FROM generate_series(1, 12) g")
        source = base.source(tables=["t"])
        sizes = [event.size for event in source.listing(source.scopes()[0]) if isinstance(event, Item)]
        assert all(size is not None and size >= 1_000_000 for size in sizes)
        make(tables=["t"], max_file_bytes=1_100_000)
        house.sync_settings = SyncSettings()
        assert house.sync().indexed == 12
        base.sql("UPDATE t SET body = repeat('word ', 300000) WHERE id = 1")
        run = house.sync()
        assert run.details["skipped"].get("too_large") == 1
