"""Discussions: read with every reply, found by name, within limits, and through the product's own lanes."""

from __future__ import annotations

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import ItemUnreadable, PermissionMissing, SourceBusy, SourceDown
from catchment.kit import Complete, Health, Item, Session
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository, secondary_limit
from catchment.simulators.wire import Reply, Request
from connectors.github import GitHub, GitHubCredentials, discussions, threads
from tests.connectors.github.conftest import ONLY, TOKEN, MakeSource, asked, debated, listed
from tests.support.vault import Vault

WINDOW = 3600


@pytest.fixture
def source(make_source: MakeSource, debate: Repository) -> GitHub:
    return make_source(**ONLY)


def token(name: str) -> GitHubCredentials:
    return GitHubCredentials(token=name)  # type: ignore[arg-type]


def read(source: GitHub, item: Item) -> str:
    body = source.fetch(item).body
    assert isinstance(body, bytes)
    return body.decode()


def _refuse_bodies(request: Request, _: Reply) -> Reply | None:
    if "said" not in request.json()["query"]:
        return None
    return Reply(200, {"data": None, "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "No."}]})


class TestReading:
    def test_all_that_was_said_stands_below_what_it_answers(
        self, source: GitHub, vendor: Vendor, debate: Repository, clock: SetClock
    ) -> None:
        """Category, answer, labels; authors that are gone, comments that were deleted."""
        forum = debate.forum
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
        self, source: GitHub, debate: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each of them once, in order."""
        monkeypatch.setattr(threads, "SAID", 3)
        monkeypatch.setattr(threads, "REPLIED", 2)
        monkeypatch.setattr(threads, "MORE", 2)
        made = debate.forum.open("Long")
        for number in range(8):
            said = debate.forum.comment(made.number, f"comment-{number}-0")
            for reply in range(1, number + 1):
                debate.forum.reply(made.number, said.id, f"comment-{number}-{reply}")
        items, _ = listed(source)
        words = [
            line for line in read(source, items[made.node_id]).splitlines() if line.startswith("comment-")
        ]
        assert words == [f"comment-{number}-{reply}" for number in range(8) for reply in range(number + 1)]

    def test_a_listing_brings_the_same_text_along(
        self, source: GitHub, vendor: Vendor, debate: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A few to a question, where all of it fits; what is longer, or more, is read by itself."""
        monkeypatch.setattr(discussions, "TOGETHER", {"first": 4, "said": 3, "replies": 2})
        forum = debate.forum
        for _ in range(3):
            forum.comment(1, "Many comments")
        for _ in range(2):
            forum.reply(2, next(iter(forum.discussions[2].comments)), "Many replies")
        forum.edit(3, body="x" * 20_000)
        scope = source.scopes()[0]
        asked(vendor)
        events = list(source.listing_with_content(scope))
        assert asked(vendor) == ["/graphql"] * (1 + 2)
        items = [event for event in events if isinstance(event, Item)]
        assert events[-1] == list(source.listing(scope))[-1]
        assert {item.metadata["number"] for item in items if item.content is None} == {"1", "2", "3"}
        for item in items:
            fetched = source.fetch(item)
            assert fetched.item is not None
            assert fetched.item.version == item.version
            assert item.content is None or item.content.body == fetched.body

    def test_bodies_that_are_too_much_to_ask_for_are_left_out_of_a_listing(
        self, source: GitHub, vendor: Vendor, debate: Repository
    ) -> None:
        """It is still complete."""
        scope = source.scopes()[0]
        vendor.faults.add(Fault(faults.changed(_refuse_bodies), path="/graphql"))
        events = list(source.listing_with_content(scope))
        assert isinstance(events[-1], Complete)
        items = [event for event in events if isinstance(event, Item)]
        assert {item.key for item in items} == debated(debate)
        assert not any(item.content for item in items)

    def test_one_that_went_is_gone(self, source: GitHub, vendor: Vendor, debate: Repository) -> None:
        """Deleted, transferred, switched off."""
        items, _ = listed(source)
        keys = [debate.forum.discussions[number].node_id for number in (1, 2, 3)]
        debate.forum.delete(1)
        debate.forum.transfer(2, vendor.repository("octo-org/dam", collaborators={"octo-ann": "admin"}))
        for number, key in enumerate(keys):
            if number == 2:
                debate.forum.is_on = False
            with pytest.raises(ItemUnreadable) as caught:
                source.fetch(items[key])
            assert caught.value.reason == "gone"

    def test_found_by_key_and_by_path(
        self, make_source: MakeSource, vendor: Vendor, debate: Repository
    ) -> None:
        """Beside issues and files; each name gets one answer."""
        issue = debate.open("Issue", "Body")
        source = make_source()
        items, _ = listed(source)
        one = debate.forum.discussions[3]
        missing = debate.forum.delete(2).node_id
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
            "octo-org/weir/discussions/4": debate.forum.discussions[4].node_id,
            "octo-org/weir/discussions/99": None,
        }
        for answer in found.values():
            if answer.item is not None:
                assert answer.item.version == items[answer.item.key].version
                assert answer.scope in (f"{debate.id}:discussions", f"{debate.id}:issues")

    def test_an_answer_that_is_refused_proves_no_absence(
        self, make_source: MakeSource, vendor: Vendor, debate: Repository
    ) -> None:
        """Acceptance 1: what may not be seen is not gone."""
        vendor.token("fine", permissions=("contents", "issues", "pull_requests"))
        source = make_source(credentials=token("fine"))
        with pytest.raises(PermissionMissing, match="may not read"):
            list(source.find(source.scopes(), [debate.forum.discussions[1].node_id]))

    def test_are_seen_by_whoever_sees_the_repository(self, source: GitHub, debate: Repository) -> None:
        """Acceptance 21."""
        items, _ = listed(source)
        lists = source.permissions(list(items.values()))
        assert set(lists) == debated(debate)
        assert {entry.subject for one in lists.values() for entry in one.entries} == set(debate.collaborators)


class TestLimits:
    def test_points_are_waited_for(
        self, source: GitHub, vendor: Vendor, debate: Repository, clock: SetClock, session: Session
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
        told = {"errors": [{"type": kind, "message": "Slow down."}]}
        words = {"errors": [{"message": "You have exceeded a secondary rate limit."}]}
        for fault, seconds in (
            (
                faults.answer(
                    403, {"message": "You have exceeded a secondary rate limit."}, {"Retry-After": "7"}
                ),
                7,
            ),
            (faults.answer(200, told, {"Retry-After": "9"}), 9),
            (faults.answer(200, words, {"Retry-After": "5"}), 5),
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
        self, source: GitHub, vendor: Vendor, debate: Repository
    ) -> None:
        """By the limit of resources; once found out, it is remembered."""
        vendor.most_nodes = 30 * 21
        items, _ = listed(source)
        assert set(items) == debated(debate)
        refusals = sum(request.path == "/graphql" for request in vendor.asked)
        asked(vendor)
        listed(source)
        again = sum(path == "/graphql" for path in asked(vendor))
        assert again < refusals
        one = items[debate.forum.discussions[1].node_id]
        vendor.most_nodes = 60
        assert "Reply on 0" in read(source, one)
        vendor.most_nodes = 0
        with pytest.raises(SourceDown, match="too large"):
            source.fetch(one)

    def test_less_is_asked_for_where_it_takes_too_long(
        self, source: GitHub, vendor: Vendor, debate: Repository
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
        self, make_source: MakeSource, vendor: Vendor, debate: Repository
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
    def only(self, house: Vault, debate: Repository) -> Vault:
        house.configure(**house.connector().config, kinds=["discussions"])
        return house

    def test_first_next_and_what_a_day_brings(self, only: Vault, debate: Repository, clock: SetClock) -> None:
        """Nothing changed is nothing read; what was deleted goes with the next run."""
        assert only.sync().indexed == 7
        assert "Reply on 3" in only.texts()[debate.forum.discussions[4].node_id]
        run = only.sync()
        assert (run.state, run.fetched, run.deleted) == ("SUCCEEDED", 0, 0)
        clock.advance(3600)
        debate.forum.comment(1, "Said today")
        debate.forum.open("Begun today")
        run = only.sync()
        assert (run.state, run.fetched, run.reason) == ("SUCCEEDED", 2, run.reason)
        debate.forum.delete(2)
        run = only.sync()
        assert (run.state, run.deleted, run.fetched, run.reason) == ("SUCCEEDED", 1, 0, "cursor_expired")
        assert set(only.texts()) == debated(debate)
        assert "Said today" in only.texts()[debate.forum.discussions[1].node_id]
        only.check_index()

    def test_switching_them_off_is_held_where_it_would_take_many(
        self, only: Vault, debate: Repository
    ) -> None:
        """Acceptance 9: until a person allows it, and they come back when they are on again."""
        for number in range(30):
            debate.forum.open(f"More {number}")
        only.sync()
        debate.forum.is_on = False
        run = only.sync()
        assert (run.state, run.error_code) == ("FAILED", "deletion_guard")
        assert only.shown() == debated(debate)
        assert only.sync(allow_mass_delete=True).state == "SUCCEEDED"
        assert only.shown() == set()
        debate.forum.is_on = True
        assert only.sync().indexed == 37

    def test_a_delivery_reads_what_it_names_again(self, only: Vault, debate: Repository) -> None:
        """Also a comment that was edited without moving the time of its discussion."""
        only.sync()
        debate.forum.comments_touch = False
        one = debate.forum.discussions[1]
        debate.forum.edit_comment(1, next(iter(one.comments)), "Edited quietly")
        run = only.sync(mode="incremental", file_filter=[one.node_id])
        assert (run.state, run.fetched) == ("SUCCEEDED", 1)
        assert "Edited quietly" in only.texts()[one.node_id]
