"""What named entries mean: exact, within the scope, and obeyed by every mode but full."""

from __future__ import annotations

import pytest

from catchment.kit.connector import ChangeFeed, Kind
from tests.support.scripted import World
from tests.support.vault import Vault, counts, done
from tests.sync.conftest import Register


class TestFilter:
    @pytest.mark.parametrize("kind", [Kind.LISTING, Kind.FEED])
    def test_auto_with_a_filter_takes_the_named_ones_if_they_changed(
        self, house: Vault, world: World, register: Register, kind: Kind
    ) -> None:
        """Filter and scope, minus what is unchanged; the cursor is neither read nor written."""
        register(kind=kind, feed=ChangeFeed.PARTIAL)
        world.fill(4)
        house.sync()
        saved = dict(house.cursors.saved)
        world.put("doc000", "changed")
        world.put("doc001", "changed, not named")
        run = house.sync(file_filter=["doc000", "/doc002"])
        assert counts(run) == done(1, collected=2, skipped=1)
        assert (run.strategy, run.reason) == ("targeted", "filter")
        assert house.texts()["doc000"] == "changed"
        assert house.texts()["doc001"] == "text of doc001"
        assert house.cursors.saved == saved

    def test_incremental_with_a_filter_always_takes_the_named_ones(self, house: Vault, world: World) -> None:
        """Also when nothing changed, and everything else stays."""
        world.fill(4)
        house.sync()
        before = house.ids()
        run = house.sync(mode="incremental", file_filter=["doc000"])
        assert counts(run) == done(1)
        assert house.ids() == before

    def test_entries_are_exact_keys_or_paths(self, house: Vault, world: World) -> None:
        """A leading slash is nothing, a pattern is a name like any other."""
        world.put("k1", "one", path="a/one.txt")
        world.put("k2", "two", path="a/two.txt")
        run = house.sync(file_filter=["/a/one.txt", "a/*"])
        assert counts(run) == done(1, collected=2, failed=1)
        assert run.state == "SUCCEEDED"
        assert [(error["key"], error["reason"]) for error in run.details["errors"]] == [("a/*", "not_found")]
        assert house.shown() == {"k1"}

    def test_one_thing_named_by_key_and_by_path_is_one_document(self, house: Vault, world: World) -> None:
        """New, known, and gone."""
        world.put("k1", "one", path="a/one.txt")
        for _ in range(2):
            run = house.sync(mode="incremental", file_filter=["k1", "a/one.txt"])
            assert run.state == "SUCCEEDED", run.error_message
            counts(run)
            assert house.texts() == {"k1": "one"}
        house.check_index()
        world.remove("k1")
        run = house.sync(file_filter=["k1", "a/one.txt"])
        assert run.state == "SUCCEEDED", run.error_message
        assert counts(run)["deleted"] == 1
        assert house.texts() == {}

    def test_what_lies_outside_the_scope_fails_with_out_of_scope(self, house: Vault, world: World) -> None:
        """By the source's own limits and by include and exclude alike; nothing is left in the ledger."""
        world.put("in/a", "inside")
        world.put("in/b.tmp", "inside, excluded")
        world.put("out/c", "outside")
        house.configure(prefix="in/", exclude=["*.tmp"])
        run = house.sync(file_filter=["in/a", "in/b.tmp", "out/c"])
        assert counts(run) == done(1, collected=3, failed=2)
        assert {error["reason"] for error in run.details["errors"]} == {"out_of_scope"}
        assert house.item("in/b.tmp") is None
        assert house.item("out/c") is None

    def test_an_item_of_a_scope_that_is_configured_no_longer_is_not_taken_for_gone(
        self, house: Vault, world: World, register: Register
    ) -> None:
        """Else its scope, come back with the mark it had, would not report it again, and it would be lost."""
        register(feed=ChangeFeed.COMPLETE)
        world.put("a", "words of a", scope="one")
        world.put("b", "words of b", scope="two")
        house.sync()
        house.configure(scopes=["one"])
        run = house.sync(file_filter=["b"])
        assert (run.deleted, [error["reason"] for error in run.details["errors"]]) == (0, ["out_of_scope"])
        house.configure()
        house.sync()
        assert house.texts() == world.texts()

    def test_a_name_that_means_nothing_is_no_failed_run(self, house: Vault, world: World) -> None:
        """not_found and out_of_scope alone do not fail a run."""
        run = house.sync(file_filter=["nowhere"])
        assert (run.state, counts(run)) == ("SUCCEEDED", {"collected": 1, "failed": 1})

    def test_a_named_item_that_is_gone_loses_its_document(self, house: Vault, world: World) -> None:
        """It counts as collected, gone and deleted; named again it is not found, and never retried."""
        world.fill(3)
        house.sync()
        world.remove("doc001")
        run = house.sync(file_filter=["doc001"])
        assert counts(run) == {"collected": 1, "gone": 1, "deleted": 1}
        assert house.shown() == {"doc000", "doc002"}
        run = house.sync(file_filter=["doc001"])
        assert counts(run) == {"collected": 1, "failed": 1}
        assert house.fact("doc001", "state") == "deleted"
        assert house.fact("doc001", "next_attempt_at") is None

    def test_a_named_item_of_which_nothing_can_be_told_keeps_its_document(
        self, house: Vault, world: World, as_feed: None
    ) -> None:
        """A feed that shows it no longer proves nothing; the person hears why nothing was done."""
        world.fill(3)
        house.sync()
        before = house.item("doc001")
        world.untold.add("doc001")
        run = house.sync(file_filter=["doc001"])
        assert (run.state, counts(run)) == ("SUCCEEDED", {"collected": 1, "failed": 1})
        (error,) = run.details["errors"]
        assert (error["reason"], error["error"]) == ("not_found", "Only the newest are shown.")
        assert house.item("doc001") == before
        assert house.shown() == {"doc000", "doc001", "doc002"}

    @pytest.mark.parametrize("living_at", ["a.txt", "b.txt"])
    def test_a_gone_item_is_found_by_its_path(self, house: Vault, world: World, living_at: str) -> None:
        """Also when an earlier item, long gone, had the same path."""
        world.put("living", "words", path=living_at)
        house.sync()
        world.put("dead", "words", path="a.txt")
        house.sync()
        world.remove("dead")
        world.rename("living", "a.txt")
        house.sync()
        world.remove("living")
        run = house.sync(file_filter=["a.txt"])
        assert counts(run) == {"collected": 1, "gone": 1, "deleted": 1}
        assert house.shown() == set()

    def test_a_named_item_that_the_settings_leave_out_keeps_its_state(
        self, house: Vault, world: World
    ) -> None:
        """out_of_scope is about the name, not about the item."""
        world.put("a.tmp", "words")
        house.sync()
        house.configure(exclude=["*.tmp"])
        run = house.sync(file_filter=["a.tmp"])
        assert counts(run) == {"collected": 1, "failed": 1}
        assert house.fact("a.tmp", "state") == "indexed"
        house.sync()
        assert house.fact("a.tmp", "state") == "deleted"
        house.sync(file_filter=["a.tmp"])
        assert house.fact("a.tmp", "state") == "deleted"

    def test_full_ignores_the_filter(self, house: Vault, world: World) -> None:
        """Everything in scope is done again."""
        world.fill(3)
        house.sync()
        assert counts(house.sync(mode="full", file_filter=["doc000"])) == done(3)

    def test_a_filter_larger_than_a_page_is_answered_whole(self, house: Vault, world: World) -> None:
        """Names are looked up page by page."""
        house.tune(page_items=2)
        keys = world.fill(7)
        run = house.sync(file_filter=[*keys, "nowhere"])
        assert counts(run) == done(7, collected=8, failed=1)
        assert house.texts() == world.texts()
