"""What fails, whom it costs what, and when it is tried again."""

from __future__ import annotations

import pytest

from catchment.core.errors import (
    AuthRejected,
    ConfigRejected,
    ItemUnreadable,
    PermissionMissing,
    SourceBusy,
    SourceDown,
)
from catchment.core.items import Changed
from catchment.kit.connector import ChangeFeed, Kind
from tests.support.scripted import World
from tests.support.vault import Vault, counts
from tests.sync.conftest import Register

BROKEN_PDF = b"%PDF-1.4\nthis is no pdf at all\n%%EOF"


class TestOneDocument:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (SourceDown("The server answers 500."), "down"),
            (SourceBusy("Slow down.", retry_after_seconds=5), "busy"),
            (PermissionMissing("Not yours."), "permission"),
            (ItemUnreadable("doc001", "locked", "Somebody is editing it."), "locked"),
            (OSError(5, "Input/output error"), "io_error"),
        ],
    )
    @pytest.mark.parametrize("fetches", [1, 4])
    def test_a_fetch_that_fails_costs_that_document(
        self, house: Vault, world: World, register: Register, error: Exception, reason: str, fetches: int
    ) -> None:
        """Recorded with key, stage and error; the others are indexed; it is not deleted (5)."""
        register(fetches=fetches)
        world.fill(4)
        world.fetch_errors["doc001"] = error
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert counts(run) == {"collected": 4, "fetched": 3, "parsed": 3, "indexed": 3, "failed": 1}
        assert [(told["key"], told["stage"], told["reason"]) for told in run.details["errors"]] == [
            ("doc001", "fetch", reason)
        ]
        assert house.fact("doc001", "state") == "failed"
        assert house.fact("doc001", "stage") == "fetch"
        assert house.fact("doc001", "error")
        world.fetch_errors.clear()
        assert counts(house.sync()) == {"collected": 4, "fetched": 1, "parsed": 1, "indexed": 1, "skipped": 3}
        assert house.texts() == world.texts()
        assert house.fact("doc001", "error") is None
        assert house.fact("doc001", "attempts") == 0

    def test_a_document_that_cannot_be_parsed_costs_that_document(self, house: Vault, world: World) -> None:
        """It counts as fetched and failed, at stage parse (5)."""
        world.fill(2)
        world.put("bad.pdf", BROKEN_PDF)
        run = house.sync()
        assert counts(run) == {"collected": 3, "fetched": 3, "parsed": 2, "indexed": 2, "failed": 1}
        assert house.fact("bad.pdf", "stage") == "parse"
        assert house.fact("bad.pdf", "reason") == "broken"

    def test_a_new_version_that_fails_leaves_the_old_text_searchable(
        self, house: Vault, world: World
    ) -> None:
        """Marked stale until a version can be read."""
        world.put("a", "the old words")
        world.put("b", "another")
        house.sync()
        world.put("a", "the new words")
        world.fetch_errors["a"] = SourceDown("500")
        run = house.sync()
        assert counts(run) == {"collected": 2, "skipped": 1, "failed": 1}
        assert [(hit.key, hit.stale) for hit in house.search("old")] == [("a", True)]
        world.fetch_errors.clear()
        house.sync()
        assert not house.search("old")
        assert [(hit.key, hit.stale) for hit in house.search("new")] == [("a", False)]

    def test_a_way_back_to_the_old_version_makes_it_fresh_again(self, house: Vault, world: World) -> None:
        """The old text is good again when the source has it again."""
        world.put("a", "the old words")
        house.sync()
        world.put("a", "the new words")
        world.fetch_errors["a"] = SourceDown("500")
        house.sync()
        world.fetch_errors.clear()
        world.put("a", "the old words")
        house.sync()
        assert [(hit.key, hit.stale) for hit in house.search("old")] == [("a", False)]

    def test_an_item_that_vanishes_between_listing_and_fetch_is_no_failure(
        self, house: Vault, world: World
    ) -> None:
        """Skipped with the reason gone; its document waits for the next listing."""
        world.fill(2)
        house.sync()
        world.put("doc000", "changed")
        world.put("new", "never read")
        thing, new = world.scopes["main"]["doc000"], world.scopes["main"]["new"]

        def vanish(key: str) -> None:
            world.scopes["main"].pop(key)

        world.before_fetch = vanish
        run = house.sync()
        assert counts(run) == {"collected": 3, "skipped": 3}
        assert run.details["skipped"] == {"unchanged": 1, "gone": 2}
        assert house.shown() == {"doc000", "doc001"}
        assert house.item("new") is None
        world.before_fetch = None
        house.sync()
        assert house.shown() == {"doc001"}
        world.scopes["main"] |= {"doc000": thing, "new": new}
        house.sync()
        assert house.texts() == world.texts()

    def test_nothing_but_failures_fails_the_run(self, house: Vault, world: World) -> None:
        """One good or unchanged document is enough for a success."""
        world.fill(2)
        world.fetch_errors = {"doc000": SourceDown("500"), "doc001": SourceDown("500")}
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "all_failed")
        connector = house.connector()
        assert (connector.status, connector.error_code) == ("ERROR", "all_failed")
        del world.fetch_errors["doc001"]
        assert house.sync().state == "SUCCEEDED"
        assert house.connector().status == "ACTIVE"

    def test_a_try_that_fails_again_fails_no_run_beside_documents_that_are_well(
        self, house: Vault, world: World, register: Register
    ) -> None:
        """A feed names what changed alone: a single bad item would keep the connector in ERROR for days."""
        register(feed=ChangeFeed.COMPLETE)
        world.fill(2)
        house.sync()
        world.put("bad", "never read")
        world.fetch_errors = {"bad": SourceDown("500")}
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "all_failed"), "all that was new has failed"
        run = house.sync()
        assert counts(run) == {"collected": 1, "failed": 1}
        assert (run.state, house.connector().status) == ("SUCCEEDED", "ACTIVE")

    def test_a_try_that_fails_again_fails_the_run_where_nothing_is_well(
        self, house: Vault, world: World, register: Register
    ) -> None:
        """What never worked does not work now."""
        register(feed=ChangeFeed.COMPLETE)
        world.put("bad", "never read")
        world.fetch_errors = {"bad": SourceDown("500")}
        house.sync()
        assert house.sync().error_code == "all_failed"


class TestTryingAgain:
    def test_delays_grow_and_the_fifth_failure_puts_it_in_quarantine(
        self, house: Vault, world: World
    ) -> None:
        """At once with the next run, then after 1, 5 and 30 minutes by the clock (6)."""
        world.fill(2)
        world.fetch_errors["doc000"] = SourceDown("500")
        assert house.sync().failed == 1
        for delay in (0, 60, 300, 1800):
            assert house.fact("doc000", "state") == "failed"
            if delay:
                house.clock.advance(delay - 1)
                run = house.sync()
                assert counts(run) == {"collected": 2, "skipped": 2}
                assert run.details["skipped"] == {"unchanged": 1, "waiting_for_retry": 1}
                house.clock.advance(1)
            assert counts(house.sync()) == {"collected": 2, "skipped": 1, "failed": 1}
        assert house.fact("doc000", "state") == "quarantined"
        assert house.fact("doc000", "attempts") == 5
        house.clock.advance(10**6)
        world.fetch_errors.clear()
        run = house.sync()
        assert run.details["skipped"] == {"unchanged": 1, "quarantined": 1}
        assert house.shown() == {"doc001"}

    @pytest.mark.parametrize("marks", [True, False])
    def test_without_version_marks_it_is_no_different(self, house: Vault, world: World, marks: bool) -> None:
        """An item that fails for good costs five fetches, not one in every run."""
        world.marks = marks
        world.fill(1)
        world.fetch_errors["doc000"] = SourceDown("500")
        for _ in range(12):
            house.sync()
            house.clock.advance(1000)
        assert world.fetched == ["doc000"] * 5
        assert house.fact("doc000", "state") == "quarantined"

    @pytest.mark.parametrize(
        "ask",
        [{"mode": "full"}, {"file_filter": ["doc000"]}, {"mode": "incremental", "file_filter": ["doc000"]}],
    )
    def test_asking_for_it_brings_it_out_of_quarantine(
        self, house: Vault, world: World, ask: dict[str, object]
    ) -> None:
        """By name or with everything; another failure earns it the whole count again (6)."""
        quarantine(house, world)
        house.sync(**ask)
        assert house.fact("doc000", "state") == "failed"
        assert house.fact("doc000", "attempts") == 1
        world.fetch_errors.clear()
        house.sync()
        assert house.shown() == {"doc000", "doc001"}

    def test_a_new_version_brings_it_out_of_quarantine(self, house: Vault, world: World) -> None:
        """What failed may have been mended (6)."""
        quarantine(house, world)
        world.fetch_errors.clear()
        world.put("doc000", "mended")
        house.sync()
        assert house.texts() == world.texts()

    @pytest.mark.parametrize("kind", [Kind.LISTING, Kind.FEED])
    def test_behind_a_cursor_it_is_tried_when_due(
        self, house: Vault, world: World, register: Register, kind: Kind
    ) -> None:
        """The cursor has passed it; the retry list has not."""
        register(kind=kind, feed=ChangeFeed.COMPLETE)
        world.fill(3)
        house.sync()
        world.put("doc001", "changed")
        world.fetch_errors["doc001"] = SourceDown("500")
        house.sync()
        assert house.fact("doc001", "state") == "failed"
        world.fetch_errors.clear()
        run = house.sync()
        assert run.strategy == "delta"
        assert counts(run) == {"collected": 1, "fetched": 1, "parsed": 1, "indexed": 1}
        assert house.texts() == world.texts()

    def test_a_feed_that_names_it_again_is_no_second_try(
        self, house: Vault, world: World, with_feed: None
    ) -> None:
        """A feed may begin before its cursor; one run is one attempt, or quarantine comes early."""
        world.fill(2)
        house.sync()
        thing = world.put("doc001", "changed")
        world.fetch_errors["doc001"] = SourceDown("500")
        house.sync()
        world.tell("main", Changed(thing.item()))
        run = house.sync()
        assert (run.strategy, run.failed, house.fact("doc001", "attempts")) == ("delta", 1, 2)
        world.put("doc001", "changed anew")
        world.fetch_errors.clear()
        house.sync()
        assert house.texts() == world.texts()

    def test_behind_a_cursor_it_may_turn_out_to_be_gone(
        self, house: Vault, world: World, with_feed: None
    ) -> None:
        """Then its document goes, and so does the failure."""
        world.fill(2)
        house.sync()
        world.put("doc001", "changed")
        world.fetch_errors["doc001"] = SourceDown("500")
        house.sync()
        del world.scopes["main"]["doc001"]
        run = house.sync()
        assert counts(run) == {"deleted": 1}
        assert house.fact("doc001", "state") == "deleted"

    def test_what_a_feed_shows_no_longer_is_not_taken_for_gone(
        self, house: Vault, world: World, as_feed: None
    ) -> None:
        """Its older text stays; the tries in vain count, and end; a new version makes it good again."""
        world.fill(3)
        house.sync()
        world.put("doc001", "changed")
        world.fetch_errors["doc001"] = SourceDown("500")
        house.sync()
        facts = {name: house.fact("doc001", name) for name in ("path", "version", "url", "scope_pk")}
        world.untold.add("doc001")
        for attempts in range(2, 6):
            house.clock.advance(10**6)
            run = house.sync()
            assert (run.state, counts(run)) == ("SUCCEEDED", {"collected": 1, "failed": 1})
            assert [error["reason"] for error in run.details["errors"]] == ["not_shown"]
            assert house.fact("doc001", "attempts") == attempts
        assert house.fact("doc001", "state") == "quarantined"
        assert {name: house.fact("doc001", name) for name in facts} == facts
        assert house.texts()["doc001"] == "text of doc001"
        house.clock.advance(10**6)
        assert counts(house.sync()) == {}
        world.fetch_errors.clear()
        world.put("doc001", "changed again")
        house.sync()
        assert house.texts() == world.texts()

    def test_a_retry_that_cannot_be_looked_up_stops_nobody(
        self, house: Vault, world: World, with_feed: None
    ) -> None:
        """It stays due; what the feed reports is indexed, and the run tells."""
        world.fill(2)
        world.fetch_errors["doc000"] = SourceDown("500")
        house.sync()
        world.put("new", "brand new")
        world.find_error = SourceDown("lookups are off")
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert any("lookups are off" in note for note in run.details["notes"])
        assert house.shown() == {"doc001", "new"}
        world.find_error = None
        world.fetch_errors.clear()
        house.sync()
        assert house.texts() == world.texts()


class TestTheRun:
    @pytest.mark.parametrize("where", ["listing", "fetch"])
    @pytest.mark.parametrize("fetches", [1, 4])
    def test_refused_credentials_end_the_run_and_touch_nothing(
        self, house: Vault, world: World, register: Register, where: str, fetches: int
    ) -> None:
        """The connector shows the error; documents, ledger and cursor stay as they were."""
        register(fetches=fetches, feed=ChangeFeed.COMPLETE)
        world.fill(5)
        house.sync()
        world.remove("doc001")
        world.put("doc002", "changed")
        error = AuthRejected("The token is no longer good.", remedy="Sign in again.")
        if where == "listing":
            world.list_errors["main"] = world.feed_errors["main"] = (1, error)
        else:
            world.fetch_errors["doc002"] = error
        before = house.dump(but=("runs", "connectors"))
        saved = dict(house.cursors.saved)
        for mode in ("auto", "full", "incremental"):
            world.log["main"] = world.log["main"][:5]
            if where == "fetch" and mode == "full":
                # full reads the bodies before this one too, and what was indexed stays.
                continue
            if where == "fetch":
                world.put("doc002", "changed")
            run = house.sync(mode=mode)
            assert (run.state, run.error_code) == ("FAILED", "auth")
            assert "Sign in again" in (run.error_message or "")
            assert house.dump(but=("runs", "connectors")) == before
            assert house.cursors.saved == saved
        assert house.connector().status == "ERROR"

    def test_an_error_in_one_scope_leaves_the_others_alone(
        self, house: Vault, world: World, with_feed: None
    ) -> None:
        """Each saves its own mark and its own removals, in any order."""
        world.scopes = {"a": {}, "b": {}, "c": {}}
        for scope in world.scopes:
            world.fill(3, scope=scope, head=scope)
        house.sync()
        for scope in world.scopes:
            world.put(f"{scope}000", "changed", scope=scope)
            world.remove(f"{scope}001", scope=scope)
        world.feed_errors["b"] = (1, SourceDown("500"))
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "scope_incomplete")
        assert "500" in run.details["scopes"]["b"]["error"]
        assert house.shown() == {"a000", "a002", "b000", "b001", "b002", "c000", "c002"}
        world.feed_errors.clear()
        run = house.sync()
        assert run.details["scopes"]["a"]["reason"] == "cursor"
        assert run.details["scopes"]["b"]["reason"] == "incomplete"
        assert house.texts() == world.texts()

    def test_settings_that_cannot_work_fail_the_run_before_it_begins(
        self, house: Vault, world: World
    ) -> None:
        """With the name of the setting; the claim is given back."""
        house.configure(wrong=1)
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "config")
        assert "wrong" in (run.error_message or "")
        house.configure()
        assert house.sync().state == "SUCCEEDED"

    def test_a_source_that_refuses_its_settings_fails_the_run(self, house: Vault, world: World) -> None:
        """ConfigRejected from a scope names it; nothing is removed."""
        world.fill(2)
        house.sync()
        world.list_errors["main"] = (1, ConfigRejected("There is no such folder.", setting="path"))
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "scope_incomplete")
        assert "no such folder" in (run.error_message or "")
        assert len(house.shown()) == 2

    def test_a_lookup_that_fails_says_nothing_about_absence(self, house: Vault, world: World) -> None:
        """A named entry is not gone because the source is."""
        world.fill(2)
        house.sync()
        world.find_error = SourceDown("500")
        run = house.sync(file_filter=["doc000"])
        assert (run.state, run.error_code) == ("FAILED", "down")
        assert len(house.shown()) == 2


def quarantine(house: Vault, world: World) -> None:
    """Let doc000 fail five times."""
    world.fill(2)
    world.fetch_errors["doc000"] = SourceDown("500")
    for _ in range(5):
        house.sync()
        house.clock.advance(3600)
    assert house.fact("doc000", "state") == "quarantined"
