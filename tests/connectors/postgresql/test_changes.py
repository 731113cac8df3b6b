"""Following changes: by a changed-at column, and by the log."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from catchment.core.errors import ConfigRejected, CursorExpired
from catchment.kit import Changed, ChangeFeed, Checkpoint, Complete, Deleted
from connectors.postgresql import PostgreSQL, changes_by_log, slot
from tests.connectors.postgresql.conftest import Base


def reported(source: PostgreSQL, cursor: str | None) -> tuple[set[str], set[str], str | None]:
    """Changed keys, deleted keys, and the mark of the first scope's changes."""
    changed, deleted, mark = set(), set(), None
    for event in source.changes(source.scopes()[0], cursor):
        if isinstance(event, Changed):
            changed.add(event.item.key)
            deleted.discard(event.item.key)
        elif isinstance(event, Deleted):
            deleted.add(event.key)
            changed.discard(event.key)
        elif isinstance(event, Complete):
            mark = event.mark
        else:
            assert isinstance(event, Checkpoint)
    return changed, deleted, mark


def mark_of(source: PostgreSQL) -> str | None:
    """The mark of a complete listing of the first scope."""
    *_, last = source.listing(source.scopes()[0])
    assert isinstance(last, Complete)
    return last.mark


def _insert(base: Base) -> None:
    with base.site.connect(base.name) as connection:
        connection.execute("INSERT INTO t VALUES (1, 'en', 'waits')")


def _commit_until(over: threading.Event, base: Base) -> None:
    with base.site.connect("postgres") as connection:
        while not over.wait(0.01):
            connection.execute("SELECT pg_logical_emit_message(true, 'test', 'waits')")
            connection.commit()


def _until(base: Base, question: str) -> None:
    deadline = time.monotonic() + 30
    while base.sql(question) != [(True,)]:
        assert time.monotonic() < deadline, question
        time.sleep(0.02)


class TestByColumn:
    @pytest.fixture
    def source(self, base: Base) -> PostgreSQL:
        base.sql(
            "CREATE TABLE t (id int PRIMARY KEY, body text, updated_at timestamptz DEFAULT now(), "
            "gone boolean)"
        )
        return base.source(
            tables=["t"], updated_column="updated_at", deleted_column="gone", late_commit_seconds=0
        )

    def test_a_row_committed_late_with_an_earlier_time_is_not_lost(
        self, base: Base, source: PostgreSQL
    ) -> None:
        """Acceptance 16: rows committed late with an earlier `updated_at`."""
        base.sql("INSERT INTO t VALUES (1, 'old')")
        with base.another() as late:
            late.execute("INSERT INTO t VALUES (2, 'late')")
            base.sql("INSERT INTO t VALUES (3, 'quick')")
            mark = mark_of(source)
            changed, _, mark_meanwhile = reported(source, mark)
            assert "public.t[2]" not in changed
            late.commit()
        assert "public.t[2]" in reported(source, mark_meanwhile)[0]
        assert "public.t[2]" in reported(source, mark)[0]

    def test_only_what_is_new_is_reported(self, base: Base, source: PostgreSQL) -> None:
        """What is far behind the cursor is not read again; the lower bound itself is."""
        base.sql("INSERT INTO t VALUES (1, 'a', now() - interval '1 hour'), (2, 'b', now())")
        mark = mark_of(source)
        base.sql("UPDATE t SET body = 'c', updated_at = now() WHERE id = 2")
        base.sql("INSERT INTO t VALUES (3, 'no time', NULL)")
        assert reported(source, mark)[:2] == ({"public.t[2]"}, set())

    def test_a_soft_deletion_is_reported_as_one(self, base: Base, source: PostgreSQL) -> None:
        """The soft-delete column makes a row absent from listings and deleted in the feed."""
        base.sql("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
        mark = mark_of(source)
        base.sql("UPDATE t SET gone = true, updated_at = now() WHERE id = 1")
        changed, deleted, _ = reported(source, mark)
        assert "public.t[1]" not in changed
        assert deleted == {"public.t[1]"}

    def test_writers_with_another_clock_are_followed(self, base: Base, source: PostgreSQL) -> None:
        """The cursor never lies beyond the newest time in the table."""
        base.sql("INSERT INTO t VALUES (1, 'a', now() - interval '5 hours')")
        mark = mark_of(source)
        base.sql("INSERT INTO t VALUES (2, 'b', now() - interval '4 hours 59 minutes')")
        assert "public.t[2]" in reported(source, mark)[0]

    def test_an_empty_table_begins_at_the_beginning(self, base: Base, source: PostgreSQL) -> None:
        """A row of any time is new to a table that had none."""
        mark = mark_of(source)
        base.sql("INSERT INTO t VALUES (1, 'a', '1999-01-01')")
        assert reported(source, mark)[0] == {"public.t[1]"}

    def test_the_feed_is_partial(self, base: Base, source: PostgreSQL) -> None:
        """It does not stand in for a listing, because rows vanish unreported."""
        assert source.change_feed is ChangeFeed.PARTIAL
        assert base.source(tables=["t"]).change_feed is ChangeFeed.NONE

    def test_a_cursor_of_the_log_is_refused(self, source: PostgreSQL) -> None:
        """After another way of following was chosen, everything is listed."""
        with pytest.raises(CursorExpired):
            reported(source, "lsn:0/1")

    @pytest.mark.parametrize("cursor", ["time:", "time:soon", "time:2999-01-01 00:00:00+00"])
    def test_a_cursor_that_is_no_time_that_was_is_refused(self, source: PostgreSQL, cursor: str) -> None:
        """One ahead of the server's clock would hide what changes until then."""
        with pytest.raises(CursorExpired):
            reported(source, cursor)

    def test_a_column_that_is_no_time_is_refused(self, base: Base) -> None:
        """A number is no time, because the margin of late commits means nothing to it."""
        base.sql("CREATE TABLE u (id int PRIMARY KEY, rev bigint)")
        source = base.source(tables=["u"], updated_column="rev")
        with pytest.raises(ConfigRejected, match="no date or time") as caught:
            list(source.listing(source.scopes()[0]))
        assert caught.value.setting == "updated_column"


class TestByLog:
    @pytest.fixture(params=["pgoutput", "test_decoding"])
    def source(self, base: Base, request: pytest.FixtureRequest) -> Iterator[PostgreSQL]:
        if request.param == "test_decoding" and not base.site.has_contrib:
            pytest.skip("the server has no test_decoding")
        base.sql("CREATE TABLE t (id int, lang char(4), body text, gone timestamptz, PRIMARY KEY (id, lang))")
        base.sql("CREATE PUBLICATION catchment FOR TABLE t")
        source = base.source(tables=["t"], replication=request.param, deleted_column="gone")
        assert source.change_feed is ChangeFeed.COMPLETE
        yield source
        source.forget()

    def test_inserts_updates_deletes_and_new_keys_are_reported(self, base: Base, source: PostgreSQL) -> None:
        """Acceptance 4: every kind of change since the mark, in its last state; the feed is complete."""
        base.sql("INSERT INTO t SELECT g, 'en', 'x' FROM generate_series(1, 6) g")
        mark = mark_of(source)
        base.sql("INSERT INTO t VALUES (7, 'de', 'new')")
        base.sql("UPDATE t SET body = repeat('y', 9000) WHERE id = 1")
        base.sql("DELETE FROM t WHERE id = 2")
        base.sql("UPDATE t SET id = 30 WHERE id = 3")
        base.sql("UPDATE t SET gone = now() WHERE id = 4")
        base.sql("INSERT INTO t VALUES (8, 'de', 'brief')")
        base.sql("DELETE FROM t WHERE id = 8")
        changed, deleted, after = reported(source, mark)
        assert changed == {'public.t[7,"de"]', 'public.t[1,"en"]', 'public.t[30,"en"]'}
        assert {f'public.t[{number},"en"]' for number in (2, 3, 4)} <= deleted
        assert reported(source, after) == (set(), set(), reported(source, after)[2])

    def test_a_change_during_the_listing_is_reported(self, base: Base, source: PostgreSQL) -> None:
        """Acceptance 4: the mark is taken before the listing begins."""
        base.sql("INSERT INTO t VALUES (1, 'en', 'x')")
        events = source.listing(source.scopes()[0])
        next(events)
        base.sql("UPDATE t SET body = 'changed meanwhile'")
        *_, last = events
        assert isinstance(last, Complete)
        assert reported(source, last.mark)[0] == {'public.t[1,"en"]'}

    def test_a_transaction_that_is_open_during_the_listing_is_reported(
        self, base: Base, source: PostgreSQL
    ) -> None:
        """A row that the listing could not see, because it was committed later."""
        mark_of(source)
        with base.another() as late:
            late.execute("INSERT INTO t VALUES (9, 'en', 'late')")
            mark = mark_of(source)
            late.commit()
        assert reported(source, mark)[0] == {'public.t[9,"en"]'}

    def test_a_commit_that_nobody_sees_yet_is_not_passed_over(self, base: Base, source: PostgreSQL) -> None:
        """A commit that waits for a standby stands in the log, and not yet in the table."""
        mark = mark_of(source)
        base.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        base.sql("SELECT pg_reload_conf()")
        waiting = "SELECT count(*) = {} FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        over = threading.Event()
        scout = threading.Thread(target=_commit_until, args=(over, base))
        writer = threading.Thread(target=_insert, args=(base,))
        try:
            scout.start()  # the setting is in force some time after the reload, and nothing else shows when
            _until(base, waiting.format(1))
            writer.start()
            _until(base, waiting.format(2))
            changed, deleted, after = reported(source, mark)
            assert (changed, deleted) == (set(), set())
            listed = mark_of(source)
        finally:
            over.set()
            base.sql("ALTER SYSTEM RESET synchronous_standby_names")
            base.sql("SELECT pg_reload_conf()")
            scout.join()
            if writer.ident is not None:
                writer.join()
        assert reported(source, after)[0] == {'public.t[1,"en"]'}
        assert reported(source, listed)[0] == {'public.t[1,"en"]'}

    def test_the_slot_keeps_what_was_not_taken(self, base: Base, source: PostgreSQL) -> None:
        """Reading again from an older cursor gives the same; only the next run's cursor moves the slot."""
        base.sql("INSERT INTO t VALUES (1, 'en', 'x')")
        mark = mark_of(source)
        base.sql("INSERT INTO t VALUES (2, 'en', 'x')")
        first = reported(source, mark)
        assert reported(source, mark)[0] == first[0] == {'public.t[2,"en"]'}
        assert reported(source, first[2])[0] == set()
        with pytest.raises(CursorExpired, match="moved past"):
            reported(source, mark)

    @pytest.mark.parametrize("cursor", ["lsn:", "lsn:soon", "lsn:FFFF/0"])
    def test_a_cursor_behind_the_end_of_the_log_moves_no_slot(
        self, base: Base, source: PostgreSQL, cursor: str
    ) -> None:
        """The changes before the end would be lost with it."""
        mark = mark_of(source)
        base.sql("INSERT INTO t VALUES (1, 'en', 'x')")
        with pytest.raises(CursorExpired):
            reported(source, cursor)
        assert reported(source, mark)[0] == {'public.t[1,"en"]'}

    def test_a_truncation_asks_for_a_listing(self, base: Base, source: PostgreSQL) -> None:
        """TRUNCATE names no rows; after the listing that follows it is past."""
        base.sql("INSERT INTO t VALUES (1, 'en', 'x')")
        mark = mark_of(source)
        base.sql("TRUNCATE t")
        with pytest.raises(CursorExpired, match="truncated"):
            reported(source, mark)
        assert reported(source, mark_of(source))[:2] == (set(), set())

    def test_a_lost_slot_asks_for_a_listing_that_makes_it_anew(self, base: Base, source: PostgreSQL) -> None:
        """Acceptance 3: a slot that somebody dropped."""
        mark = mark_of(source)
        base.sql(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s",
            base.name,
        )
        with pytest.raises(CursorExpired, match="is gone"):
            reported(source, mark)
        assert reported(source, mark_of(source))[:2] == (set(), set())

    def test_large_transactions_come_in_pages(
        self, base: Base, source: PostgreSQL, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Pages of keys, with checkpoints only between transactions, from which one can go on."""
        monkeypatch.setattr(changes_by_log, "PAGE_KEYS", 10)
        monkeypatch.setattr(changes_by_log, "MOST_BUFFERED", 15)
        mark = mark_of(source)
        base.sql("INSERT INTO t SELECT g, 'en', 'x' FROM generate_series(1, 100) g")
        base.sql("INSERT INTO t SELECT g, 'de', 'x' FROM generate_series(1, 12) g")
        events = list(source.changes(source.scopes()[0], mark))
        changed = {event.item.key for event in events if isinstance(event, Changed)}
        assert len(changed) == 112
        positions = [event.position for event in events if isinstance(event, Checkpoint)]
        assert len(positions) == 2
        again = reported(source, positions[0])[0]
        assert again == {f'public.t[{number},"de"]' for number in range(1, 13)}

    def test_a_backlog_beyond_the_limit_is_taken_in_parts(
        self, base: Base, source: PostgreSQL, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each run takes so many messages, and the next goes on behind them."""
        monkeypatch.setattr(changes_by_log, "MOST_MESSAGES", 4)
        mark = mark_of(source)
        for number in range(1, 6):
            base.sql("INSERT INTO t VALUES (%s, 'en', 'x')", number)
        seen: list[str] = []
        while True:
            changed, _, mark = reported(source, mark)
            if not changed:
                break
            assert not changed & set(seen)
            seen += changed
        assert len(seen) == 5

    def test_a_quiet_table_lets_the_slot_move_on(self, base: Base, source: PostgreSQL) -> None:
        """Writes to other tables do not pile up behind the slot."""
        mark = mark_of(source)
        base.sql("CREATE TABLE other (id int PRIMARY KEY)")
        base.sql("INSERT INTO other SELECT generate_series(1, 1000)")
        _, _, after = reported(source, mark)
        reported(source, after)
        lag = base.sql(
            "SELECT pg_current_wal_insert_lsn() - confirmed_flush_lsn FROM pg_replication_slots "
            "WHERE database = %s",
            base.name,
        )
        assert int(lag[0][0]) < 10_000

    def test_forgetting_drops_the_slot(self, base: Base, source: PostgreSQL) -> None:
        """A removed connector does not fill the server's disk."""
        mark_of(source)
        count = "SELECT count(*) FROM pg_replication_slots WHERE database = %s"
        assert base.sql(count, base.name) == [(1,)]
        source.forget()
        source.forget()
        assert base.sql(count, base.name) == [(0,)]


class TestScopesOfTheLog:
    def test_partitions_count_as_their_table(self, base: Base) -> None:
        """The log tells of partitions, also of one that is made later; the rows are those of the table."""
        base.sql("CREATE TABLE p (id int PRIMARY KEY, body text) PARTITION BY RANGE (id)")
        base.sql("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)")
        base.sql("CREATE PUBLICATION catchment FOR TABLE p")
        source = base.source(tables=["p"], replication="pgoutput")
        mark = mark_of(source)
        base.sql("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)")
        base.sql("INSERT INTO p VALUES (1, 'a'), (11, 'b')")
        assert reported(source, mark)[0] == {"public.p[1]", "public.p[11]"}
        source.forget()

    def test_all_scopes_are_read_out_of_one_look_at_the_log(
        self, base: Base, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two tables share slot and reading; the slot moves on when both have begun."""
        base.sql("CREATE TABLE a (id int PRIMARY KEY)")
        base.sql("CREATE TABLE b (id int PRIMARY KEY)")
        base.sql("CREATE PUBLICATION catchment FOR TABLE a, b")
        source = base.source(tables=["a", "b"], replication="pgoutput")
        marks = {}
        for scope in source.scopes():
            *_, last = source.listing(scope)
            assert isinstance(last, Complete)
            marks[scope.key] = last.mark
        base.sql("INSERT INTO a VALUES (1)")
        base.sql("INSERT INTO b VALUES (2)")
        peeks = []
        peek = slot.Slot.peek
        monkeypatch.setattr(slot.Slot, "peek", lambda *a: (peeks.append(1), peek(*a))[1])
        again = base.source(tables=["a", "b"], replication="pgoutput")
        found = {
            scope.key: [e.item.key for e in again.changes(scope, marks[scope.key]) if isinstance(e, Changed)]
            for scope in again.scopes()
        }
        assert found == {"public.a": ["public.a[1]"], "public.b": ["public.b[2]"]}
        assert len(peeks) == 1
        again.forget()

    def test_what_the_log_cannot_name_is_listed_each_time(self, base: Base) -> None:
        """A view, a table without a key and one that is not published give no mark."""
        base.sql("CREATE TABLE a (id int PRIMARY KEY)")
        base.sql("CREATE TABLE nokey (id int)")
        base.sql("CREATE TABLE unpublished (id int PRIMARY KEY)")
        base.sql("CREATE TABLE filtered (id int PRIMARY KEY)")
        base.sql("CREATE VIEW v AS SELECT * FROM a")
        base.sql("CREATE PUBLICATION catchment FOR TABLE a, filtered WHERE (id > 5)")
        source = base.source(
            tables=["a", "nokey", "unpublished", "filtered"], views=["v"], replication="pgoutput"
        )
        marked = {}
        for scope in source.scopes():
            *_, last = source.listing(scope)
            assert isinstance(last, Complete)
            marked[scope.key] = last.mark is not None
        source.forget()
        assert marked == {
            "public.a": True,
            "public.nokey": False,
            "public.unpublished": False,
            "public.filtered": False,
            "public.v": False,
        }

    def test_auto_falls_back_to_listing_and_says_why(self, base: Base) -> None:
        """A role that may not use slots: runs list everything, and check tells the remedy."""
        base.sql("CREATE TABLE a (id int PRIMARY KEY)")
        base.sql("CREATE ROLE plain LOGIN")
        try:
            base.sql("GRANT SELECT ON a TO plain")
            source = base.source(user="plain", tables=["a"], replication="auto")
            source.scopes()
            assert source.change_feed is ChangeFeed.NONE
            assert mark_of(source) is None
            changes = next(found for found in source.check() if found.name == "changes")
            assert changes.health == "ok"
            assert "REPLICATION" in changes.remedy
            strict = base.source(user="plain", tables=["a"], replication="test_decoding")
            with pytest.raises(ConfigRejected) as caught:
                strict.scopes()
            assert caught.value.setting == "replication"
            source.close()
            strict.close()
        finally:
            base.sql("DROP OWNED BY plain")
            base.sql("DROP ROLE plain")

    def test_auto_takes_what_the_server_has(self, base: Base) -> None:
        """Without a publication test_decoding serves, where the server has it."""
        base.sql("CREATE TABLE a (id int PRIMARY KEY)")
        source = base.source(tables=["a"], replication="auto")
        source.scopes()
        expected = ChangeFeed.COMPLETE if base.site.has_contrib else ChangeFeed.NONE
        assert source.change_feed is expected
        assert (mark_of(source) is not None) == base.site.has_contrib
        source.forget()

    def test_a_publication_that_is_gone_asks_for_a_listing(self, base: Base) -> None:
        """The slot is made anew, because the log before a new publication cannot be read."""
        base.sql("CREATE TABLE a (id int PRIMARY KEY)")
        base.sql("CREATE PUBLICATION catchment FOR TABLE a")
        source = base.source(tables=["a"], replication="pgoutput")
        mark = mark_of(source)
        base.sql("DROP PUBLICATION catchment")
        base.sql("INSERT INTO a VALUES (1)")
        base.sql("CREATE PUBLICATION catchment FOR TABLE a")
        with pytest.raises(CursorExpired):
            reported(source, mark)
        mark = mark_of(source)
        base.sql("INSERT INTO a VALUES (2)")
        assert reported(source, mark)[0] == {"public.a[2]"}
        source.forget()
