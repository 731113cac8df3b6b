"""The cursor: read with suspicion, moved last, lost without loss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from catchment.core.errors import SourceDown
from catchment.kit.connector import ChangeFeed, Kind
from catchment.sync.cursor import SavedCursor
from tests.support.dying import back_up, dying_commit, dying_save, restore
from tests.support.scripted import World
from tests.support.vault import Crash, Vault, counts
from tests.support.waiting import until
from tests.sync.conftest import Register

pytestmark = pytest.mark.usefixtures("with_feed")


def saved(house: Vault) -> SavedCursor:
    """Return what the block of the connector holds."""
    found = house.cursors.load(house.connector().id)
    assert found is not None
    return found


def marks(house: Vault) -> dict[str, str]:
    """Return the mark of each scope as the block holds it."""
    return dict(json.loads(saved(house).current.text)["scopes"])


class TestWhenItIsTaken:
    def test_a_change_in_the_middle_of_the_first_listing_is_not_lost(
        self, house: Vault, world: World
    ) -> None:
        """The mark is from before the listing, so the next run sees the change again (4)."""
        world.fill(9)

        def meanwhile() -> None:
            world.put("doc000", "changed behind the listing's back")
            world.put("aaa", "new behind the listing's back")
            world.remove("doc001")

        world.before_item["main", 7] = meanwhile
        house.sync()
        assert marks(house) == {"main": "9"}
        world.before_item.clear()
        run = house.sync()
        assert run.strategy == "delta"
        assert house.texts() == world.texts()


class TestWhenItIsRefused:
    def test_an_expired_cursor_leads_to_a_complete_listing(self, house: Vault, world: World) -> None:
        """By itself, with the reason on the run; deletions of the gap are found (3)."""
        world.fill(4)
        house.sync()
        world.remove("doc001")
        world.put("doc002", "changed")
        world.expired_below = 6
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert (run.strategy, run.reason) == ("listing", "cursor_expired")
        assert run.details["scopes"]["main"]["reason"] == "cursor_expired"
        assert house.texts() == world.texts()
        assert house.sync().reason == "cursor"

    def test_a_feed_whose_cursor_expired_begins_anew(
        self, house: Vault, world: World, register: Register
    ) -> None:
        """There is no listing to fall back to (3)."""
        register(kind=Kind.FEED, feed=ChangeFeed.PARTIAL)
        world.fill(4)
        house.sync()
        world.put("new", "brand new")
        world.expired_below = 5
        run = house.sync()
        assert (run.state, run.strategy, run.reason) == ("SUCCEEDED", "delta", "cursor_expired")
        assert house.texts() == world.texts()

    def test_another_version_of_the_connector_does_not_read_it(
        self, house: Vault, world: World, register: Register
    ) -> None:
        """Its meaning may have changed."""
        world.fill(2)
        house.sync()
        register(feed=ChangeFeed.COMPLETE, version=2)
        run = house.sync()
        assert (run.strategy, run.reason) == ("listing", "cursor_version")
        assert house.sync().reason == "cursor"

    def test_another_scope_asks_for_a_listing(self, house: Vault, world: World) -> None:
        """Settings that decide what belongs to it, and no others."""
        world.fill(2)
        house.sync()
        house.configure(exclude=["*.tmp"])
        run = house.sync()
        assert (run.strategy, run.reason) == ("listing", "config_changed")
        house.configure(exclude=["*.tmp"], reconcile_seconds=1000)
        assert house.sync().reason == "cursor"

    def test_once_a_day_everything_is_compared(self, house: Vault, world: World) -> None:
        """What the feed kept to itself is found."""
        world.fill(3)
        house.sync()
        del world.scopes["main"]["doc001"]
        house.clock.advance(24 * 3600)
        assert house.sync().reason == "cursor"
        assert "doc001" in house.shown()
        house.clock.advance(1)
        run = house.sync()
        assert (run.strategy, run.reason) == ("listing", "reconcile")
        assert house.texts() == world.texts()
        assert house.sync().reason == "cursor"

    def test_after_an_unfinished_scope_everything_is_compared(self, house: Vault, world: World) -> None:
        """Its cursor stayed, and the run after a failure trusts nothing but a listing."""
        world.fill(3)
        house.sync()
        world.put("doc001", "changed")
        world.feed_errors["main"] = (1, SourceDown("500"))
        house.sync()
        assert marks(house) == {"main": "3"}
        world.feed_errors.clear()
        run = house.sync()
        assert (run.strategy, run.reason) == ("listing", "incomplete")
        assert house.texts() == world.texts()

    def test_a_block_of_another_store_is_not_believed(self, house: Vault, world: World) -> None:
        """Two installations may share one Prefect."""
        world.fill(2)
        house.sync()
        house.cursors.save(replace(saved(house), store_id="another"))
        assert house.sync().reason == "cursor_ahead"
        assert house.sync().reason == "cursor"

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"version":1}', '{"version":1,"scopes":7}'])
    def test_a_block_that_holds_nonsense_is_not_believed(self, house: Vault, world: World, text: str) -> None:
        """Edited by hand in the Prefect UI: whatever it holds costs one listing."""
        world.fill(2)
        house.sync()
        block = saved(house)
        house.cursors.save(replace(block, current=replace(block.current, text=text), previous=()))
        run = house.sync()
        assert (run.state, run.strategy) == ("SUCCEEDED", "listing")
        assert house.sync().reason == "cursor"

    def test_a_block_that_is_lost_costs_one_listing(self, house: Vault, world: World) -> None:
        """It is written again, even where the mark is the same as before."""
        world.fill(2)
        house.sync()
        house.cursors.saved.clear()
        assert house.sync().reason == "no_cursor"
        assert house.sync().reason == "cursor"


class TestCrashes:
    def test_between_the_commit_and_the_save_it_costs_a_repeat(
        self, house: Vault, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The older cursor is still good: no doubles, nothing missing, and the next save holds (7)."""
        world.fill(3)
        house.sync()
        world.put("doc000", "changed")
        world.put("new", "brand new")
        world.remove("doc001")
        with monkeypatch.context() as patch:
            patch.setattr(house.cursors, "save", die)
            assert house.crash()
        assert house.texts() == world.texts()
        assert marks(house) == {"main": "3"}
        run = house.sync()
        assert (run.strategy, run.reason) == ("delta", "cursor")
        assert counts(run) == {"collected": 2, "skipped": 2}
        assert house.texts() == world.texts()
        house.check_index()
        assert marks(house) == {"main": "6"}
        assert counts(house.sync()) == {}

    def test_before_the_commit_nothing_is_lost(self, house: Vault, world: World) -> None:
        """The transaction falls whole, the cursor has not moved (7)."""
        world.fill(3)
        house.sync()
        world.put("doc000", "changed")
        world.put("new", "brand new")
        for at in range(1, 8):
            with dying_commit(house, at):
                if not house.crash():
                    break
            assert marks(house) == {"main": "3"}
        else:
            raise AssertionError("the run never came to its end")
        assert at > 3
        assert house.texts() == world.texts()
        house.check_index()
        assert marks(house) == {"main": "5"}

    def test_in_every_transaction_of_a_first_sync(self, house: Vault, world: World) -> None:
        """Died at the first commit, the second, ...: each time the rest is done by the next run (7)."""
        house.tune(first_batch_items=2, batch_items=2)
        world.fill(9)
        for at in range(1, 30):
            with dying_commit(house, at):
                if not house.crash():
                    break
        assert at > 5
        assert house.texts() == world.texts()
        house.check_index()


class TestManyScopes:
    """A save tells the marks of all scopes, so it is not made for each of them."""

    def test_share_their_saves(self, house: Vault, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first that ends, and all others together at the end of the run."""
        house.tune(cursor_seconds=30)
        for number in range(20):
            world.put(f"doc{number:02}", "words", scope=f"s{number:02}")
        saves: list[int] = []
        save = house.cursors.save

        def count(cursor: SavedCursor) -> None:
            saves.append(len(json.loads(cursor.current.text)["scopes"]))
            save(cursor)

        monkeypatch.setattr(house.cursors, "save", count)
        assert house.sync().state == "SUCCEEDED"
        assert saves == [1, 21]
        assert house.sync().reason == "cursor"
        assert saves == [1, 21], "nothing has moved"

    def test_that_were_read_before_a_crash_are_read_again_and_nothing_is_lost(
        self, house: Vault, world: World
    ) -> None:
        """Their marks are older than what is indexed, which costs a look and no more."""
        house.tune(cursor_seconds=30)
        for number in range(6):
            world.put(f"doc{number}", "words", scope=f"s{number}")
        for at in range(1, 40):
            with dying_commit(house, at):
                if not house.crash():
                    break
        assert house.texts() == world.texts()
        house.check_index()
        assert counts(house.sync()) == {}


class TestWhichValueIsBelieved:
    def test_a_restored_store_lists_everything(self, house: Vault, world: World, tmp_path: Path) -> None:
        """The block is newer than the store: reason cursor_ahead, and nothing is missing (28)."""
        world.fill(4)
        house.sync()
        copy = back_up(house, tmp_path)
        world.put("doc000", "changed")
        world.put("new", "brand new")
        world.remove("doc001")
        house.sync()
        house.sync()
        restore(house, copy)
        assert house.shown() == {"doc000", "doc001", "doc002", "doc003"}
        run = house.sync()
        assert (run.strategy, run.reason) == ("listing", "cursor_ahead")
        assert house.texts() == world.texts()
        assert house.sync().reason == "cursor"

    def test_a_restored_store_goes_on_from_an_older_value_when_only_changes_are_asked_for(
        self, house: Vault, world: World, tmp_path: Path
    ) -> None:
        """Incremental begins at the newest value that fits the store; the next auto run compares all."""
        world.fill(4)
        house.sync()
        copy = back_up(house, tmp_path)
        world.put("doc000", "changed")
        world.remove("doc001")
        house.sync()
        restore(house, copy)
        run = house.sync(mode="incremental")
        assert run.strategy == "delta"
        assert house.texts() == world.texts()

    @pytest.mark.parametrize("then", ["auto", "incremental"])
    @pytest.mark.parametrize(
        ("what", "at"), [*(("commit", n) for n in range(1, 7)), ("save", 1), ("save", 2)]
    )
    def test_a_restored_store_that_dies_between_two_scopes_believes_nothing_newer(
        self, house: Vault, world: World, tmp_path: Path, then: str, what: str, at: int
    ) -> None:
        """The first scope's save must not make the block's word about the second believable (28, 7)."""
        world.scopes = {"a": {}, "b": {}}
        world.fill(2, scope="a", head="a")
        world.fill(2, scope="b", head="b")
        house.sync()
        copy = back_up(house, tmp_path)
        world.put("b000", "changed", scope="b")
        world.put("b-new", "brand new", scope="b")
        house.sync()
        restore(house, copy)
        with dying_commit(house, at) if what == "commit" else dying_save(house, at):
            assert house.crash()
        house.sync(mode=then)
        house.sync()
        assert house.texts() == world.texts()

    def test_a_value_that_was_changed_behind_our_back_is_passed_over(
        self, house: Vault, world: World
    ) -> None:
        """Of the same revision only the text with the right hash counts."""
        world.fill(2)
        house.sync()
        world.put("new", "brand new")
        block = saved(house)
        forged = block.current.text.replace('"2"', '"3"')
        assert forged != block.current.text
        house.cursors.save(replace(block, current=replace(block.current, text=forged)))
        run = house.sync()
        assert (run.strategy, run.reason) == ("listing", "cursor_ahead")
        assert house.texts() == world.texts()

    def test_five_values_before_the_newest_are_kept(self, house: Vault, world: World) -> None:
        """Newest first, each of an older revision."""
        for number in range(8):
            world.put("a", f"text {number}")
            house.sync()
        block = saved(house)
        revisions = [value.revision for value in (block.current, *block.previous)]
        assert len(revisions) == 6
        assert revisions == sorted(revisions, reverse=True)
        assert block.current.revision == house.connector().cursor_revision

    def test_a_quiet_source_saves_nothing(self, house: Vault, world: World) -> None:
        """The same cursor is not a new revision."""
        world.fill(2)
        house.sync()
        before = saved(house)
        house.sync()
        assert saved(house) == before


class TestALongDelta:
    def test_it_is_saved_on_the_way_but_not_too_often(self, house: Vault, world: World) -> None:
        """After the batches before a checkpoint are committed, and at most every half a minute."""
        house.sync()
        world.fill(30)
        saves: list[str] = []
        keep = house.cursors.save

        def note(cursor: SavedCursor) -> None:
            saves.append(json.loads(cursor.current.text)["scopes"]["main"])
            indexed = len(house.shown())
            assert indexed >= int(saves[-1]), "the cursor is ahead of the index"
            keep(cursor)

        house.cursors.save = note  # type: ignore[method-assign]
        for number in range(1, 31):
            world.before_event["main", number] = lambda: house.clock.advance(5)
        world.before_event["main", 4] = lambda: until(lambda: saves == ["3"])
        # Else all the rest may be collected before the lane that saves gets to it.
        world.before_event["main", 16] = lambda: until(lambda: len(saves) > 1)
        house.sync()
        assert saves[0] == "3"
        assert saves[-1] == "30"
        assert 2 < len(saves) < 9

    def test_what_was_saved_on_the_way_is_where_the_next_run_begins(self, house: Vault, world: World) -> None:
        """A delta that breaks off keeps what it committed."""
        house.tune(cursor_seconds=0)
        house.sync()
        world.fill(9)

        def die_when_something_is_saved() -> None:
            until(lambda: marks(house)["main"] != "0")
            raise Crash

        world.before_event["main", 8] = die_when_something_is_saved
        assert house.crash()
        assert 0 < int(marks(house)["main"]) <= 6
        world.before_event.clear()
        world.requests.clear()
        run = house.sync()
        assert run.reason == "cursor"
        assert world.requests["changes"] < 4
        assert house.texts() == world.texts()

    def test_a_failed_document_does_not_hold_it(self, house: Vault, world: World) -> None:
        """It is on the retry list, and the cursor passes it (5)."""
        world.fill(2)
        house.sync()
        world.put("doc000", "changed")
        world.fetch_errors["doc000"] = SourceDown("500")
        house.sync()
        assert marks(house) == {"main": "3"}


class TestScopesThatReturn:
    @pytest.mark.parametrize("kind", [Kind.LISTING, Kind.FEED])
    @pytest.mark.parametrize("at", range(1, 12))
    def test_a_scope_taken_out_and_put_back_is_read_again(
        self, house: Vault, world: World, register: Register, kind: Kind, at: int
    ) -> None:
        """Its old cursor would pass over the documents that were removed; also when the run died then."""
        register(kind=kind, feed=ChangeFeed.COMPLETE)
        world.scopes = {"a": {}, "b": {}}
        world.fill(2, scope="a", head="a")
        world.fill(2, scope="b", head="b")
        house.sync()
        house.configure(scopes=["a"])
        with dying_commit(house, at):
            if not house.crash():
                assert house.shown() == {"a000", "a001"}
        house.configure()
        house.sync()
        assert house.texts() == world.texts()


def die(*_: Any) -> None:
    """Crash."""
    raise Crash
