"""Discussions: listed whole, and followed by time and number."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import CursorExpired, SourceDown
from catchment.kit import Checkpoint, Complete, Health, Item
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository
from catchment.simulators.wire import Reply, Request
from connectors.github import GitHub, discussions
from connectors.github.threads import SAID
from tests.connectors.github.conftest import ONLY, TOKEN, MakeSource, asked, changed, debated, listed

DAY = 24 * 3600


@pytest.fixture
def source(make_source: MakeSource, debate: Repository) -> GitHub:
    return make_source(**ONLY)


class TestListing:
    @pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
    def test_names_every_one_whatever_the_size_of_pages(
        self, source: GitHub, debate: Repository, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With what there is to say about each, and one question for each page and one before."""
        monkeypatch.setattr(discussions, "LISTED", size)
        items, _ = listed(source)
        assert set(items) == debated(debate)
        one = items[debate.forum.discussions[2].node_id]
        assert one.path == "octo-org/weir/discussions/2"
        assert one.url == "https://github.com/octo-org/weir/discussions/2"
        assert (one.title, one.author) == ("Discussion 1", "octo-ann")
        assert one.metadata["category"] == "Q&A"
        assert one.metadata["answered"] == "no"
        assert "answered" not in items[debate.forum.discussions[1].node_id].metadata

    def test_costs_a_point_for_a_hundred(self, source: GitHub, vendor: Vendor, debate: Repository) -> None:
        """And none of the other limit."""
        for number in range(150):
            debate.forum.open(f"More {number}")
        scope = source.scopes()[0]
        used = vendor.access.tokens[TOKEN].used
        list(source.listing(scope))
        assert vendor.access.tokens[TOKEN].points == 1 + 2
        assert vendor.access.tokens[TOKEN].used == used

    def test_one_that_is_changed_or_goes_meanwhile_hides_no_other(
        self, source: GitHub, vendor: Vendor, debate: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 2: the order in which they were begun does not move."""
        monkeypatch.setattr(discussions, "LISTED", 2)
        forum = debate.forum
        touch = faults.meanwhile(lambda: (forum.delete(1), forum.comment(2, "Now"), forum.comment(5, "Now")))
        vendor.faults.add(Fault(touch, path="/graphql", skip=2, times=1))
        events = list(source.listing(source.scopes()[0]))
        keys = [event.key for event in events if isinstance(event, Item)]
        assert set(keys) >= debated(debate)
        assert len(keys) == len(set(keys))

    def test_goes_on_from_every_position(
        self, source: GitHub, debate: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 8: and ends where an undisturbed one does, with the same mark."""
        monkeypatch.setattr(discussions, "CHECKPOINT_ITEMS", 1)
        monkeypatch.setattr(discussions, "LISTED", 2)
        scope = source.scopes()[0]
        events = list(source.listing(scope))
        places = [at for at, event in enumerate(events) if isinstance(event, Checkpoint)]
        assert len(places) == 3
        for at in places:
            place = events[at]
            assert isinstance(place, Checkpoint)
            rest = list(source.listing(scope, place.position))
            before = {event.key for event in events[:at] if isinstance(event, Item)}
            after = {event.key for event in rest if isinstance(event, Item)}
            assert before | after == debated(debate)
            assert not before & after
            assert rest[-1] == events[-1]

    def test_a_position_that_the_vendor_forgot_begins_anew(self, source: GitHub, debate: Repository) -> None:
        """Acceptance 3: it is no end of the listing."""
        place = discussions.Marks("octo-org/weir", after="bm9uc2Vuc2U=").written()
        with pytest.raises(CursorExpired):
            list(source.listing(source.scopes()[0], place))

    def test_a_page_that_fails_for_good_completes_nothing(
        self, source: GitHub, vendor: Vendor, debate: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 1: neither does one that leads back, nor a repository that is not shown."""
        monkeypatch.setattr(discussions, "LISTED", 2)

        def back(_: object, reply: Reply) -> None:
            reply.body["data"]["repository"]["discussions"]["pageInfo"] = {
                "hasNextPage": True,
                "endCursor": "Y3Vyc29yOnYyOjA=",
            }

        def hidden(_: object, reply: Reply) -> None:
            reply.body = {"data": {"repository": None}, "errors": [{"type": "NOT_FOUND", "message": "no"}]}

        broken = faults.answer(200, {"data": None, "errors": [{"message": "Something went wrong"}]})
        for fault in (faults.answer(500), broken, faults.changed(back), faults.changed(hidden)):
            vendor.faults.clear()
            vendor.faults.add(Fault(fault, path="/graphql", skip=2))
            seen = []
            with pytest.raises(SourceDown):
                for event in source.listing(source.scopes()[0]):
                    seen.append(event)
            assert not any(isinstance(event, Complete) for event in seen)


class TestOff:
    def test_discussions_that_are_off_are_none_and_cost_nothing(
        self, make_source: MakeSource, vendor: Vendor, repo: Repository
    ) -> None:
        """It is no error; `check` says so."""
        source = make_source(**ONLY)
        items, marks = listed(source)
        assert items == {}
        assert changed(source, marks) == ({}, marks)
        assert "/graphql" not in asked(vendor)
        told = next(one for one in source.check() if one.name == "discussions")
        assert (told.health, "switched on" in told.message) == (Health.OK, True)

    def test_that_they_were_switched_on_or_off_is_noticed(
        self, make_source: MakeSource, debate: Repository
    ) -> None:
        """By a complete listing each time."""
        _, marks = listed(make_source(**ONLY))
        debate.forum.is_on = False
        with pytest.raises(CursorExpired, match="on, or off"):
            changed(make_source(**ONLY), marks)
        items, marks = listed(make_source(**ONLY))
        assert items == {}
        debate.forum.is_on = True
        with pytest.raises(CursorExpired, match="on, or off"):
            changed(make_source(**ONLY), marks)

    def test_switched_off_in_the_middle_of_a_run(self, source: GitHub, debate: Repository) -> None:
        """After the repository was looked at: the same."""
        _, marks = listed(source)
        scope = source.scopes()[0]
        debate.forum.is_on = False
        with pytest.raises(CursorExpired, match="off"):
            list(source.changes(scope, marks[scope.key]))


class TestChanges:
    def test_nothing_costs_one_point(self, source: GitHub, vendor: Vendor, debate: Repository) -> None:
        """And names only what lies within the look back."""
        _, marks = listed(source)
        points = vendor.access.tokens[TOKEN].points
        found, new = changed(source, marks)
        assert vendor.access.tokens[TOKEN].points == points + 1
        assert set(found) <= {debate.forum.discussions[number].node_id for number in (5, 6, 7)}
        assert new == marks

    def test_each_kind_of_change_is_told(
        self, source: GitHub, debate: Repository, clock: SetClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Edited, commented on, replied to, answered, moved to another category, closed, begun.

        The newest that was seen before is told again, as it was.
        """
        monkeypatch.setattr(discussions, "LISTED", 2)
        before, marks = listed(source)
        forum = debate.forum
        comment = next(iter(forum.discussions[4].comments))
        acts = (
            lambda: forum.edit(1, title="Edited"),
            lambda: forum.comment(2, "More"),
            lambda: forum.reply(3, next(iter(forum.discussions[3].comments)), "More"),
            lambda: forum.answer(4, comment),
            lambda: forum.edit(5, category="Polls"),
            lambda: forum.close(6),
            lambda: forum.open("New", "Body"),
        )
        for act in acts:
            clock.advance(300)
            act()
        found, marks = changed(source, marks)
        assert set(found) == {forum.discussions[number].node_id for number in range(1, 9)}
        for key, item in found.items():
            assert item is not None
            is_new = key not in before or item.version != before[key].version
            assert is_new is (key != forum.discussions[7].node_id)
        four = found[forum.discussions[4].node_id]
        assert four is not None
        assert four.metadata["answered"] == "yes"
        clock.advance(3600)
        forum.open("Newer")
        found, marks = changed(source, marks)
        assert forum.discussions[9].node_id in found
        assert changed(source, marks)[1] == marks

    def test_what_is_changed_while_pages_are_read_is_seen_by_the_next_run(
        self,
        source: GitHub,
        vendor: Vendor,
        debate: Repository,
        clock: SetClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Acceptance 4: it moves to the front, past the reader."""
        monkeypatch.setattr(discussions, "LISTED", 2)
        _, marks = listed(source)
        clock.advance(600)
        for number in range(1, 7):
            debate.forum.edit(number, title="Edited")
            clock.advance(1)
        late = faults.meanwhile(
            lambda: (clock.advance(300), debate.forum.comment(1, "Late"), debate.forum.open("Later"))
        )
        vendor.faults.add(Fault(late, path="/graphql", skip=1, times=1))
        first, marks = changed(source, marks)
        second, _ = changed(source, marks)
        key = debate.forum.discussions[1].node_id
        new = debate.forum.discussions[8].node_id
        assert {key, new}.isdisjoint(first)
        assert {key, new} <= set(second)

    def test_what_is_listed_late_is_not_missed(self, source: GitHub, debate: Repository) -> None:
        """Acceptance 4: it bears a time before the newest that was seen."""
        _, marks = listed(source)
        newest = max(one.updated for one in debate.forum.discussions.values())
        late = debate.forum.open("Late")
        late.updated = newest - 100
        assert late.node_id in changed(source, marks)[0]

    def test_deleted_transferred_and_moved_in_ones_lead_to_a_complete_listing(
        self, source: GitHub, vendor: Vendor, debate: Repository, clock: SetClock
    ) -> None:
        """Acceptance 3: by their number; one that was begun in its place does not hide it."""
        other = vendor.repository("octo-org/dam", collaborators={"octo-ann": "admin"})
        for act in (
            lambda: debate.forum.delete(1),
            lambda: debate.forum.transfer(2, other),
            lambda: (debate.forum.delete(3), debate.forum.open("In its place")),
        ):
            _, marks = listed(source)
            act()  # type: ignore[no-untyped-call]
            with pytest.raises(CursorExpired, match="deleted, or moved"):
                changed(source, marks)
        _, marks = listed(source)
        old = other.forum.open("From elsewhere")
        clock.advance(DAY)
        other.forum.transfer(old.number, debate)
        old.updated = clock.now() - 2 * DAY
        with pytest.raises(CursorExpired, match="moved"):
            changed(source, marks)

    def test_ones_that_are_counted_and_never_shown_do_not_lead_there_each_time(
        self, source: GitHub, vendor: Vendor, debate: Repository
    ) -> None:
        """The difference is known after the first listing."""

        def more(_: object, reply: Reply) -> None:
            reply.body["data"]["repository"]["discussions"]["totalCount"] += 2

        vendor.faults.add(Fault(faults.changed(more), path="/graphql"))
        _, marks = listed(source)
        assert changed(source, marks)[1] == marks
        debate.forum.delete(1)
        with pytest.raises(CursorExpired):
            changed(source, marks)

    def test_a_renamed_repository_and_a_strange_cursor_lead_there_too(
        self, make_source: MakeSource, vendor: Vendor, debate: Repository
    ) -> None:
        """Acceptance 14: paths change; keys stay."""
        before, marks = listed(make_source(**ONLY))
        vendor.rename_repository(debate, "octo-org/dam")
        source = make_source(**ONLY)
        with pytest.raises(CursorExpired, match="is called"):
            changed(source, marks)
        after, _ = listed(source)
        assert {key: item.version for key, item in after.items()} == {
            key: item.version for key, item in before.items()
        }
        for cursor in ("{}", "nonsense", '{"name": 1, "updated": "x"}', '{"head": "x"}'):
            with pytest.raises(CursorExpired):
                list(source.changes(source.scopes()[0], cursor))


def test_one_that_cannot_be_had_makes_no_other_dearer(
    make_source: MakeSource, vendor: Vendor, debate: Repository
) -> None:
    """Less is asked for at a time only where that helps."""
    source = make_source(**ONLY)
    items = list(listed(source)[0].values())
    bad = items[0].key.encode()

    def fail(request: Request, usual: Callable[[Request], Reply]) -> Reply:
        return Reply(500) if bad in request.body else usual(request)

    vendor.faults.add(Fault(fail, path="/graphql"))
    with pytest.raises(SourceDown):
        source.fetch(items[0])
    vendor.asked.clear()
    source.fetch(items[1])
    assert [request.json()["variables"]["first"] for request in vendor.asked] == [SAID]
