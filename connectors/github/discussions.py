"""Discussions of a repository: told apart by the time of their last change, and counted.

Complete listings go by the time at which discussions were begun, an order in which nothing moves. Changes are
read backwards from the newest, since GitHub takes no time to begin at. What was deleted, moved away or moved
in shows in the number of all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import asdict, replace

from catchment.kit import (
    Changed,
    Checkpoint,
    Complete,
    CursorExpired,
    FeedEvent,
    Item,
    ListingEvent,
    SourceDown,
)
from connectors.github import questions
from connectors.github.client import Client, Repository
from connectors.github.graph import next_cursor
from connectors.github.places import DISCUSSION, talk_path
from connectors.github.pulls import brought
from connectors.github.rendering import discussion as written
from connectors.github.rendering import seconds_of
from connectors.github.walking import BEGINNING, CHECKPOINT_ITEMS, LOOK_BACK_SECONDS, Row, earlier

LISTED = 100
"""How many one question asks for."""
TOGETHER = {"first": 25, "said": 20, "replies": 5}
"""How many come with all that was said, of which so much: six points, where one by one they cost 25."""
_OLDEST = {"field": "CREATED_AT", "direction": "ASC"}
_NEWEST = {"field": "UPDATED_AT", "direction": "DESC"}
Order = Mapping[str, str]


class Marks(Struct, frozen=True):
    """How far discussions were read.

    Attributes:
        name: What the repository was called.
        is_on: Whether it had discussions.
        updated: Time of the newest that was seen.
        count: How many were seen.
        last: The highest number of one.
        beside: How many more GitHub counted than there were to see.
        after: In a position, where the listing goes on.
    """

    name: str
    is_on: bool = True
    updated: str = BEGINNING
    count: int = 0
    last: int = 0
    beside: int = 0
    after: str | None = None

    def written(self) -> str:
        """Write it as a cursor."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, cursor: str) -> Marks:
        """Read a cursor.

        Raises:
            CursorExpired: It is none of ours.
        """
        try:
            marks = cls(**json.loads(cursor))
            earlier(marks.updated, 0)
        except (ValueError, TypeError) as error:
            raise CursorExpired("The cursor is not one of discussions.") from error
        return marks


class _Page(Struct, frozen=True):
    rows: list[Row]
    total: int
    next: str | None
    is_on: bool


def item_of(repository: Repository, raw: Row) -> Item:
    """Make an item of a discussion; its version is its own time, the number of comments, and its standing."""
    answered = raw.get("isAnswered")
    category = str((raw.get("category") or {}).get("name") or "")
    comments = (raw.get("comments") or {}).get("totalCount", "")
    number = int(raw["number"])
    metadata = {
        "repository": repository.name,
        "number": str(number),
        "kind": "discussion",
        "state": "closed" if raw.get("closed") else "open",
        "category": category,
    }
    if answered is not None:
        metadata["answered"] = "yes" if answered else "no"
    return Item(
        key=str(raw["id"]),
        path=talk_path(repository.name, number, kind=DISCUSSION),
        version=f"{raw['updatedAt']}/{comments}/{category}/{answered}",
        content_type="text/markdown",
        modified_at=seconds_of(raw.get("updatedAt")),
        created_at=seconds_of(raw.get("createdAt")),
        title=str(raw.get("title") or f"#{number}"),
        url=raw.get("url"),
        author=(raw.get("author") or {}).get("login"),
        tags=tuple(_labels(raw)),
        metadata=metadata,
    )


def _labels(raw: Row) -> list[str]:
    return [str(one["name"]) for one in (raw.get("labels") or {}).get("nodes") or () if one]


class Discussions:
    """Reads discussions."""

    def __init__(self, client: Client) -> None:
        self._client = client

    # -- listing --------------------------------------------------------------------------------

    def listing(
        self, repository: Repository, resume: str | None, *, with_content: bool = False
    ) -> Iterator[ListingEvent]:
        """Yield every discussion, oldest first, and where it could go on; last `Complete`.

        With content all that was said comes along, where it is not much.

        Raises:
            CursorExpired: The listing cannot go on at the position.
            SourceError: A page cannot be had.
        """
        if not repository.has_discussions:
            yield Complete(Marks(repository.name, is_on=False).written())
            return
        marks = Marks.read(resume) if resume is not None else self._beginning(repository)
        if not marks.is_on:
            yield Complete(marks.written())
            return
        total = marks.beside  # in a position: how many there were when the listing began
        told = 0
        for page in self._pages(repository, _OLDEST, after=marks.after, whole=with_content):
            for raw in page.rows:
                yield self._listed(repository, raw)
            numbers = [int(raw["number"]) for raw in page.rows]
            marks = replace(
                marks,
                count=marks.count + len(numbers),
                last=max([marks.last, *numbers]),
                after=page.next,
            )
            told += len(numbers)
            if told >= CHECKPOINT_ITEMS and page.next is not None:
                told = 0
                yield Checkpoint(marks.written())
        # One that was begun, or went, meanwhile makes the difference another one, and changes look again.
        yield Complete(replace(marks, beside=total - marks.count, after=None).written())

    @staticmethod
    def _listed(repository: Repository, raw: Row) -> Item:
        item = item_of(repository, raw)
        if "said" in raw and _is_whole(raw["said"]):
            comments = [{**one, "replies": one["replies"]["nodes"]} for one in raw["said"]["nodes"]]
            item.content = brought(written(raw, comments))
        return item

    def _beginning(self, repository: Repository) -> Marks:
        """Return the marks of this moment, before anything is listed."""
        page = self._page(repository, _NEWEST, after=None, first=1)
        newest = max((str(raw["updatedAt"]) for raw in page.rows), default=BEGINNING)
        return Marks(repository.name, is_on=page.is_on, updated=newest, beside=page.total)

    # -- changes --------------------------------------------------------------------------------

    def changes(self, repository: Repository, cursor: str) -> Iterator[FeedEvent]:
        """Yield discussions that were changed, or commented on, since the cursor.

        Raises:
            CursorExpired: There are more or fewer discussions than there should be, they were switched on
                or off, or the repository has another name.
            SourceError: GitHub cannot be asked.
        """
        marks = Marks.read(cursor)
        if marks.name != repository.name:
            raise CursorExpired(f"The repository is called {repository.name} now.")
        if marks.is_on != repository.has_discussions:
            raise CursorExpired(f"Discussions of {repository.name} were switched on, or off.")
        if not marks.is_on:
            yield Complete(cursor)
            return
        least, newest, total = earlier(marks.updated, LOOK_BACK_SECONDS), marks.updated, 0
        fresh: set[int] = set()
        for number, page in enumerate(self._pages(repository, _NEWEST)):
            if not page.is_on:
                raise CursorExpired(f"Discussions of {repository.name} were switched off.")
            rows = [raw for raw in page.rows if str(raw["updatedAt"]) >= least]
            if number == 0:
                # What is changed while pages are read moves to the front, and is seen by the next run.
                total = page.total
                newest = max([newest, *(str(raw["updatedAt"]) for raw in rows)])
                if page.rows and not rows:
                    raise CursorExpired(f"{repository.name} has no discussion of the time read last.")
            fresh.update(int(raw["number"]) for raw in rows if int(raw["number"]) > marks.last)
            for raw in rows:
                yield Changed(item_of(repository, raw))
            if len(rows) < len(page.rows):
                break
        new = replace(marks, updated=newest, count=marks.count + len(fresh), last=max([marks.last, *fresh]))
        if total - new.count != marks.beside:
            raise CursorExpired(f"Discussions of {repository.name} were deleted, or moved away or in.")
        yield Complete(new.written())

    def try_out(self, repository: Repository) -> None:
        """See that discussions can be read.

        Raises:
            SourceError: They cannot.
        """
        self._page(repository, _NEWEST, after=None, first=1)

    # -- pages ----------------------------------------------------------------------------------

    def _pages(
        self, repository: Repository, order: Order, after: str | None = None, *, whole: bool = False
    ) -> Iterator[_Page]:
        while True:
            page = self._whole_page(repository, order, after) if whole else None
            page = page or self._page(repository, order, after=after, first=LISTED)
            yield page
            after = page.next
            if after is None:
                return

    def _whole_page(self, repository: Repository, order: Order, after: str | None) -> _Page | None:
        """Return a page with all that was said; None where that is too much to ask, however little."""
        try:
            return self._asked(questions.WHOLES, repository, order, after, TOGETHER)
        except SourceDown:
            return None  # without it one hears what is wrong, or all are read one by one

    def _page(self, repository: Repository, order: Order, *, after: str | None, first: int) -> _Page:
        return self._asked(questions.LIST, repository, order, after, {"first": first})

    def _asked(
        self,
        question: str,
        repository: Repository,
        order: Order,
        after: str | None,
        sizes: Mapping[str, int],
    ) -> _Page:
        owner, _, name = repository.name.partition("/")
        told = self._client.graph.ask(
            question, sizes=sizes, owner=owner, name=name, after=after, order=order
        ).get("repository")
        if not told:
            raise SourceDown(f"GitHub shows no discussions of {repository.name}.")
        found = told["discussions"]
        rows = [raw for raw in found["nodes"] if raw]
        return _Page(
            rows, int(found["totalCount"]), next_cursor(found, after), bool(told["hasDiscussionsEnabled"])
        )


def _is_whole(said: Row) -> bool:
    """Whether all comments, and all replies below each, are there."""
    below = (one["replies"] for one in said["nodes"])
    return not any(one["pageInfo"]["hasNextPage"] for one in (said, *below))
