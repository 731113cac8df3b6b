"""Discussions of a repository: told apart by the time of their last change, and counted.

Complete listings go by the time at which discussions were begun, an order in which nothing moves. Changes are
read backwards from the newest, since GitHub takes no time to begin at. What was deleted, moved away or moved
in shows in the number of all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from catchment.kit import (
    Changed,
    Checkpoint,
    Complete,
    Content,
    CursorExpired,
    FeedEvent,
    Item,
    ItemUnreadable,
    ListingEvent,
    SourceDown,
)
from connectors.github import questions
from connectors.github.client import Client, Repository
from connectors.github.places import DISCUSSION, talk_path
from connectors.github.rendering import discussion as written
from connectors.github.rendering import seconds_of
from connectors.github.walking import earlier

LOOK_BACK_SECONDS = 120.0
"""How far changes go back beyond the newest that was seen: what was written last may be listed late."""
LISTED, SAID, REPLIED, MORE = 100, 50, 25, 100
"""How many discussions, comments, replies below each, and further replies one question asks for."""
CHECKPOINT_ITEMS = 500
_BEGINNING = "1970-01-01T00:00:00Z"
_OLDEST = {"field": "CREATED_AT", "direction": "ASC"}
_NEWEST = {"field": "UPDATED_AT", "direction": "DESC"}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Marks:
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
    updated: str = _BEGINNING
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


@dataclass(frozen=True, slots=True)
class _Page:
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

    def listing(self, repository: Repository, resume: str | None) -> Iterator[ListingEvent]:
        """Yield every discussion, oldest first, and where it could go on; last `Complete`.

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
        for page in self._pages(repository, _OLDEST, after=marks.after):
            for raw in page.rows:
                yield item_of(repository, raw)
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

    def _beginning(self, repository: Repository) -> Marks:
        """Return the marks of this moment, before anything is listed."""
        page = self._page(repository, _NEWEST, after=None, first=1)
        newest = max((str(raw["updatedAt"]) for raw in page.rows), default=_BEGINNING)
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
            fresh.update(int(raw["number"]) for raw in rows if int(raw["number"]) > marks.last)
            for raw in rows:
                yield Changed(item_of(repository, raw))
            if len(rows) < len(page.rows):
                break
        new = replace(marks, updated=newest, count=marks.count + len(fresh), last=max([marks.last, *fresh]))
        if total - new.count != marks.beside:
            raise CursorExpired(f"Discussions of {repository.name} were deleted, or moved away or in.")
        yield Complete(new.written())

    # -- single ones ----------------------------------------------------------------------------

    def by_number(self, repository: Repository, number: int) -> Item | None:
        """Look a discussion up.

        Raises:
            SourceError: GitHub cannot be asked.
        """
        owner, _, name = repository.name.partition("/")
        told = self._client.graph.ask(questions.ONE, owner=owner, name=name, number=number)
        raw = (told.get("repository") or {}).get("discussion")
        return item_of(repository, raw) if raw is not None and _is_of(repository, raw) else None

    def by_node(self, repositories: dict[int, Repository], ids: list[str]) -> list[Item | None]:
        """Look discussions up by their ids, at most a hundred; None for what is none of these repositories.

        Raises:
            SourceError: GitHub cannot be asked.
        """
        nodes = self._client.graph.ask(questions.NODES, ids=ids).get("nodes")
        if not isinstance(nodes, list) or len(nodes) != len(ids):
            raise SourceDown("GitHub's answer about ids of discussions makes no sense.")
        found: list[Item | None] = []
        for raw in nodes:
            home = repositories.get(((raw or {}).get("repository") or {}).get("databaseId") or 0)
            found.append(item_of(home, raw) if home is not None else None)
        return found

    def try_out(self, repository: Repository) -> None:
        """See that discussions can be read.

        Raises:
            SourceError: They cannot.
        """
        self._page(repository, _NEWEST, after=None, first=1)

    def fetch(self, repository: Repository, item: Item) -> Content:
        """Return a discussion with its comments and replies as Markdown.

        Raises:
            ItemUnreadable: gone.
            SourceError: GitHub cannot be asked.
        """
        facts: Row | None = None
        comments: list[Row] = []
        after: str | None = None
        while facts is None or after is not None:
            raw = self._client.graph.ask(
                questions.WHOLE, sizes={"first": SAID, "replies": REPLIED}, id=item.key, after=after
            ).get("node")
            if not raw or not _is_of(repository, raw):
                raise ItemUnreadable(item.key, "gone", "It is no longer there.")
            facts = facts or raw
            comments += self._with_all_replies(raw["said"]["nodes"])
            after = _next(raw["said"], after)
        content = Content.text(written(facts, comments))
        content.item = item_of(repository, facts)
        return content

    def _with_all_replies(self, comments: list[Row]) -> Iterator[Row]:
        for comment in comments:
            replies, after = comment["replies"]["nodes"], _next(comment["replies"], None)
            while after is not None:
                told = self._client.graph.ask(
                    questions.REST, sizes={"first": MORE}, id=comment["id"], after=after
                ).get("node")
                if not told:
                    break  # the comment went meanwhile
                replies += told["replies"]["nodes"]
                after = _next(told["replies"], after)
            yield {**comment, "replies": replies}

    # -- pages ----------------------------------------------------------------------------------

    def _pages(
        self, repository: Repository, order: dict[str, str], after: str | None = None
    ) -> Iterator[_Page]:
        while True:
            page = self._page(repository, order, after=after, first=LISTED)
            yield page
            after = page.next
            if after is None:
                return

    def _page(self, repository: Repository, order: dict[str, str], *, after: str | None, first: int) -> _Page:
        owner, _, name = repository.name.partition("/")
        told = self._client.graph.ask(
            questions.LIST, sizes={"first": first}, owner=owner, name=name, after=after, order=order
        ).get("repository")
        if not told:
            raise SourceDown(f"GitHub shows no discussions of {repository.name}.")
        found = told["discussions"]
        rows = [raw for raw in found["nodes"] if raw]
        return _Page(rows, int(found["totalCount"]), _next(found, after), bool(told["hasDiscussionsEnabled"]))


def _next(connection: Row, before: str | None) -> str | None:
    """Return the cursor of the next page.

    Raises:
        SourceDown: It is that of this page.
    """
    told = connection["pageInfo"]
    if not told["hasNextPage"]:
        return None
    if told["endCursor"] in (before, None):
        raise SourceDown("GitHub named the same next page twice: the list has no end.")
    return str(told["endCursor"])


def _is_of(repository: Repository, raw: Row) -> bool:
    return bool((raw.get("repository") or {}).get("databaseId") == repository.id)
