"""The change feed: what had a new version since a moment, by exact times, in every zone."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from catchment.core.items import Changed, Complete
from catchment.kit import CursorExpired
from connectors.confluence import Confluence
from tests.support.confluence import Bench, expected, listed, personal
from tests.support.vault import Vault

WAYS = ["cloud", "data center"]


def way_in(bench: Bench, way: str, **settings: object) -> Confluence:
    return bench.source(credentials=personal() if way == "data center" else None, **settings)


def mark_of(source: Confluence) -> str:
    """List everything, and return the mark."""
    *_, last = source.listing(source.scopes()[0])
    assert isinstance(last, Complete)
    assert last.mark is not None
    return last.mark


def delta(source: Confluence, cursor: str) -> tuple[list[str], str]:
    """Return the keys that the feed reports, in order, and where the next begins."""
    *events, last = source.changes(source.scopes()[0], cursor)
    assert isinstance(last, Complete)
    assert last.mark is not None
    keys = []
    for event in events:
        assert isinstance(event, Changed)
        keys.append(event.item.key)
    return keys, last.mark


@pytest.mark.parametrize("way", WAYS)
class TestEachKindOfChange:
    def test_is_seen_oldest_first(self, bench: Bench, way: str) -> None:
        """New and edited pages, posts, comments and files; at pages that nobody touched, too."""
        world = bench.world
        page = world.add_page("ENG", "Page", "<p>One.</p>")
        other = world.add_page("ENG", "Other")
        cursor = mark_of(way_in(bench, way))
        bench.clock.advance(86_400)
        acts = {
            "edit": lambda: world.edit(page, "<p>Two.</p>") or page,
            "rename": lambda: world.rename(other, "Another") or other,
            "new": lambda: world.add_page("ENG", "New", parent=other),
            "post": lambda: world.add_blogpost("ENG", "Post"),
            "remark": lambda: world.add_comment(page, "<p>Remark.</p>"),
            "file": lambda: world.attach(page, "a.txt", b"a"),
        }
        changed = []
        for act in acts.values():
            changed.append(act())
            bench.clock.advance(60)
        keys, after = delta(way_in(bench, way), cursor)
        assert keys == [bench.world.contents[id_].shown_id for id_ in changed]
        bench.clock.advance(3600)
        assert delta(way_in(bench, way), after)[0] == []

    def test_stands_where_a_listing_says(self, bench: Bench, way: str) -> None:
        """Items of both are equal, so that nothing is moved to and fro."""
        world = bench.world
        cursor = mark_of(way_in(bench, way))
        top = world.add_page("ENG", "Top")
        page = world.add_page("ENG", "Page", parent=world.add_folder("ENG", "Folder", parent=top))
        world.add_comment(page, "<p>x</p>")
        world.attach(world.add_blogpost("ENG", "Post"), "a.txt", b"a")
        source = way_in(bench, way)
        found = listed(way_in(bench, way))
        for event in source.changes(source.scopes()[0], cursor):
            if isinstance(event, Changed):
                assert event.item == found[event.item.key]

    def test_deletions_and_moves_are_left_to_the_listing(self, bench: Bench, way: str) -> None:
        """Blind spots: the feed says nothing false about them, and the next listing has them right."""
        world = bench.world
        pages = [world.add_page("ENG", f"Page {number}") for number in range(5)]
        cursor = mark_of(way_in(bench, way))
        bench.clock.advance(86_400)
        world.trash(pages[0])
        world.purge(pages[1])
        world.move(pages[2], parent=pages[3])
        world.archive(pages[4])
        world.label(pages[3], "seen")
        assert delta(way_in(bench, way), cursor)[0] == []
        assert set(listed(way_in(bench, way))) == expected(bench.site)

    def test_what_ties_with_the_cursor_is_seen_once(self, bench: Bench, way: str) -> None:
        """A closed bound and a look back; what was reported is not reported again."""
        world = bench.world
        cursor = mark_of(way_in(bench, way))
        first = world.add_page("ENG", "First")
        keys, cursor = delta(way_in(bench, way), cursor)
        assert str(first) in keys
        second = world.add_page("ENG", "Second")  # in the very same second
        keys, cursor = delta(way_in(bench, way), cursor)
        assert keys == [str(second)]
        world.edit(first, "<p>Again.</p>")
        assert delta(way_in(bench, way), cursor)[0] == [str(first)]

    def test_other_spaces_are_not_reported(self, bench: Bench, way: str) -> None:
        """Nor their comments and files, which have no space of their own."""
        world = bench.world
        world.add_space("OPS")
        source = way_in(bench, way, space_keys=["ENG"])
        cursor = mark_of(source)
        bench.clock.advance(3600)
        pump = world.add_page("OPS", "Pump")
        world.attach(pump, "pump.txt", b"on")
        world.add_comment(pump, "<p>x</p>")
        mine = world.add_page("ENG", "Mine")
        assert delta(way_in(bench, way, space_keys=["ENG"]), cursor)[0] == [str(mine)]


class TestTime:
    @pytest.mark.parametrize(
        "zone", ["UTC", "Pacific/Honolulu", "Pacific/Kiritimati", "America/New_York", "Etc/GMT+12"]
    )
    @pytest.mark.parametrize("moment", ["2025-11-02T05:30", "2025-11-02T06:10", "2025-03-09T07:05"])
    def test_no_zone_and_no_clock_that_is_put_back_hides_a_change(
        self, bench: Bench, zone: str, moment: str
    ) -> None:
        """Acceptance 13: an edit in the hour that comes twice, and in the one that does not come."""
        bench.site.time_zone = zone
        bench.clock.seconds = datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
        page = bench.world.add_page("ENG", "Page")
        cursor = mark_of(way_in(bench, "data center"))
        bench.clock.advance(20 * 60)
        bench.world.edit(page, "<p>Changed.</p>")
        bench.clock.advance(20 * 60)
        other = bench.world.add_page("ENG", "Other")
        keys, _ = delta(way_in(bench, "data center"), cursor)
        assert set(keys) >= {str(page), str(other)}

    def test_an_index_that_is_behind_is_caught_up_with(self, bench: Bench) -> None:
        """What the search does not know yet is found by the next run, which looks back."""
        bench.site.lag_seconds = 300
        cursor = mark_of(way_in(bench, "data center"))
        bench.clock.advance(3600)
        page = bench.world.add_page("ENG", "Late")
        keys, cursor = delta(way_in(bench, "data center"), cursor)
        assert keys == []
        bench.clock.advance(301)
        assert delta(way_in(bench, "data center"), cursor)[0] == [str(page)]


class TestCursors:
    @pytest.mark.parametrize(
        "cursor",
        [
            None,
            "",
            "nonsense",
            "[]",
            '{"since": "x", "seen": {}}',
            '{"since": 1e18, "seen": {}}',
            '{"seen": {}}',
        ],
    )
    def test_that_cannot_be_ask_for_a_complete_listing(self, bench: Bench, cursor: str | None) -> None:
        """Malformed, and of a time to come."""
        source = bench.source()
        with pytest.raises(CursorExpired):
            list(source.changes(source.scopes()[0], cursor))

    def test_of_long_ago_report_everything_since(self, bench: Bench) -> None:
        """An old one is good."""
        bench.world.add_page("ENG", "Page")
        keys, _ = delta(bench.source(), json.dumps({"since": 0.0, "seen": {}}))
        assert set(keys) == expected(bench.site)

    def test_hold_no_secret(self, bench: Bench) -> None:
        """Only a time, ids and versions."""
        told = json.loads(mark_of(bench.source()))
        assert set(told) == {"since", "seen"}


def test_an_incremental_run_reads_what_changed(house: Vault, bench: Bench) -> None:
    """And asks for nothing else; the automatic run after it finds what disappeared."""
    page = bench.world.add_page("ENG", "Page", "<p>One.</p>")
    gone = bench.world.add_page("ENG", "Gone", "<p>Gone.</p>")
    house.sync()
    bench.clock.advance(3600)
    bench.world.edit(page, "<p>Two.</p>")
    bench.world.purge(gone)
    run = house.sync(mode="incremental")
    assert (run.state, run.indexed, run.deleted) == ("SUCCEEDED", 1, 0)
    assert "Two" in house.texts()[str(page)]
    run = house.sync()
    assert (run.indexed, run.deleted) == (0, 1)
    assert house.shown() == expected(bench.site)
