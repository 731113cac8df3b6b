"""What each mode does with each kind of source, counter by counter."""

from __future__ import annotations

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import SourceDown
from catchment.core.items import Changed
from catchment.core.runs import Mode
from catchment.kit.connector import ChangeFeed
from tests.support.scripted import World
from tests.support.vault import Vault, counts, done
from tests.sync.conftest import Register


class TestAutoByListing:
    def test_the_first_run_indexes_everything(self, house: Vault, world: World) -> None:
        """Everything in scope is fetched, parsed and indexed, and the run says how it looked."""
        world.fill(7)
        run = house.sync()
        assert counts(run) == done(7)
        assert (run.state, run.strategy, run.reason) == ("SUCCEEDED", "listing", "no_cursor")
        assert house.texts() == world.texts()

    def test_a_repeat_reads_no_body(self, house: Vault, world: World) -> None:
        """What is unchanged costs a listing and nothing else."""
        world.fill(7)
        house.sync()
        world.requests.clear()
        run = house.sync()
        assert counts(run) == {"collected": 7, "skipped": 7}
        assert run.reason == "no_change_feed"
        assert run.details["skipped"] == {"unchanged": 7}
        assert world.requests["fetch"] == 0

    def test_only_what_changed_is_read(self, house: Vault, world: World) -> None:
        """The cost follows the changes; a changed document keeps its id."""
        world.fill(7)
        house.sync()
        before = house.ids()
        world.put("doc002", "another text")
        world.put("new", "a new text")
        run = house.sync()
        assert counts(run) == done(2, collected=8, skipped=6)
        assert house.texts() == world.texts()
        assert {key: house.ids()[key] for key in before} == before

    def test_a_new_mark_on_the_same_content_is_recorded(self, house: Vault, world: World) -> None:
        """Equal bytes are not parsed again, and the next run need not even fetch them."""
        world.put("a", "the same")
        house.sync()
        world.put("a", "the same")
        run = house.sync()
        assert counts(run) == {"collected": 1, "fetched": 1, "skipped": 1}
        assert run.details["skipped"] == {"same_content": 1}
        assert house.fact("a", "version") == world.scopes["main"]["a"].version
        assert counts(house.sync()) == {"collected": 1, "skipped": 1}

    def test_without_marks_the_last_quarter_of_an_hour_counts_as_unchanged(
        self, house: Vault, world: World, clock: SetClock
    ) -> None:
        """Recently processed means 15 minutes; later the bytes are compared."""
        world.marks = False
        world.put("a", "old")
        house.sync()
        world.put("a", "new")
        clock.advance(899)
        assert counts(house.sync()) == {"collected": 1, "skipped": 1}
        clock.advance(1)
        assert counts(house.sync()) == done(1)
        assert house.texts() == {"a": "new"}
        clock.advance(901)
        assert counts(house.sync()) == {"collected": 1, "fetched": 1, "skipped": 1}

    def test_a_rename_is_an_update_without_a_fetch(self, house: Vault, world: World) -> None:
        """Path and title follow; id and text stay."""
        world.put("a", "words", path="old place.txt")
        house.sync()
        before = house.ids()
        world.rename("a", "fresh spot.txt")
        assert counts(house.sync()) == {"collected": 1, "skipped": 1}
        assert [hit.title for hit in house.search("spot")] == ["fresh spot.txt"]
        assert not house.search("place")
        assert house.ids() == before
        house.check_index()

    @pytest.mark.parametrize("marks", [True, False])
    def test_an_unchanged_item_named_twice_counts_once(
        self, house: Vault, world: World, clock: SetClock, marks: bool
    ) -> None:
        """On one page and on two; it is read at most once."""
        world.marks = marks
        house.tune(page_items=2)
        world.fill(5)
        house.sync()
        world.repeat = ["doc000", "doc004"]
        clock.advance(1000)
        run = house.sync()
        assert (run.collected, run.skipped, run.fetched) == (5, 5, 0 if marks else 5)

    def test_an_item_named_twice_by_a_listing_is_one_document(self, house: Vault, world: World) -> None:
        """On one page, on two pages, new, changed or unchanged: one document, and the run goes through."""
        house.tune(page_items=2)
        world.fill(5)
        world.repeat = ["doc000", "doc004"]
        for _ in range(2):
            run = house.sync()
            assert run.state == "SUCCEEDED", run.error_message
            counts(run)
            assert house.texts() == world.texts()
            house.check_index()
            world.put("doc000", "changed")
            world.put("doc004", "changed too")
        world.marks = False
        world.put("doc004", "changed again")
        run = house.sync()
        assert run.state == "SUCCEEDED", run.error_message
        assert house.texts() == world.texts()
        house.check_index()


class TestAutoByDelta:
    @pytest.fixture(autouse=True)
    def _feed(self, with_feed: None) -> None:
        """The source has a complete change feed."""

    def test_the_cursor_is_followed(self, house: Vault, world: World) -> None:
        """After one listing, only the changes are asked for, deletions included."""
        world.fill(7)
        house.sync()
        world.requests.clear()
        world.put("doc001", "changed")
        world.put("new", "brand new")
        world.remove("doc002")
        run = house.sync()
        assert counts(run) == done(2, deleted=1)
        assert (run.strategy, run.reason) == ("delta", "cursor")
        assert world.requests["list"] == 0
        assert house.texts() == world.texts()

    def test_what_is_reported_again_is_not_read_again(self, house: Vault, world: World) -> None:
        """A feed with a closed lower bound costs a comparison."""
        world.fill(2)
        house.sync()
        thing = world.scopes["main"]["doc000"]
        world.tell("main", Changed(thing.item()))
        assert counts(house.sync()) == {"collected": 1, "skipped": 1}

    def test_a_reported_change_without_a_mark_is_never_taken_for_unchanged(
        self, house: Vault, world: World, clock: SetClock
    ) -> None:
        """The report is the evidence: the cursor passes it, so skipping it would lose it."""
        world.marks = False
        world.put("a", "old")
        house.sync()
        world.put("a", "new")
        clock.advance(60)
        assert counts(house.sync()) == done(1)
        assert house.texts() == {"a": "new"}

    def test_a_listing_without_marks_guesses_nothing_where_the_cursor_moves_on(
        self, house: Vault, world: World
    ) -> None:
        """Recently processed is no proof, and no later listing would notice."""
        world.marks = False
        world.put("a", "old")
        house.sync()
        world.put("a", "new")
        world.expired_below = 2
        house.sync()
        assert house.sync().strategy == "delta"
        assert house.texts() == {"a": "new"}

    def test_the_settings_can_ask_for_listings(self, house: Vault, world: World) -> None:
        """auto_strategy listing switches delta off, and the run says so."""
        world.fill(2)
        house.configure(auto_strategy="listing")
        house.sync()
        run = house.sync()
        assert (run.strategy, run.reason) == ("listing", "configured")

    @pytest.mark.parametrize("page", [1, 2, 50])
    @pytest.mark.usefixtures("lagging")
    def test_the_last_word_about_a_key_counts(self, house: Vault, world: World, page: int) -> None:
        """Made, changed, deleted, restored within one reading of the feed, in any order."""
        world.page = page
        house.tune(page_items=1)
        world.fill(4)
        house.sync()
        gone = world.remove("doc000")
        world.scopes["main"]["doc000"] = gone
        world.tell("main", Changed(gone.item()))
        world.put("short-lived", "here and gone")
        world.remove("short-lived")
        world.put("doc001", "first")
        world.put("doc001", "second")
        world.put("doc002", "changed, then deleted")
        world.remove("doc002")
        world.put("fresh", "one")
        world.put("fresh", "two")
        run = house.sync()
        assert run.state == "SUCCEEDED", run.error_message
        counts(run)
        assert house.texts() == world.texts()
        house.check_index()
        assert counts(house.sync()) == {}

    def test_deleted_while_its_first_version_is_on_its_way_in(
        self, house: Vault, world: World, lagging: None
    ) -> None:
        """The ledger knows nothing of it yet, and the deletion must not be lost for that."""
        world.page = 1
        house.sync()
        world.put("short-lived", "was read")
        world.put("other", "stays")
        world.before_event["main", 2] = lambda: world.remove("short-lived") and None
        house.sync()
        assert world.fetched == ["short-lived", "other"]
        assert house.texts() == {"other": "stays"}

    @pytest.mark.parametrize("page", [1, 50])
    def test_allowed_and_refused_again_within_one_reading_is_refused(
        self, house: Vault, world: World, page: int
    ) -> None:
        """The ledger still says refused, while the document that was allowed is on its way in."""
        world.marks = False
        world.page = page
        house.tune(page_items=1)
        world.put("a", "words", refusal="storage_class: GLACIER")
        house.sync()
        world.put("a", "words", refusal=None)
        world.tell("main", Changed(world.put("a", "words", refusal="storage_class: GLACIER").item()))
        house.sync()
        assert house.texts() == {}

    def test_a_change_and_back_within_one_reading_leaves_the_content_that_is_there(
        self, house: Vault, world: World
    ) -> None:
        """The second fetch returns what the index had before, while the first is still on its way."""
        world.page = 1
        world.put("a", "original")
        house.sync()
        world.put("a", "detour")
        world.put("a", "original")
        bodies = iter(["detour", "original"])

        def serve(key: str) -> None:
            world.scopes["main"][key].text = next(bodies)

        world.before_fetch = serve
        house.sync()
        assert house.texts() == {"a": "original"}

    @pytest.mark.parametrize("route", [("a", "b"), ("b", "a")])
    @pytest.mark.parametrize("mode", ["auto", "incremental"])
    def test_what_moves_to_another_scope_stays_a_document(
        self, house: Vault, world: World, route: tuple[str, str], mode: str
    ) -> None:
        """Deleted in one scope, reported in the other, in one run, whichever comes first."""
        source, target = route
        world.scopes = {"a": {}, "b": {}}
        world.fill(3, scope="a", head="a")
        world.fill(3, scope="b", head="b")
        house.sync()
        before = house.ids()
        world.transfer(f"{source}001", source, target)
        run = house.sync(mode=mode)
        assert (run.state, run.strategy) == ("SUCCEEDED", "delta")
        counts(run)
        assert house.texts() == world.texts()
        assert house.ids() == before
        world.remove(f"{source}001", scope=target)
        house.sync(mode=mode)
        assert house.texts() == world.texts()


class TestAutoOfAFeed:
    @pytest.fixture(autouse=True)
    def _feed(self, as_feed: None) -> None:
        """The source shows only what is new."""

    def test_it_takes_what_is_new_and_keeps_what_is_no_longer_shown(self, house: Vault, world: World) -> None:
        """Absence means nothing."""
        world.fill(4)
        run = house.sync()
        assert counts(run) == done(4)
        assert (run.strategy, run.reason) == ("delta", "no_cursor")
        world.scopes["main"].clear()
        world.put("next", "more")
        run = house.sync()
        assert counts(run) == done(1)
        assert run.reason == "feed"
        assert house.shown() == {"doc000", "doc001", "doc002", "doc003", "next"}

    def test_an_explicit_deletion_counts(self, house: Vault, world: World) -> None:
        """The feed's own word removes a document."""
        world.fill(2)
        house.sync()
        world.remove("doc000")
        assert counts(house.sync()) == {"deleted": 1}
        assert house.shown() == {"doc001"}

    def test_full_reads_again_what_the_feed_still_shows(self, house: Vault, world: World) -> None:
        """From an empty mark, in place; what it shows no more stays as it is."""
        world.fill(3)
        house.sync()
        before = house.ids()
        del world.log["main"][0]
        run = house.sync(mode="full")
        assert counts(run) == done(2)
        assert run.reason == "full"
        assert house.ids() == before

    def test_full_leaves_the_cursor_alone_until_it_succeeds(self, house: Vault, world: World) -> None:
        """A full reading that breaks off must not set the feed back."""
        house.tune(cursor_seconds=0)
        world.fill(9)
        house.sync()
        saved = house.cursors.saved[house.connector().id].current
        world.feed_errors["main"] = (8, SourceDown("off"))
        assert house.sync(mode="full").state == "FAILED"
        assert house.cursors.saved[house.connector().id].current == saved

    def test_a_partition_that_left_the_scope_goes_and_starts_empty_when_it_returns(
        self, house: Vault, world: World
    ) -> None:
        """Its documents go with it; when it is back, everything it shows is read again."""
        world.fill(2)
        world.fill(2, scope="side", head="side")
        house.sync()
        house.configure(scopes=["main"])
        run = house.sync()
        assert counts(run) == {"deleted": 2}
        assert run.details["narrowed"] == 2
        house.configure()
        house.sync()
        assert house.texts() == world.texts()


class TestFull:
    @pytest.mark.parametrize("feed", [ChangeFeed.NONE, ChangeFeed.COMPLETE])
    def test_everything_is_done_again_in_place(
        self, house: Vault, world: World, register: Register, feed: ChangeFeed
    ) -> None:
        """Identical documents too, under the same ids; what is gone goes."""
        register(feed=feed)
        world.fill(5)
        house.sync()
        before = house.ids()
        world.remove("doc004")
        run = house.sync(mode="full")
        assert counts(run) == done(4, deleted=1)
        assert (run.strategy, run.reason) == ("listing", "full")
        assert house.ids() == {key: before[key] for key in before if key != "doc004"}
        house.check_index()


class TestIncremental:
    def test_without_a_cursor_it_starts_from_the_beginning(self, house: Vault, world: World) -> None:
        """And says so."""
        world.fill(3)
        run = house.sync(mode="incremental")
        assert counts(run) == done(3)
        assert run.reason == "no_cursor"

    def test_without_a_feed_the_marks_report_the_changes(self, house: Vault, world: World) -> None:
        """Only what changed counts at all; nothing is deleted by absence."""
        world.fill(4)
        house.sync()
        world.put("doc001", "changed")
        world.remove("doc002")
        run = house.sync(mode="incremental")
        assert counts(run) == done(1)
        assert run.reason == "no_change_feed"
        assert house.shown() == {"doc000", "doc001", "doc002", "doc003"}

    def test_with_a_feed_what_is_reported_is_taken_even_if_identical(
        self, house: Vault, world: World, with_feed: None
    ) -> None:
        """No check: reported means fetched, parsed and indexed; the cursor moves."""
        world.fill(4)
        house.sync()
        world.put("doc001", "text of doc001")
        world.remove("doc002")
        run = house.sync(mode="incremental")
        assert counts(run) == done(1, deleted=1)
        assert (run.strategy, run.reason) == ("delta", "cursor")
        assert counts(house.sync(mode="incremental")) == {}

    def test_of_a_feed_it_takes_what_is_new(self, house: Vault, world: World, as_feed: None) -> None:
        """As auto does, without the check."""
        world.fill(2)
        house.sync()
        world.put("doc000", "text of doc000")
        assert counts(house.sync(mode="incremental")) == done(1)

    def test_a_listing_in_place_of_an_expired_cursor_leaves_deletions_to_the_next_auto(
        self, house: Vault, world: World, with_feed: None
    ) -> None:
        """It deletes nothing itself, so it must not let the cursor pass what was deleted."""
        world.fill(3)
        house.sync()
        world.remove("doc001")
        world.expired_below = 4
        run = house.sync(mode="incremental")
        assert (run.strategy, run.reason) == ("listing", "cursor_expired")
        assert house.shown() == {"doc000", "doc001", "doc002"}
        house.sync()
        assert house.shown() == {"doc000", "doc002"}


class TestDryRun:
    @pytest.mark.parametrize("mode", list(Mode))
    def test_it_says_what_would_be_done_and_writes_only_its_own_row(
        self, house: Vault, world: World, mode: Mode
    ) -> None:
        """Its counters are what the real run then has."""
        world.fill(30)
        house.sync()
        world.put("doc000", "changed")
        world.put("new", "new")
        world.put("refused", "no", refusal="storage_class: GLACIER")
        world.remove("doc001")
        before, saved = house.dump(but=("runs",)), dict(house.cursors.saved)
        dry = house.sync(mode=mode.value, dry_run=True)
        assert house.dump(but=("runs",)) == before
        assert house.cursors.saved == saved
        assert dry.state == "SUCCEEDED"
        assert counts(dry) == counts(house.sync(mode=mode.value))

    def test_it_tells_what_would_be_fetched_and_deleted(self, house: Vault, world: World) -> None:
        """By key; and no body is read for it."""
        world.fill(3)
        house.sync()
        world.put("new", "new")
        world.remove("doc001")
        world.requests.clear()
        run = house.sync(dry_run=True)
        assert run.details["would"] == {"fetch": ["new"], "delete": ["doc001"]}
        assert world.requests["fetch"] == 0

    def test_it_takes_no_claim(self, house: Vault, world: World) -> None:
        """It runs beside an active run, and on a connector that is paused."""
        world.fill(2)
        active = house.begin()
        house.sync(dry_run=True)
        house.work(active)
        assert house.run(active.row.id).state == "SUCCEEDED"
        house.mark(paused=True)
        assert house.sync(dry_run=True).state == "SUCCEEDED"


@pytest.mark.usefixtures("with_feed")
def test_changes_alone_do_not_make_up_for_a_listing_without_removals(house: Vault, world: World) -> None:
    """What went before the mark of an incremental listing is found by the next automatic run."""
    world.fill(3)
    house.sync()
    house.cursors.saved.clear()
    world.remove("doc000")
    strategies = [house.sync(mode="incremental").strategy for _ in range(2)]
    assert strategies == ["listing", "delta"]
    run = house.sync()
    assert (run.strategy, run.reason, run.deleted) == ("listing", "incomplete", 1)
    assert house.shown() == {"doc001", "doc002"}
    assert house.sync().strategy == "delta"
