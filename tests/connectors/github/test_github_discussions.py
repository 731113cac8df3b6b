"""Discussions: listed whole, followed by time and number, read with every reply, and costing points."""

from __future__ import annotations

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import CursorExpired, ItemUnreadable, PermissionMissing, SourceBusy, SourceDown
from catchment.kit import Checkpoint, Complete, Health, Item, Session
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository, secondary_limit
from catchment.simulators.wire import Reply
from connectors.github import GitHub, GitHubCredentials, discussions
from tests.connectors.github.conftest import TOKEN, MakeSource, asked, changed, listed
from tests.support.vault import Vault

ONLY: dict[str, list[str]] = {"kinds": ["discussions"]}
WINDOW, DAY = 3600, 24 * 3600


@pytest.fixture
def talk(repo: Repository, clock: SetClock) -> Repository:
    """Seven discussions with comments and replies, an hour ago."""
    for number in range(7):
        clock.advance(60)
        made = repo.forum.open(
            f"Discussion {number}", f"Body {number}", category="Q&A" if number % 2 else "Ideas"
        )
        said = repo.forum.comment(made.number, f"Comment on {number}")
        repo.forum.reply(made.number, said.id, f"Reply on {number}")
    clock.advance(3600)
    return repo


@pytest.fixture
def source(make_source: MakeSource, talk: Repository) -> GitHub:
    return make_source(**ONLY)


def token(name: str) -> GitHubCredentials:
    return GitHubCredentials(token=name)  # type: ignore[arg-type]


def ids(repo: Repository) -> set[str]:
    return {one.node_id for one in repo.forum.discussions.values()}


def read(source: GitHub, item: Item) -> str:
    body = source.fetch(item).body
    assert isinstance(body, bytes)
    return body.decode()


class TestListing:
    @pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
    def test_names_every_one_whatever_the_size_of_pages(
        self, source: GitHub, talk: Repository, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With what there is to say about each, and one question for each page and one before."""
        monkeypatch.setattr(discussions, "LISTED", size)
        items, _ = listed(source)
        assert set(items) == ids(talk)
        one = items[talk.forum.discussions[2].node_id]
        assert one.path == "octo-org/weir/discussions/2"
        assert one.url == "https://github.com/octo-org/weir/discussions/2"
        assert (one.title, one.author) == ("Discussion 1", "octo-ann")
        assert one.metadata["category"] == "Q&A"
        assert one.metadata["answered"] == "no"
        assert "answered" not in items[talk.forum.discussions[1].node_id].metadata

    def test_costs_a_point_for_a_hundred(self, source: GitHub, vendor: Vendor, talk: Repository) -> None:
        """And none of the other limit."""
        for number in range(150):
            talk.forum.open(f"More {number}")
        scope = source.scopes()[0]
        used = vendor.access.tokens[TOKEN].used
        list(source.listing(scope))
        assert vendor.access.tokens[TOKEN].points == 1 + 2
        assert vendor.access.tokens[TOKEN].used == used

    def test_one_that_is_changed_or_goes_meanwhile_hides_no_other(
        self, source: GitHub, vendor: Vendor, talk: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 2: the order in which they were begun does not move."""
        monkeypatch.setattr(discussions, "LISTED", 2)
        touch = faults.meanwhile(lambda: (talk.forum.delete(1), talk.forum.comment(5, "Now")))
        vendor.faults.add(Fault(touch, path="/graphql", skip=2, times=1))
        items, _ = listed(source)
        assert set(items) >= ids(talk)

    def test_goes_on_from_every_position(
        self, source: GitHub, talk: Repository, monkeypatch: pytest.MonkeyPatch
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
            assert before | after == ids(talk)
            assert not before & after
            assert rest[-1] == events[-1]

    def test_a_position_that_the_vendor_forgot_begins_anew(self, source: GitHub, talk: Repository) -> None:
        """Acceptance 3: it is no end of the listing."""
        place = discussions.Marks("octo-org/weir", after="bm9uc2Vuc2U=").written()
        with pytest.raises(CursorExpired):
            list(source.listing(source.scopes()[0], place))

    def test_a_page_that_fails_for_good_completes_nothing(
        self, source: GitHub, vendor: Vendor, talk: Repository, monkeypatch: pytest.MonkeyPatch
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
        self, make_source: MakeSource, talk: Repository
    ) -> None:
        """By a complete listing each time."""
        _, marks = listed(make_source(**ONLY))
        talk.forum.is_on = False
        with pytest.raises(CursorExpired, match="on, or off"):
            changed(make_source(**ONLY), marks)
        items, marks = listed(make_source(**ONLY))
        assert items == {}
        talk.forum.is_on = True
        with pytest.raises(CursorExpired, match="on, or off"):
            changed(make_source(**ONLY), marks)

    def test_switched_off_in_the_middle_of_a_run(self, source: GitHub, talk: Repository) -> None:
        """After the repository was looked at: the same."""
        _, marks = listed(source)
        scope = source.scopes()[0]
        talk.forum.is_on = False
        with pytest.raises(CursorExpired, match="off"):
            list(source.changes(scope, marks[scope.key]))


class TestChanges:
    def test_nothing_costs_one_point(self, source: GitHub, vendor: Vendor, talk: Repository) -> None:
        """And names only what lies within the look back."""
        _, marks = listed(source)
        points = vendor.access.tokens[TOKEN].points
        found, new = changed(source, marks)
        assert vendor.access.tokens[TOKEN].points == points + 1
        assert set(found) <= {talk.forum.discussions[number].node_id for number in (5, 6, 7)}
        assert new == marks

    def test_each_kind_of_change_is_told(
        self, source: GitHub, talk: Repository, clock: SetClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Edited, commented on, replied to, answered, moved to another category, closed, begun.

        The newest that was seen before is told again, as it was.
        """
        monkeypatch.setattr(discussions, "LISTED", 2)
        before, marks = listed(source)
        forum = talk.forum
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
        talk: Repository,
        clock: SetClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Acceptance 4: it moves to the front, past the reader."""
        monkeypatch.setattr(discussions, "LISTED", 2)
        _, marks = listed(source)
        clock.advance(600)
        for number in range(1, 7):
            talk.forum.edit(number, title="Edited")
            clock.advance(1)
        late = faults.meanwhile(lambda: (clock.advance(300), talk.forum.comment(1, "Late")))
        vendor.faults.add(Fault(late, path="/graphql", skip=1, times=1))
        first, marks = changed(source, marks)
        second, _ = changed(source, marks)
        key = talk.forum.discussions[1].node_id
        assert key not in first
        assert key in second

    def test_deleted_transferred_and_moved_in_ones_lead_to_a_complete_listing(
        self, source: GitHub, vendor: Vendor, talk: Repository, clock: SetClock
    ) -> None:
        """Acceptance 3: by their number; one that was begun in its place does not hide it."""
        other = vendor.repository("octo-org/dam", collaborators={"octo-ann": "admin"})
        for act in (
            lambda: talk.forum.delete(1),
            lambda: talk.forum.transfer(2, other),
            lambda: (talk.forum.delete(3), talk.forum.open("In its place")),
        ):
            _, marks = listed(source)
            act()  # type: ignore[no-untyped-call]
            with pytest.raises(CursorExpired, match="deleted, or moved"):
                changed(source, marks)
        _, marks = listed(source)
        old = other.forum.open("From elsewhere")
        clock.advance(DAY)
        other.forum.transfer(old.number, talk)
        old.updated = clock.now() - 2 * DAY
        with pytest.raises(CursorExpired, match="moved"):
            changed(source, marks)

    def test_ones_that_are_counted_and_never_shown_do_not_lead_there_each_time(
        self, source: GitHub, vendor: Vendor, talk: Repository
    ) -> None:
        """The difference is known after the first listing."""

        def more(_: object, reply: Reply) -> None:
            reply.body["data"]["repository"]["discussions"]["totalCount"] += 2

        vendor.faults.add(Fault(faults.changed(more), path="/graphql"))
        _, marks = listed(source)
        assert changed(source, marks)[1] == marks
        talk.forum.delete(1)
        with pytest.raises(CursorExpired):
            changed(source, marks)

    def test_a_renamed_repository_and_a_strange_cursor_lead_there_too(
        self, make_source: MakeSource, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 14: paths change; keys stay."""
        before, marks = listed(make_source(**ONLY))
        vendor.rename_repository(talk, "octo-org/dam")
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


class TestReading:
    def test_all_that_was_said_stands_below_what_it_answers(
        self, source: GitHub, vendor: Vendor, talk: Repository, clock: SetClock
    ) -> None:
        """Category, answer, labels; authors that are gone, comments that were deleted."""
        forum = talk.forum
        made = forum.open(
            "Where is\nthe key?", "# Help\n\n<!-- hidden -->Please.", category="Q&A", author=None
        )
        made.labels = ["bug", "urgent"]
        first = forum.comment(made.number, "## No idea")
        forum.reply(made.number, first.id, "# Me neither", author=None)
        answer = forum.comment(made.number, "Below the mat.")
        gone = forum.comment(made.number, "Nonsense.")
        forum.reply(made.number, gone.id, "Be kind.")
        lonely = forum.comment(made.number, "Nonsense again.")
        forum.delete_comment(made.number, gone.id)
        forum.delete_comment(made.number, lonely.id)
        forum.answer(made.number, answer.id)
        items, _ = listed(source)
        asked(vendor)
        assert read(source, items[made.node_id]) == (
            "# Where is the key? (#8)\n\n"
            "Category: Q&A\nAnswered\nLabels: bug, urgent\n\n"
            "## Help\n\nPlease.\n\n"
            "## octo-bob commented, 2025-06-15\n\n#### No idea\n\n"
            "### ghost replied, 2025-06-15\n\n#### Me neither\n\n"
            "## octo-bob answered, 2025-06-15\n\nBelow the mat.\n\n"
            "## A comment that was deleted\n\n"
            "### octo-cid replied, 2025-06-15\n\nBe kind.\n"
        )
        assert asked(vendor) == ["/graphql"]
        content = source.fetch(items[made.node_id])
        assert content.item is not None
        assert content.item.version == items[made.node_id].version

    def test_many_comments_and_replies_come_in_pages(
        self, source: GitHub, talk: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each of them once, in order."""
        monkeypatch.setattr(discussions, "SAID", 3)
        monkeypatch.setattr(discussions, "REPLIED", 2)
        monkeypatch.setattr(discussions, "MORE", 2)
        made = talk.forum.open("Long")
        for number in range(8):
            said = talk.forum.comment(made.number, f"comment-{number}-0")
            for reply in range(1, number + 1):
                talk.forum.reply(made.number, said.id, f"comment-{number}-{reply}")
        items, _ = listed(source)
        words = [
            line for line in read(source, items[made.node_id]).splitlines() if line.startswith("comment-")
        ]
        assert words == [f"comment-{number}-{reply}" for number in range(8) for reply in range(number + 1)]

    def test_one_that_went_is_gone(self, source: GitHub, vendor: Vendor, talk: Repository) -> None:
        """Deleted, transferred, switched off."""
        items, _ = listed(source)
        keys = [talk.forum.discussions[number].node_id for number in (1, 2, 3)]
        talk.forum.delete(1)
        talk.forum.transfer(2, vendor.repository("octo-org/dam", collaborators={"octo-ann": "admin"}))
        for number, key in enumerate(keys):
            if number == 2:
                talk.forum.is_on = False
            with pytest.raises(ItemUnreadable) as caught:
                source.fetch(items[key])
            assert caught.value.reason == "gone"

    def test_found_by_key_and_by_path(
        self, make_source: MakeSource, vendor: Vendor, talk: Repository
    ) -> None:
        """Beside issues and files; each name gets one answer."""
        issue = talk.open("Issue", "Body")
        source = make_source()
        items, _ = listed(source)
        one = talk.forum.discussions[3]
        missing = talk.forum.delete(2).node_id
        names = [
            one.node_id,
            issue.node_id,
            missing,
            "octo-org/weir/discussions/4",
            "octo-org/weir/discussions/99",
        ]
        found = {answer.name: answer for answer in source.find(source.scopes(), names)}
        assert {name: answer.item.key if answer.item else None for name, answer in found.items()} == {
            one.node_id: one.node_id,
            issue.node_id: issue.node_id,
            missing: None,
            "octo-org/weir/discussions/4": talk.forum.discussions[4].node_id,
            "octo-org/weir/discussions/99": None,
        }
        for answer in found.values():
            if answer.item is not None:
                assert answer.item.version == items[answer.item.key].version
                assert answer.scope in (f"{talk.id}:discussions", f"{talk.id}:issues")

    def test_an_answer_that_is_refused_proves_no_absence(
        self, make_source: MakeSource, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 1: what may not be seen is not gone."""
        vendor.token("fine", permissions=("contents", "issues", "pull_requests"))
        source = make_source(credentials=token("fine"))
        with pytest.raises(PermissionMissing, match="may not read"):
            list(source.find(source.scopes(), [talk.forum.discussions[1].node_id]))

    def test_are_seen_by_whoever_sees_the_repository(self, source: GitHub, talk: Repository) -> None:
        """Acceptance 21."""
        items, _ = listed(source)
        lists = source.permissions(list(items.values()))
        assert set(lists) == ids(talk)
        assert {entry.subject for one in lists.values() for entry in one.entries} == set(talk.collaborators)


class TestLimits:
    def test_points_are_waited_for(
        self, source: GitHub, vendor: Vendor, talk: Repository, clock: SetClock, session: Session
    ) -> None:
        """Acceptance 18: visibly, until the moment that GitHub names; requests of the other API go on."""
        waits: list[str] = []
        session.on_wait = lambda reason, _seconds: waits.append(reason) if reason else None
        scope = source.scopes()[0]
        vendor.access.point_limit = 1
        reset = (vendor.access.tokens[TOKEN].window or 0) + WINDOW
        assert len([event for event in source.listing(scope) if isinstance(event, Item)]) == 7
        assert reset <= clock.now() <= reset + 5
        assert any("no more questions" in reason for reason in waits)
        began = clock.now()
        vendor.access.point_limit = 0
        vendor.faults.add(Fault(lambda *_: secondary_limit(retry_after="90"), path="/graphql", times=1))
        source.client.graph._governor.hold(session, 500, "for points")
        assert source.client.http.get_json("/user")
        assert clock.now() == began

    @pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
    def test_the_secondary_limit_comes_in_two_forms(
        self, source: GitHub, vendor: Vendor, clock: SetClock, kind: str
    ) -> None:
        """Acceptance 18: as a refusal, and as an answer."""
        scope = source.scopes()[0]
        told = {"errors": [{"type": kind, "message": "You have exceeded a secondary rate limit."}]}
        for fault, seconds in (
            (
                faults.answer(
                    403, {"message": "You have exceeded a secondary rate limit."}, {"Retry-After": "7"}
                ),
                7,
            ),
            (faults.answer(200, told, {"Retry-After": "9"}), 9),
            (faults.answer(200, told), 60),
        ):
            vendor.faults.add(Fault(fault, path="/graphql", times=1))
            began = clock.now()
            assert isinstance(list(source.listing(scope))[-1], Complete)
            assert clock.now() - began == seconds

    def test_a_vendor_that_keeps_asking_to_wait_is_busy(self, source: GitHub, vendor: Vendor) -> None:
        """Acceptance 18: and the run is told how long."""
        scope = source.scopes()[0]
        told = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
        vendor.faults.add(Fault(faults.answer(200, told, {"Retry-After": "5"}), path="/graphql"))
        with pytest.raises(SourceBusy) as caught:
            list(source.listing(scope))
        assert caught.value.retry_after_seconds == 5

    def test_less_is_asked_for_where_it_is_too_much(
        self, source: GitHub, vendor: Vendor, talk: Repository
    ) -> None:
        """By the limit of resources; once found out, it is remembered."""
        vendor.most_nodes = 30 * 21
        items, _ = listed(source)
        assert set(items) == ids(talk)
        refusals = sum(request.path == "/graphql" for request in vendor.asked)
        asked(vendor)
        listed(source)
        again = sum(path == "/graphql" for path in asked(vendor))
        assert again < refusals
        one = items[talk.forum.discussions[1].node_id]
        vendor.most_nodes = 60
        assert "Reply on 0" in read(source, one)
        vendor.most_nodes = 0
        with pytest.raises(SourceDown, match="too large"):
            source.fetch(one)

    def test_less_is_asked_for_where_it_takes_too_long(
        self, source: GitHub, vendor: Vendor, talk: Repository
    ) -> None:
        """GitHub gives up after ten seconds, with a page that is no JSON."""
        scope = source.scopes()[0]
        slow = faults.answer(502, b"<html>We couldn't respond in time</html>")
        vendor.faults.add(Fault(slow, path="/graphql", skip=1, times=3))
        assert isinstance(list(source.listing(scope))[-1], Complete)
        sizes = [
            request.json()["variables"]["first"] for request in vendor.asked if request.path == "/graphql"
        ]
        assert sizes == [1, 100, 100, 100, 50]

    def test_a_permission_that_is_missing_is_named(
        self, make_source: MakeSource, vendor: Vendor, talk: Repository
    ) -> None:
        """By `check`, and by the scope alone."""
        vendor.token("fine", permissions=("contents", "issues", "pull_requests"))
        source = make_source(credentials=token("fine"))
        wrong = {one.name: one for one in source.check() if one.health is not Health.OK}
        assert wrong["discussions"].health is Health.DENIED
        assert "Discussions" in (wrong["discussions"].remedy or "")
        scopes = source.scopes()
        with pytest.raises(PermissionMissing):
            list(source.listing(scopes[2]))
        assert list(source.listing(scopes[0]))


class TestSyncs:
    @pytest.fixture
    def only(self, house: Vault, talk: Repository) -> Vault:
        house.configure(**house.connector().config, kinds=["discussions"])
        return house

    def test_first_next_and_what_a_day_brings(self, only: Vault, talk: Repository, clock: SetClock) -> None:
        """Nothing changed is nothing read; what was deleted goes with the next run."""
        assert only.sync().indexed == 7
        assert "Reply on 3" in only.texts()[talk.forum.discussions[4].node_id]
        run = only.sync()
        assert (run.state, run.fetched, run.deleted) == ("SUCCEEDED", 0, 0)
        clock.advance(3600)
        talk.forum.comment(1, "Said today")
        talk.forum.open("Begun today")
        run = only.sync()
        assert (run.state, run.fetched, run.reason) == ("SUCCEEDED", 2, run.reason)
        talk.forum.delete(2)
        run = only.sync()
        assert (run.state, run.deleted, run.fetched, run.reason) == ("SUCCEEDED", 1, 0, "cursor_expired")
        assert set(only.texts()) == ids(talk)
        assert "Said today" in only.texts()[talk.forum.discussions[1].node_id]
        only.check_index()

    def test_switching_them_off_is_held_where_it_would_take_many(self, only: Vault, talk: Repository) -> None:
        """Acceptance 9: until a person allows it, and they come back when they are on again."""
        for number in range(30):
            talk.forum.open(f"More {number}")
        only.sync()
        talk.forum.is_on = False
        run = only.sync()
        assert (run.state, run.error_code) == ("FAILED", "deletion_guard")
        assert only.shown() == ids(talk)
        assert only.sync(allow_mass_delete=True).state == "SUCCEEDED"
        assert only.shown() == set()
        talk.forum.is_on = True
        assert only.sync().indexed == 37

    def test_a_delivery_reads_what_it_names_again(self, only: Vault, talk: Repository) -> None:
        """Also a comment that was edited without moving the time of its discussion."""
        only.sync()
        talk.forum.comments_touch = False
        one = talk.forum.discussions[1]
        talk.forum.edit_comment(1, next(iter(one.comments)), "Edited quietly")
        run = only.sync(mode="incremental", file_filter=[one.node_id])
        assert (run.state, run.fetched) == ("SUCCEEDED", 1)
        assert "Edited quietly" in only.texts()[one.node_id]
