"""Pull requests that come along with a first listing: whole, or not at all."""

from __future__ import annotations

import pytest

from catchment.core.clock import SetClock
from catchment.kit import Checkpoint, Item
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository
from connectors.github import GitHub
from tests.connectors.github.conftest import listed


def body_of(source: GitHub, item: Item) -> bytes:
    """Read a body whole."""
    with source.fetch(item).stream() as stream:
        return stream.read()


@pytest.mark.parametrize("act", ["remark", "review", "edit"])
def test_what_happens_to_a_pull_request_while_it_is_listed_is_not_left_out(
    source: GitHub, vendor: Vendor, repo: Repository, clock: SetClock, act: str
) -> None:
    """It is then read by itself: its time has moved, or it has more remarks than were read."""
    made = repo.open("Pull", "Body", pull=True)
    acts = {
        "remark": (r".*/weir/issues", lambda: repo.remark(1, "Just now")),
        "review": ("/graphql", lambda: repo.review(1, "Just now")),
        "edit": ("/graphql", lambda: repo.edit(1, body="Just now")),
    }
    path, change = acts[act]

    def meanwhile() -> None:
        clock.advance(60)
        change()

    vendor.faults.add(Fault(faults.meanwhile(meanwhile), path=path, times=1))
    items, _ = listed(source, content=True)
    assert items[made.node_id].content is None
    assert b"Just now" in body_of(source, items[made.node_id])


def test_reviews_that_are_not_told_whole_are_read_by_themselves(source: GitHub, repo: Repository) -> None:
    """A question brings the first hundred."""
    made = repo.open("Pull", "Body", pull=True)
    for number in range(101):
        repo.review(1, f"Look {number}")
    items, _ = listed(source, content=True)
    assert items[made.node_id].content is None
    assert b"Look 100" in body_of(source, items[made.node_id])


@pytest.mark.parametrize(
    "answer",
    [{"errors": [{"type": "FORBIDDEN", "message": "no"}]}, {"data": {"nodes": [None]}}, {"data": {}}],
)
def test_where_no_question_is_answered_nothing_is_lost(
    source: GitHub, vendor: Vendor, repo: Repository, answer: dict[str, object]
) -> None:
    """Each pull request is read by itself."""
    made = repo.open("Pull", "Body", pull=True)
    repo.review(1, "Mind the gauge")
    vendor.faults.add(Fault(faults.answer(200, answer), path="/graphql"))
    items, _ = listed(source, content=True)
    assert items[made.node_id].content is None
    assert b"Mind the gauge" in body_of(source, items[made.node_id])


def test_robots_and_those_who_left_are_called_as_ever(
    source: GitHub, vendor: Vendor, repo: Repository
) -> None:
    """The two APIs call them by different names."""
    made = repo.open("Pull", "Body", pull=True)
    repo.review(1, "By a robot")
    repo.review(1, "By nobody")

    def rename(_request: object, reply: faults.Reply) -> None:
        first, second = reply.body["data"]["nodes"][0]["reviews"]["nodes"]
        first["author"], second["author"] = {"__typename": "Bot", "login": "renovate"}, None

    vendor.faults.add(Fault(faults.changed(rename), path="/graphql"))
    items, _ = listed(source, content=True)
    content = items[made.node_id].content
    assert content is not None
    text = content.stream().read().decode()
    assert "## renovate[bot] approved" in text
    assert "## ghost approved" in text


@pytest.mark.parametrize("together", [100, 4])
def test_a_position_is_told_of_what_was_yielded_alone(
    source: GitHub,
    vendor: Vendor,
    repo: Repository,
    clock: SetClock,
    monkeypatch: pytest.MonkeyPatch,
    together: int,
) -> None:
    """Pull requests wait for others, and for answers: a listing that goes on there begins before them."""
    monkeypatch.setattr("connectors.github.pulls.TOGETHER", together)
    vendor.faults.add(Fault(faults.drip(0.0002), path="/graphql"))  # pages come while it is answered
    monkeypatch.setattr("connectors.github.issues.CHECKPOINT_ITEMS", 1)
    monkeypatch.setattr("connectors.github.client.PER_PAGE", 5)
    for number in range(40):
        clock.advance(600)
        repo.open(f"Thing {number}", "Body", pull=number % 2 == 0)
    scope = source.scopes()[1]
    told: set[str] = set()
    positions = 0
    for event in source.listing_with_content(scope):
        if isinstance(event, Item):
            told.add(event.key)
        elif isinstance(event, Checkpoint):
            positions += 1
            rest = {one.key for one in source.listing(scope, event.position) if isinstance(one, Item)}
            assert told | rest == {issue.node_id for issue in repo.issues.values()}
    assert positions > 3
