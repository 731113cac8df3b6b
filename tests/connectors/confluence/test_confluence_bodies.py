"""First listings bring the texts along: the same that reading them one by one gives, at a request for 250."""

from __future__ import annotations

from typing import Any

import pytest

from catchment.core.items import Item
from catchment.simulators import faults
from catchment.simulators.confluence import signin
from catchment.simulators.faults import Fault
from connectors.confluence import Confluence, labels, reading
from tests.support.confluence import Bench, personal, text


def brought(source: Confluence) -> dict[str, Item]:
    """List every scope with content."""
    events = [event for scope in source.scopes() for event in source.listing_with_content(scope)]
    return {event.key: event for event in events if isinstance(event, Item)}


def bodies(found: dict[str, Item]) -> dict[str, str]:
    """Return the texts that came along, by key."""
    return {
        key: item.content.stream().read().decode() for key, item in found.items() if item.content is not None
    }


def fill(bench: Bench, *, pages: int = 5) -> dict[str, int]:
    """Pages with labels, a post, both kinds of comments, and a file."""
    world = bench.world
    made = {
        f"page {number}": world.add_page("ENG", f"Page {number}", f"<p>Level {number}.</p>")
        for number in range(pages)
    }
    world.label(made["page 0"], "weir", "north")
    made["post"] = world.add_blogpost("ENG", "Gate opened", "<p>At noon.</p>")
    made["footer"] = world.add_comment(made["page 1"], "<p>Read twice.</p>")
    made["inline"] = world.add_comment(made["page 1"], "<p>Which one?</p>", selection="the gauge")
    made["file"] = world.attach(made["page 1"], "notes.txt", b"by hand")
    return made


class TestTexts:
    def test_are_what_reading_one_by_one_gives(self, bench: Bench) -> None:
        """With labels as tags, and what an inline comment is about; files are read by themselves."""
        ids = fill(bench)
        found = brought(source := bench.source())
        came = bodies(found)
        # One post, and two labels: asking for the labels of posts would cost more than the post.
        assert set(found) - set(came) == {str(ids["post"]), f"att{ids['file']}"}
        for key, told in came.items():
            read = source.fetch(Item(key, found[key].path, metadata=found[key].metadata))
            assert told == read.stream().read().decode()
            assert read.item is not None
            assert (found[key].version, set(found[key].tags)) == (read.item.version, set(read.item.tags))
        assert set(found[str(ids["page 0"])].tags) == {"weir", "north"}
        assert "the gauge" in came[str(ids["inline"])]

    def test_cost_a_request_for_each_list_and_label(self, bench: Bench) -> None:
        """Of five lists, the spaces, the labels, the pages of each label, and the names of all authors."""
        fill(bench)
        brought(bench.source())
        assert len(bench.site.asked) == 5 + 1 + 1 + 2 + 1
        assert bench.asked("/labels/") == 2

    def test_of_several_spaces_ask_for_parts_and_labels_once(self, bench: Bench) -> None:
        """Comments come with their texts for the second space, too."""
        fill(bench)
        bench.world.add_space("OPS")
        page = bench.world.add_page("OPS", "Pump", "<p>Runs.</p>")
        comment = bench.world.add_comment(page, "<p>Loud.</p>")
        found = brought(bench.source(space_keys=["ENG", "OPS"]))
        assert "Loud" in bodies(found)[str(comment)]
        assert bench.asked("/footer-comments") == bench.asked("/api/v2/labels") - 2 == 1

    @pytest.mark.parametrize("way", ["listing", "data center"])
    def test_come_with_no_other_listing(self, bench: Bench, way: str) -> None:
        """One of facts alone asks for no label; Data Center reads one by one."""
        fill(bench)
        source = bench.source(credentials=personal() if way == "data center" else None)
        ask = source.listing if way == "listing" else source.listing_with_content
        (scope,) = source.scopes()
        assert all(event.content is None for event in ask(scope) if isinstance(event, Item))
        assert bench.asked("/labels") == 0
        assert not any("body" in str(request.query) for request in bench.site.asked if way == "listing")


class TestWhatCostsMore:
    def test_pages_fewer_than_labels_are_read_one_by_one(self, bench: Bench) -> None:
        """Asking for the pages of each label would cost more."""
        ids = fill(bench, pages=2)
        bench.world.label(ids["page 1"], *(f"label-{number}" for number in range(9)))
        came = bodies(brought(bench.source()))
        assert set(came) == {str(ids["footer"]), str(ids["inline"])}
        assert bench.asked("/labels/") == 0

    def test_more_labels_than_a_page_holds_are_not_asked_for(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The pages are read one by one."""
        monkeypatch.setattr("connectors.confluence.cloud.PAGE_ITEMS", 1)
        ids = fill(bench)
        assert not {str(ids[f"page {number}"]) for number in range(5)} & set(bodies(brought(bench.source())))
        assert bench.asked("/api/v2/labels") == 1

    def test_an_app_without_the_scope_for_labels_reads_one_by_one(self, bench: Bench) -> None:
        """And loses nothing."""
        ids = fill(bench)
        scopes = signin.ALL_SCOPES - {"read:label:confluence"}
        source = bench.source(credentials=bench.app(scopes=scopes))
        found = brought(source)
        assert set(bodies(found)) == {str(ids["footer"]), str(ids["inline"])}
        assert "Level 0" in text(source, found[str(ids["page 0"])])

    def test_a_long_text_is_read_by_itself(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run holds a thousand items at a time."""
        monkeypatch.setattr(labels, "BROUGHT_CHARACTERS", 100)
        ids = fill(bench)
        bench.world.edit(ids["page 2"], f"<p>{'deep ' * 40}</p>")
        found = brought(bench.source())
        assert str(ids["page 2"]) not in bodies(found)
        assert str(ids["page 3"]) in bodies(found)

    def test_what_waits_for_its_parent_keeps_few_bodies(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The rest of them is read one by one."""
        monkeypatch.setattr(reading, "MOST_HELD", 1)
        ids = fill(bench)
        top = bench.world.add_page("ENG", "Top", "<p>Above all.</p>")
        for number in range(3):
            bench.world.move(ids[f"page {number}"], parent=top)
        came = bodies(brought(bench.source()))
        held = {str(ids[f"page {number}"]) for number in range(3)}
        assert len(held & set(came)) == 1


@pytest.mark.parametrize("fault", [faults.answer(500), faults.cut(40)], ids=["500", "cut"])
def test_a_list_that_cannot_be_had_with_bodies_is_had_without(bench: Bench, fault: Any) -> None:
    """As one with a page that breaks the site: the others are there, and it alone fails when it is read."""
    ids = fill(bench)
    bench.site.faults.add(Fault(fault, path=r".*/pages", query={"body-format": "storage"}))
    found = brought(bench.source())
    assert {str(ids[f"page {number}"]) for number in range(5)} <= set(found)
    assert set(bodies(found)) == {str(ids["footer"]), str(ids["inline"])}
