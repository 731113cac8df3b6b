"""What a listing names: all that is shared, whatever search leaves out, and nothing half."""

from __future__ import annotations

from typing import Any

import pytest

from catchment.core.errors import SourceDown, SourceError
from catchment.core.items import Complete
from catchment.kit import CursorExpired, Item
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.notion import NotionSimulator, block, paragraph
from connectors.notion import Notion, api
from tests.connectors.notion.conftest import MakeSource, changed, listed, mark_of, paths, remember, settle

SEARCH, QUERY = r"/v1/search", r"/v1/data_sources/.*/query"


@pytest.fixture
def many(world: NotionSimulator) -> dict[str, str]:
    """Pages in pages, in a block, and in two data sources of one database; a minute between them."""
    made: dict[str, str] = {}

    def put(title: str, parent: str | None = None) -> str:
        world.clock.advance(60)
        made[title] = world.page(title, parent, blocks=[paragraph(f"about {title}")])
        return made[title]

    top = put("Top")
    put("Inner", top)
    put("Deep", made["Inner"])
    toggle = world.append(top, block("toggle", "open me"))[0]
    put("Folded", toggle)
    database, made["Tasks"] = world.database("Tasks", top, schema={"Status": "status"})
    made["Archive"] = world.data_source(database, "Archive")
    for number in range(3):
        put(f"Task {number}", made["Tasks"])
        put(f"Old {number}", made["Archive"])
    put("Alone")
    settle(world)
    return made


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PAGE_SIZE", 2)


def partly(source: Notion) -> tuple[set[str], SourceError | None, bool]:
    """List as far as it goes: the keys, what ended it, and whether it was complete."""
    found: set[str] = set()
    try:
        for event in source.listing(source.scopes()[0]):
            if isinstance(event, Complete):
                return found, None, True
            assert isinstance(event, Item)
            found.add(event.key)
    except SourceError as error:
        return found, error, False
    return found, None, False


class TestEverything:
    @pytest.mark.parametrize("size", [1, 2, 12, 13, 14, 100])
    def test_the_same_at_every_page_size(
        self, source: Notion, many: dict[str, str], monkeypatch: pytest.MonkeyPatch, size: int
    ) -> None:
        """13 things: each once, with the same facts."""
        expected = listed(source)
        monkeypatch.setattr(api, "PAGE_SIZE", size)
        assert listed(source) == expected
        assert set(expected) == set(many.values())
        assert len(expected) == 13

    def test_where_things_lie_and_what_they_are_called(self, source: Notion, many: dict[str, str]) -> None:
        """The way through pages, blocks and data sources; a slash in a title is none of the path."""
        found = {item.title: item.path for item in listed(source).values()}
        assert found["Deep"] == "Top/Inner/Deep"
        assert found["Folded"] == "Top/Folded"
        assert found["Task 1"] == "Top/Tasks/Task 1"
        assert found["Old 1"] == "Top/Archive/Old 1"
        assert found["Alone"] == "Alone"

    def test_the_facts_of_a_page(self, source: Notion, world: NotionSimulator) -> None:
        """Identity, version, times, address and author."""
        page = world.page("This/That")
        settle(world)
        item = listed(source)[page]
        assert (item.key, item.path, item.title) == (page, "This-That", "This/That")
        assert item.version == "2025-06-15T15:06:00.000Z/", "it has no files"
        assert item.modified_at == item.created_at == 1_749_999_960.0
        assert item.url == f"https://app.notion.com/p/This-That-{page.replace('-', '')}"
        assert item.author == "Ada Lovelace"

    def test_a_workspace_costs_its_lists_and_nothing_else(
        self, source: Notion, make_source: MakeSource, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """Up to a hundred things: one search, a query for each data source, names, and the way of a block."""
        remember(source, listed(source))
        world.asked.clear()
        listed(make_source(session=source.session))
        assert sorted(paths(world)) == [
            "GET /blocks/*",
            "GET /users",
            "POST /data_sources/*/query",
            "POST /data_sources/*/query",
            "POST /search",
        ]

    def test_only_chosen_pages_and_databases(self, make_source: MakeSource, many: dict[str, str]) -> None:
        """By address or id; a database means its data sources and their rows."""
        bare = many["Inner"].replace("-", "")
        inner = make_source(roots=[f"https://www.notion.so/acme/Inner-{bare}?pvs=4"])
        assert set(listed(inner)) == {many["Inner"], many["Deep"]}
        found = next(iter(make_source().api.search(kind="data_source")))["results"][0]
        tasks = make_source(roots=[found["parent"]["database_id"]])
        expected = {many[name] for name in many if name.startswith(("Task", "Old", "Archive"))}
        assert set(listed(tasks)) == expected
        assert set(listed(make_source(roots=[many["Tasks"]]))) == {
            many[n] for n in many if n.startswith("Task")
        }

    def test_what_is_not_shared_or_trashed_is_not_there(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """With all that lies in it."""
        world.trash(many["Inner"])
        world.unshare(many["Tasks"])
        gone = {many[name] for name in many if name in ("Inner", "Deep") or name.startswith("Task")}
        assert set(listed(source)) == set(many.values()) - gone

    def test_an_empty_workspace_is_complete_and_doubted(self, source: Notion) -> None:
        """A forgotten connection looks just so."""
        assert listed(source) == {}
        with pytest.raises(SourceError, match="No page is shared"):
            source.doubt_empty(source.scopes()[0])


@pytest.mark.usefixtures("small_pages")
class TestWhatSearchLeavesOut:
    def test_a_parent_that_search_does_not_tell(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """Pages and data sources in which others lie are found through these."""
        hidden = {many["Inner"], many["Tasks"]}

        def hide(_: Any, reply: Any) -> None:
            reply.body["results"] = [each for each in reply.body["results"] if each["id"] not in hidden]

        world.faults.add(Fault(faults.changed(hide), path=SEARCH))
        assert set(listed(source)) == set(many.values())

    def test_a_chosen_page_that_search_does_not_tell(
        self, make_source: MakeSource, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """It is looked up, and so is a data source with all its rows."""
        world.search_lag_seconds = 600
        page = world.page("New")
        source = world.data_source(world.database("Base")[0], "New source")
        row = world.page("New row", source)
        assert set(listed(make_source(roots=[page]))) == {page}
        assert set(listed(make_source(roots=[source]))) == {source, row}
        world.trash(page)
        assert listed(make_source(roots=[page])) == {}

    def test_hits_that_are_told_by_their_id_alone(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """They are asked for."""
        expected = listed(source)

        def bare(_: Any, reply: Any) -> None:
            reply.body["results"] = [{"object": r["object"], "id": r["id"]} for r in reply.body["results"]]

        world.faults.add(Fault(faults.changed(bare), path=SEARCH))
        assert listed(source) == expected

    @pytest.mark.parametrize("skip", range(1, 7))
    def test_an_edit_between_two_lists_hides_nothing(
        self, source: Notion, world: NotionSimulator, many: dict[str, str], skip: int
    ) -> None:
        """The page at which the list goes on jumps to the other end of it (acceptance 2)."""
        renamed: list[str] = []

        def jump(request: Any, usual: Any) -> Any:
            world.clock.advance(60)
            renamed.append(request.json()["start_cursor"])
            world.rename(renamed[0], "Renamed")
            return usual(request)

        world.faults.add(Fault(jump, path=SEARCH, skip=skip, times=1))
        found = listed(source)
        assert set(found) == set(many.values())
        assert found[renamed[0]].title == "Renamed"

    def test_an_edit_of_what_is_still_to_come_hides_nothing(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """A page that was edited long ago jumps to the end that was read already (acceptance 2)."""
        last = many["Deep"]

        def jump() -> None:
            world.clock.advance(60)
            world.rename(last, "Renamed")

        world.faults.add(Fault(faults.meanwhile(jump), path=SEARCH, skip=1, times=1))
        found = listed(source)
        assert set(found) == set(many.values())
        assert found[last].title == "Renamed"

    def test_rows_that_search_learns_of_late(self, source: Notion, world: NotionSimulator) -> None:
        """Of a data source that is known they are listed at once."""
        _, tasks = world.database("Tasks")
        settle(world)
        listed(source)
        world.search_lag_seconds = 600
        row = world.page("New row", tasks)
        loose = world.page("New page")
        assert set(listed(source)) == {tasks, row}
        settle(world)
        assert set(listed(source)) == {tasks, row, loose}

    def test_more_rows_than_a_query_lists(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """It goes on at the time of the last; search is read from both ends."""
        world.most_results = 8
        assert set(listed(source)) == set(many.values())

    def test_rows_beyond_a_limit_come_once(self, source: Notion, world: NotionSimulator) -> None:
        """Those of the minute at which a query ended are told again, and named once."""
        _, tasks = world.database("Tasks")
        rows = []
        for number in range(12):
            world.clock.advance(25)
            rows.append(world.page(f"Row {number}", tasks))
        settle(world)

        def limit(_: Any, reply: Any) -> None:
            reply.body.update(results=reply.body["results"][:4], has_more=False, next_cursor=None)
            if rows[-1] not in [each["id"] for each in reply.body["results"]]:
                _cut(None, reply)

        world.faults.add(Fault(faults.changed(limit), path=QUERY))
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(api, "PAGE_SIZE", 100)
            assert set(listed(source)) == {tasks, *rows}
        assert paths(world).count("POST /data_sources/*/query") > 3

    def test_more_pages_than_search_tells_from_both_ends(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """What was told is listed, and the listing is not complete."""
        world.most_results = 6
        found, error, complete = partly(source)
        assert found
        assert (complete, isinstance(error, SourceDown)) == (False, True)

    def test_more_rows_at_one_time_than_a_query_lists(self, source: Notion, world: NotionSimulator) -> None:
        """There is no way to tell them apart: not complete."""
        _, tasks = world.database("Tasks")
        for number in range(5):
            world.page(f"Row {number}", tasks)
        settle(world)
        world.faults.add(Fault(faults.changed(_cut), path=QUERY))
        assert partly(source)[2] is False


def _cut(_: Any, reply: Any) -> None:
    reply.body["request_status"] = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}


@pytest.mark.usefixtures("small_pages")
class TestBroken:
    @pytest.mark.parametrize(
        "fault",
        [
            Fault(faults.answer(500), path=SEARCH, skip=3),
            Fault(faults.answer(500), path=QUERY, skip=1),
            Fault(faults.cut(30), path=SEARCH, skip=2),
            Fault(faults.malformed(), path=SEARCH, skip=2),
            Fault(faults.answer(200, {"object": "list"}), path=SEARCH, skip=2),
            Fault(faults.answer(200, {"results": [], "has_more": True}), path=SEARCH, skip=2),
            Fault(faults.answer(404), path=QUERY, skip=1),
        ],
    )
    def test_a_partial_listing_is_never_complete(
        self, source: Notion, world: NotionSimulator, many: dict[str, str], fault: Fault
    ) -> None:
        """What was told before is yielded (acceptance 1)."""
        world.faults.add(fault)
        found, error, complete = partly(source)
        assert (complete, error is None) == (False, False)
        assert found < set(many.values())
        world.faults.clear()
        assert partly(source) == (set(many.values()), None, True)

    def test_a_cursor_that_comes_again_ends_the_listing(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """It would never end otherwise."""

        def repeat(_: Any, reply: Any) -> None:
            reply.body["next_cursor"] = reply.body["results"][0]["id"]

        world.faults.add(Fault(faults.changed(repeat), path=SEARCH, skip=1))
        _, error, complete = partly(source)
        assert isinstance(error, SourceDown)
        assert not complete

    @pytest.mark.parametrize("fault", [faults.answer(500), faults.cut(30), faults.malformed()])
    def test_a_request_that_fails_once_is_asked_again(
        self, source: Notion, world: NotionSimulator, many: dict[str, str], fault: faults.Answer
    ) -> None:
        """Nothing is missing, and nothing comes twice."""
        world.faults.add(Fault(fault, path=SEARCH, skip=2, times=1))
        world.faults.add(Fault(fault, path=QUERY, times=1))
        assert set(listed(source)) == set(many.values())

    def test_a_data_source_that_goes_meanwhile_is_no_failure(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """Its rows are gone with it."""
        world.faults.add(Fault(faults.meanwhile(lambda: world.unshare(many["Archive"])), path=QUERY, times=1))
        found, _, complete = partly(source)
        assert complete
        assert {many["Old 0"], many["Old 1"]}.isdisjoint(found)


class TestVersions:
    def test_an_edit_of_the_same_minute_is_not_missed(self, source: Notion, world: NotionSimulator) -> None:
        """Acceptance 11: a mark that may still change is good once; an old one stays."""
        page = world.page("Page", blocks=[paragraph("one")])
        first, again = listed(source)[page].version, listed(source)[page].version
        assert first == again, "the same moment"
        world.clock.advance(20)
        second = listed(source)[page].version
        assert second != first
        settle(world)
        third = listed(source)[page].version
        assert third not in (first, second)
        settle(world)
        assert listed(source)[page].version == third


class TestChanges:
    def test_edits_and_trash_since_the_mark(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """New, edited, renamed, moved, restored; a look-back reaches a little before the mark."""
        mark = mark_of(source)
        settle(world)
        new = world.page("New", many["Top"])
        row = world.page("New row", many["Tasks"])
        world.rename(many["Alone"], "Not alone")
        world.move(many["Deep"], many["Alone"])
        world.trash(many["Old 0"])
        got, gone = changed(source, mark)
        assert got == {new, row, many["Alone"], many["Deep"], many["Top"]}
        assert gone == {many["Old 0"]}
        settle(world)
        mark = mark_of(source)
        settle(world)
        world.restore(many["Old 0"])
        assert changed(source, mark) == ({many["Old 0"]}, set())

    def test_nothing_new_is_nothing(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """Beyond the look-back."""
        settle(world)
        assert changed(source, mark_of(source)) == (set(), set())

    def test_a_late_search_is_made_good_by_the_look_back(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """An edit that search tells of after the mark."""
        world.search_lag_seconds = 120
        world.rename(many["Alone"], "Not alone")
        mark = mark_of(source)
        world.clock.advance(130)
        assert many["Alone"] in changed(source, mark)[0]

    def test_what_lies_in_the_trash_by_now_is_gone(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """Search still tells of the edit, and not yet that the page around it was thrown away."""
        mark = mark_of(source)
        settle(world)
        world.rename(many["Deep"], "Deep, renamed")
        assert changed(source, mark) == ({many["Deep"]}, set())
        world.search_lag_seconds = 600
        world.trash(many["Inner"])
        assert changed(source, mark) == (set(), {many["Deep"]})

    def test_over_a_hundred_edits_in_one_minute(self, source: Notion, world: NotionSimulator) -> None:
        """Acceptance 11: all of them have one and the same time."""
        pages = [world.page(f"Page {number}") for number in range(120)]
        settle(world)
        mark = mark_of(source)
        settle(world)
        for page in pages:
            world.rename(page, "Renamed")
        assert changed(source, mark) == (set(pages), set())

    def test_what_the_feed_does_not_tell_a_listing_does(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """Deleted for good, and shared no more: declared, and seen by the next listing."""
        mark = mark_of(source)
        settle(world)
        world.erase(many["Alone"])
        world.unshare(many["Deep"])
        assert changed(source, mark) == (set(), set())
        assert set(listed(source)) == set(many.values()) - {many["Alone"], many["Deep"]}
        assert any("deleted for good" in spot for spot in source.blind_spots)

    @pytest.mark.parametrize(
        "mark", ["", "nonsense", '{"v": 2, "since": 1}', '{"v": 1}', '{"v": 1, "since": 9e12}', "[]"]
    )
    def test_a_mark_of_others_is_refused(self, source: Notion, mark: str) -> None:
        """Then all is listed."""
        with pytest.raises(CursorExpired):
            list(source.changes(source.scopes()[0], mark))


class TestFind:
    def test_by_id_without_a_listing(
        self, source: Notion, world: NotionSimulator, many: dict[str, str]
    ) -> None:
        """Pages, rows, data sources; what is trashed, lies in the trash or is shared no more is not there."""
        expected = listed(source)
        remember(source, expected)
        world.trash(many["Inner"])
        world.unshare(many["Alone"])
        asked = len(world.asked)
        names = ["Task 1", "Tasks", "Folded", "Inner", "Deep", "Alone"]
        found = {each.name: each for each in source.find(source.scopes(), [many[name] for name in names])}
        assert {many[name] for name in names} == set(found)
        there = {name for name in names if found[many[name]].item is not None}
        assert there == {"Task 1", "Tasks", "Folded"}
        assert found[many["Task 1"]].item == expected[many["Task 1"]]
        assert "POST /search" not in paths(world, asked)

    def test_by_path(self, source: Notion, many: dict[str, str]) -> None:
        """It costs a listing."""
        found = next(iter(source.find(source.scopes(), ["Top/Inner"])))
        assert found.item is not None
        assert found.item.key == many["Inner"]

    def test_outside_of_the_chosen_pages(self, make_source: MakeSource, many: dict[str, str]) -> None:
        """It is not there for this connector."""
        source = make_source(roots=[many["Inner"]])
        found = {each.name: each for each in source.find(source.scopes(), [many["Alone"], many["Deep"]])}
        assert found[many["Alone"]].item is None
        assert found[many["Deep"]].scope == many["Inner"]
