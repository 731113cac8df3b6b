"""GitHub under the control of the kit: issues with pull requests, and discussions, of two repositories."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from catchment.conformance import Ability, Delivery
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Issue, Repository
from catchment.simulators.github.forum import Discussion
from catchment.simulators.wire import Reply, Request
from tests.conformance.github import LATE_SECONDS, OWNER, GitHubWorld

LONG_TEXT = "\n\n" + "The gauge was read. " * 900
"""A talk of this length does not come along with a listing: its body is read by itself."""
MOST_LONG = 100
BETWEEN_SECONDS = 10
FUTURE = "2999-01-01T00:00:00Z"
NO_MARKS = "GitHub takes a time of any age, and keeps nothing for whoever asks by it"
NO_WORD = (
    "that a talk is gone shows in the number of all, and an incremental run removes nothing by a listing"
)
NO_TIME = "a delivery does not tell when it was signed"


class TalksWorld(GitHubWorld):
    """Talks in one repository, from where they can be moved into another one."""

    long_listing = 700
    unseen: ClassVar[Mapping[Ability, str]] = dict.fromkeys((Ability.REMOVE, Ability.MOVE), NO_WORD)
    cannot: ClassVar[Mapping[Ability, str]] = {
        Ability.BIG: "a talk is text, of at most 65,536 characters at a time",
        Ability.EXPIRE_CURSORS: NO_MARKS,
        Ability.STALE_DELIVERY: NO_TIME,
    }

    def make_simulator(self) -> Vendor:
        vendor = super().make_simulator()
        self.other = self.make_repository(vendor, "mill")
        self.homes: dict[str, Repository] = {}
        self.numbers: dict[str, int] = {}
        self.made = 0
        return vendor

    def config(self) -> dict[str, Any]:
        return {**super().config(), "repos": ["ann/weir", "ann/mill"]}

    def talk(self, name: str) -> Issue | Discussion:
        """Return a talk."""
        raise NotImplementedError

    def key(self, name: str) -> str:
        return self.talk(name).node_id

    def text_of(self, text: str) -> str:
        """Return the text of the next talk; some time has passed since the last. Every second one is long."""
        self.made += 1
        self.clock.advance(BETWEEN_SECONDS)
        return text if self.made % 2 or self.made > MOST_LONG else text + LONG_TEXT

    def rename(self, name: str, new: str) -> None:
        # What a talk is called is its number; what that begins with is the name of its repository.
        self.homes[new], self.numbers[new] = self.homes.pop(name), self.numbers.pop(name)
        self.simulator.rename_repository(self.repo, f"{OWNER}/dam")


class IssuesWorld(TalksWorld):
    """What the kit makes are issues and pull requests, some with comments."""

    kinds = ("issues",)
    listing_path = r"/repo(s/[^/]+/[^/]+|sitories/\d+)/(issues|pulls)"

    def make_simulator(self) -> Vendor:
        self._removed: dict[str, Issue] = {}
        return super().make_simulator()

    # -- what is true, and what people do -------------------------------------------------------

    def truth(self) -> dict[str, str]:
        repositories = self.simulator.repositories.values()
        return {one.node_id: _words(one) for repo in repositories for one in repo.issues.values()}

    def talk(self, name: str) -> Issue:
        return self.homes[name].issues[self.numbers[name]]

    def put(self, name: str, text: str) -> None:
        body = self.text_of(text)
        made = self.repo.open(name, body, pull=self.made % 4 == 1, author=OWNER)
        if self.made % 3 == 0:
            self.repo.comment(made.number, f"heard of {name}")
        if made.is_pull:
            self.repo.review(made.number, f"seen {name}")
            self.repo.remark(made.number, f"beside {name}")
        self.homes[name], self.numbers[name] = self.repo, made.number

    def edit(self, name: str, text: str) -> None:
        self.homes[name].edit(self.numbers[name], body=text)

    def remove(self, name: str) -> None:
        self._removed[name] = self.homes[name].delete(self.numbers[name])

    def restore(self, name: str) -> None:
        self.homes[name].restore(self._removed.pop(name))

    def move(self, name: str) -> None:
        moved = self.homes[name].transfer(self.numbers[name], self.other)
        self.homes[name], self.numbers[name] = self.other, moved.number

    def late(self, name: str, text: str) -> None:
        self.put(name, text)
        self.talk(name).updated -= LATE_SECONDS

    # -- how it is read -------------------------------------------------------------------------

    def body_path(self, name: str) -> str:
        return rf"/repos/ann/\w+/(issues|pulls)/{self.numbers[name]}"

    def page_size(self, size: int) -> None:
        self.simulator.most_per_page = min(size, 100)

    def repeat_cursor(self) -> None:
        self.change_pages(lambda request, reply: _linked(reply, request.link()))

    def empty_page(self) -> None:
        self.change_pages(lambda _, reply: replace(reply, body=[]), skip=1, times=1)

    def drop_next(self) -> None:
        self.change_pages(lambda _, reply: _linked(reply, ""))

    def future_cursor(self) -> str:
        times = dict.fromkeys(("issues", "comments", "remarks"), FUTURE)
        return json.dumps({"name": "ann/weir", "count": len(self.repo.issues), "last": self.made, **times})

    def least_requests(self, listed: int, read: int) -> int:
        # Two repositories; comments, remarks and issues of each, whose pages overlap by one: all the kit asks
        # for fits on one page of comments.
        lists = 2 + 5 + max(-(-(listed - 1) // (self.simulator.most_per_page - 1)), 1)
        if read < listed:
            return lists + 3 * read  # a pull request, its remarks and its reviews
        alone = [one for one in self.repo.issues.values() if LONG_TEXT in (one.body or "")]
        # All that is said of pull requests is one question.
        return lists + sum(1 + bool(one.comments) for one in alone) + 1

    def delivery(self, name: str) -> Delivery:
        tell = self.hooks.pull_request if self.talk(name).is_pull else self.hooks.issue
        return Delivery(*tell(self.homes[name], self.numbers[name], "edited"))


class Halls(Vendor):
    """GitHub that gives at most `most_at_once` discussions, however many are asked for."""

    most_at_once = 100

    def answer(self, request: Request) -> Reply:
        """Answer as ever, and less at a time."""
        if _lists(request):
            told = request.json()
            told["variables"]["first"] = min(told["variables"]["first"], self.most_at_once)
            request = replace(request, body=json.dumps(told).encode())
        return super().answer(request)


@dataclass
class Asking(Fault):
    """A fault that looks into the question, since all questions have one address."""

    asks: Callable[[Request], bool] = lambda _: True

    def matches(self, request: Request) -> bool:
        return Fault.matches(self, request) and self.asks(request)


class DiscussionsWorld(TalksWorld):
    """What the kit makes are discussions, some with comments."""

    kinds = ("discussions",)
    listing_path = r"/graphql"
    error_body: ClassVar[Any] = {"errors": [{"message": "Something went wrong while executing your query."}]}
    vendor_class = Halls
    simulator: Halls

    def make_simulator(self) -> Vendor:
        self._removed: dict[str, Discussion] = {}
        vendor = super().make_simulator()
        self.repo.forum.is_on = self.other.forum.is_on = True
        return vendor

    # -- what is true, and what people do -------------------------------------------------------

    def truth(self) -> dict[str, str]:
        forums = [repo.forum for repo in self.simulator.repositories.values()]
        return {one.node_id: _said(one) for forum in forums for one in forum.discussions.values()}

    def talk(self, name: str) -> Discussion:
        return self.homes[name].forum.discussions[self.numbers[name]]

    def put(self, name: str, text: str) -> None:
        forum = self.repo.forum
        made = forum.open(name, self.text_of(text), category="Q&A" if self.made % 3 else "Ideas")
        if self.made % 3 == 0:
            said = forum.comment(made.number, f"heard of {name}")
            forum.reply(made.number, said.id, f"answered to {name}")
        self.homes[name], self.numbers[name] = self.repo, made.number

    def edit(self, name: str, text: str) -> None:
        self.homes[name].forum.edit(self.numbers[name], body=text)

    def remove(self, name: str) -> None:
        self._removed[name] = self.homes[name].forum.delete(self.numbers[name])

    def restore(self, name: str) -> None:
        self.homes[name].forum.discussions[self.numbers[name]] = self._removed.pop(name)

    def move(self, name: str) -> None:
        moved = self.homes[name].forum.transfer(self.numbers[name], self.other)
        self.homes[name], self.numbers[name] = self.other, moved.number

    def late(self, name: str, text: str) -> None:
        self.put(name, text)
        self.talk(name).updated -= LATE_SECONDS

    # -- how it is read -------------------------------------------------------------------------

    def body_path(self, name: str) -> str:
        raise NotImplementedError("every question has the same address; see fail_body")

    def fail_body(self, name: str) -> None:
        key = self.key(name)
        broken = faults.answer(500, self.refusal(500))
        self.simulator.faults.add(Asking(broken, asks=lambda request: _variables(request).get("id") == key))

    def listing_fault(self, answer: faults.Answer, *, skip: int = 0, **more: Any) -> None:
        # Before its first page a listing looks at the newest discussion, by the same question.
        more["skip"] = skip + 1 if skip else 0
        self.simulator.faults.add(Asking(answer, path=self.listing_path, asks=_lists, **more))

    def page_size(self, size: int) -> None:
        self.simulator.most_at_once = min(size, 100)

    def repeat_cursor(self) -> None:
        def itself(request: Request, reply: Reply) -> Reply:
            after = _variables(request).get("after")
            return _paged(reply, hasNextPage=True, **({"endCursor": after} if after else {}))

        self.change_pages(itself)

    def empty_page(self) -> None:
        def emptied(request: Request, reply: Reply) -> Reply:
            # The next page begins where this one should have: at the same place, otherwise written.
            place = base64.b64decode(_variables(request)["after"]) + b"0"
            _discussions(reply)["nodes"] = []
            return _paged(reply, hasNextPage=True, endCursor=base64.b64encode(place).decode())

        self.change_pages(emptied, skip=1, times=1)

    def drop_next(self) -> None:
        self.change_pages(lambda _, reply: _paged(reply, hasNextPage=False))

    def future_cursor(self) -> str:
        there = len(self.repo.forum.discussions)
        return json.dumps({"name": "ann/weir", "updated": FUTURE, "count": there, "last": self.made})

    def least_requests(self, listed: int, read: int) -> int:
        # Two repositories, and the newest discussion of each; the second has one page, with nothing on it.
        lists = 2 + 2 + -(-listed // self.simulator.most_at_once) + 1
        alone = [one for one in self.repo.forum.discussions.values() if LONG_TEXT in one.body]
        return lists + (len(alone) if read == listed else read)

    def delivery(self, name: str) -> Delivery:
        return Delivery(*self.hooks.discussion(self.homes[name], self.numbers[name], "edited"))


def _words(one: Issue) -> str:
    said = [*one.comments.values(), *one.reviews.values(), *one.remarks.values()]
    return " ".join([one.title, one.body or "", *(each.body for each in said)])


def _said(one: Discussion) -> str:
    return " ".join([one.title, one.body, *(each.body for each in one.words())])


def _linked(reply: Reply, address: str) -> Reply:
    """Return a page of REST that names this next one, or none."""
    reply.headers.pop("Link", None)
    if address:
        reply.headers["Link"] = f'<{address}>; rel="next"'
    return reply


def _variables(request: Request) -> dict[str, Any]:
    told = request.json()
    return dict((told or {}).get("variables") or {}) if request.path == "/graphql" else {}


def _lists(request: Request) -> bool:
    """Whether discussions are asked for in their order."""
    return "order" in _variables(request)


def _discussions(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = reply.body["data"]["repository"]["discussions"]
    return found


def _paged(reply: Reply, **told: Any) -> Reply:
    _discussions(reply)["pageInfo"].update(told)
    return reply
