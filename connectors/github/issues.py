"""Issues and pull requests of a repository, told apart by when they, or their comments, were last changed.

A cursor is four marks: the newest time of issues, of comments and of remarks beside lines that was seen, and
how many issues there were. Deleted and transferred issues are in no list; that there are fewer than there
should be is what gives them away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from msgspec import Struct, field
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
from catchment.kit.http import Missing
from connectors.github.client import Client, Page, Repository, query
from connectors.github.places import ISSUE, PULL, talk_path
from connectors.github.pulls import Pulls, brought
from connectors.github.rendering import seconds_of, talk
from connectors.github.spool import COMMENT, REMARK, Spool
from connectors.github.walking import (
    BEGINNING,
    CHECKPOINT_ITEMS,
    LOOK_BACK_SECONDS,
    Row,
    earlier,
    first_page,
    walk,
)

_LISTS = {"issues": "/issues", "comments": "/issues/comments", "remarks": "/pulls/comments"}
_STATE = {"issues": {"state": "all"}, "comments": {}, "remarks": {}}


class Marks(Struct, frozen=True):
    """How far each list was read.

    Attributes:
        name: What the repository was called.
        issues: Time of the newest issue that was seen.
        comments: The same of comments.
        remarks: The same of remarks beside lines.
        count: How many issues there were; None where that is not known.
        last: The highest number of an issue.
        etags: Marks of the first pages of changes, where there was no second.
    """

    name: str
    issues: str = BEGINNING
    comments: str = BEGINNING
    remarks: str = BEGINNING
    count: int | None = None
    last: int = 0
    etags: dict[str, str] = field(default_factory=dict)

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
            for one in _LISTS:
                earlier(getattr(marks, one), 0)
        except (ValueError, TypeError) as error:
            raise CursorExpired("The cursor is not one of issues.") from error
        return marks


def item_of(repository: Repository, raw: Row, newest: str | None = None) -> Item:
    """Make an item of an issue or a pull request.

    The version is its own time and the number of its comments. A comment that was edited without moving the
    time of its issue is told by its own.

    Args:
        repository: Where it belongs.
        raw: GitHub's words.
        newest: When the newest comment that is known was last changed.
    """
    is_pull = is_pull_request(raw)
    updated = str(raw["updated_at"])
    version = f"{updated}/{raw.get('comments', '')}"
    if newest is not None and newest > updated:
        version += f"/{newest}"
    number = int(raw["number"])
    return Item(
        key=str(raw["node_id"]),
        path=talk_path(repository.name, number, kind=PULL if is_pull else ISSUE),
        version=version,
        content_type="text/markdown",
        modified_at=seconds_of(raw.get("updated_at")),
        created_at=seconds_of(raw.get("created_at")),
        title=str(raw.get("title") or f"#{number}"),
        url=raw.get("html_url"),
        author=(raw.get("user") or {}).get("login"),
        tags=tuple(str(one["name"] if isinstance(one, dict) else one) for one in raw.get("labels") or ()),
        metadata={
            "repository": repository.name,
            "number": str(number),
            "kind": "pull request" if is_pull else "issue",
            "state": state_of(raw),
        },
    )


def is_pull_request(raw: Row) -> bool:
    """Whether a row is of a pull request: among issues it says so, among its like it can be merged."""
    return "pull_request" in raw or "merged_at" in raw


def state_of(raw: Row) -> str:
    """Return open, closed or merged."""
    merged = raw.get("merged_at") or (raw.get("pull_request") or {}).get("merged_at")
    return "merged" if merged else str(raw.get("state") or "open")


class Issues:
    """Reads issues and pull requests."""

    def __init__(self, client: Client) -> None:
        self._client = client

    # -- listing --------------------------------------------------------------------------------

    def listing(
        self, repository: Repository, resume: str | None, *, with_content: bool
    ) -> Iterator[ListingEvent]:
        """Yield every issue and pull request, oldest change first, and where it could go on; last `Complete`.

        Comments are read before, so that what changes meanwhile has a time after theirs.

        Raises:
            SourceError: A page cannot be had.
        """
        marks = Marks.read(resume) if resume is not None else Marks(repository.name)
        # Of issues that were listed before the position nothing more is said.
        since = None if resume is None else earlier(marks.issues, LOOK_BACK_SECONDS)
        whole = with_content and resume is None
        with Spool() as spool:
            marks = self._spool(repository, spool, since, marks, whole=whole)
            numbers: set[int] = set()
            told = 0
            pulls = Pulls(self._client, spool, lambda raw: self._listed(repository, raw, spool, whole=False))
            for rows in self._issues(repository, since):
                told += len(rows)
                for raw in rows:
                    numbers.add(int(raw["number"]))
                    if whole and is_pull_request(raw) and repository.has_issues:
                        pulls.hold(raw)
                    else:
                        yield self._listed(repository, raw, spool, whole=whole)
                yield from pulls.answered()
                newest = max([marks.issues, *(str(raw["updated_at"]) for raw in rows)])
                marks = replace(marks, issues=newest, last=max([marks.last, *numbers]))
                if told >= CHECKPOINT_ITEMS:
                    told = 0
                    # What is held was not yielded: a listing that goes on there begins before it.
                    yield Checkpoint(replace(marks, issues=pulls.oldest or marks.issues).written())
            yield from pulls.rest()
        # Of a listing that was resumed only the second half was counted.
        yield Complete(replace(marks, count=len(numbers) if resume is None else None).written())

    def _spool(
        self, repository: Repository, spool: Spool, since: str | None, marks: Marks, *, whole: bool
    ) -> Marks:
        if not repository.has_issues:
            return marks  # there pull requests go by their own time alone

        def kept(name: str, kind: int) -> str:
            newest: str = getattr(marks, name)
            for rows in walk(self._client, f"{repository.api}{_LISTS[name]}", since):
                spool.add(_said(rows, kind), whole=whole)
                newest = max([newest, *(str(raw["updated_at"]) for raw in rows)])
            return newest

        remarks = self._client.errands.start(partial(kept, "remarks", REMARK))
        comments = kept("comments", COMMENT)
        return replace(marks, comments=comments, remarks=remarks.result())

    def _issues(self, repository: Repository, since: str | None) -> Iterator[list[Row]]:
        """Yield pages of issues; where a repository has none, of pull requests, which never vanish."""
        if repository.has_issues:
            yield from walk(self._client, f"{repository.api}/issues", since, state="all")
            return
        address = query(f"{repository.api}/pulls", state="all", sort="created", direction="asc")
        yield from self._client.pages(address)

    def _listed(self, repository: Repository, raw: Row, spool: Spool, *, whole: bool) -> Item:
        number = int(raw["number"])
        item = item_of(repository, raw, spool.newest(number))
        if whole and not is_pull_request(raw):
            comments = spool.said(number, COMMENT)
            # What was said after the comments were read is in the number, and in no comment yet.
            if len(comments) == raw.get("comments", 0):
                item.content = brought(talk(raw, comments))
        return item

    # -- changes --------------------------------------------------------------------------------

    def changes(self, repository: Repository, cursor: str) -> Iterator[FeedEvent]:
        """Yield what was changed, or commented on, since the cursor, oldest change first.

        Raises:
            CursorExpired: There are fewer issues than there should be, nobody knows how many there were, or
                the repository has another name.
            SourceError: GitHub cannot be asked.
        """
        marks = Marks.read(cursor)
        if marks.name != repository.name:
            raise CursorExpired(f"The repository is called {repository.name} now.")
        if not repository.has_issues:
            yield from self._changed_pulls(repository, marks)
            return
        count, newest = self._counted(repository)
        if newest < earlier(marks.issues, LOOK_BACK_SECONDS):
            # What went with the newest was not told either; and a server may have been set back.
            raise CursorExpired(f"{repository.name} has no issue of the time up to which it was read.")
        if marks.count is None and count is not None:
            raise CursorExpired("The listing had been resumed: what it named before may have gone since.")
        firsts = {
            name: first_page(
                self._client,
                f"{repository.api}{path}",
                earlier(getattr(marks, name), LOOK_BACK_SECONDS),
                etag=marks.etags.get(name),
                **_STATE[name],
            )
            for name, path in _LISTS.items()
        }
        if all(page.same for page in firsts.values()):
            self._require_all(repository, marks, count)
            yield Complete(cursor)
            return
        new = marks
        with Spool() as spool:
            talked: set[int] = set()
            for name, kind in (("comments", COMMENT), ("remarks", REMARK)):
                for rows in self._since(repository, marks, name, firsts[name]):
                    said = list(_said(rows, kind))
                    spool.add(said, whole=False)
                    mark = getattr(marks, name)
                    talked.update(number for number, _, raw in said if raw["updated_at"] > mark)
                    new = _moved(new, name, rows)
            numbers: set[int] = set()
            for rows in self._since(repository, marks, "issues", firsts["issues"]):
                for raw in rows:
                    numbers.add(int(raw["number"]))
                    yield Changed(item_of(repository, raw, spool.newest(int(raw["number"]))))
                new = _moved(new, "issues", rows)
            fresh = {number for number in numbers if number > marks.last}
            yield from self._quietly_edited(repository, spool, talked - numbers)
        if marks.count is not None:
            new = replace(new, count=marks.count + len(fresh))
        new = replace(new, last=max([marks.last, *fresh]))
        self._require_all(repository, new, count)
        etags = {
            name: page.etag
            for name, page in firsts.items()
            if page.etag and page.next is None and getattr(new, name) == getattr(marks, name)
        }
        yield Complete(replace(new, etags=etags).written())

    def _since(self, repository: Repository, marks: Marks, name: str, first: Page) -> Iterator[list[Row]]:
        """Walk a list from its mark on; a page that came without its rows is asked for once more."""
        since = earlier(getattr(marks, name), LOOK_BACK_SECONDS)
        path = f"{repository.api}{_LISTS[name]}"
        yield from walk(self._client, path, since, first=None if first.same else first, **_STATE[name])

    def _quietly_edited(self, repository: Repository, spool: Spool, numbers: set[int]) -> Iterator[FeedEvent]:
        """Yield issues with comments that were edited without moving the time of their issue."""
        for number in sorted(numbers):
            try:
                raw = self._client.http.get_json(f"{repository.api}/issues/{number}")
            except Missing:
                continue  # the number of issues tells that one is gone
            if raw.get("number") == number:
                yield Changed(item_of(repository, raw, spool.newest(number)))

    def _changed_pulls(self, repository: Repository, marks: Marks) -> Iterator[FeedEvent]:
        """Yield pull requests of a repository without issues, latest first: that list has no `since`."""
        least, newest = earlier(marks.issues, LOOK_BACK_SECONDS), marks.issues
        address = query(f"{repository.api}/pulls", state="all", sort="updated", direction="desc")
        for page, rows in enumerate(self._client.pages(address)):
            for number, raw in enumerate(rows):
                newest = max(newest, str(raw["updated_at"]))
                if raw["updated_at"] < least:
                    if page == number == 0:
                        raise CursorExpired(f"{repository.name} has no pull request of the time read last.")
                    yield Complete(replace(marks, issues=newest).written())
                    return
                yield Changed(item_of(repository, raw))
        yield Complete(replace(marks, issues=newest).written())

    def _counted(self, repository: Repository) -> tuple[int | None, str]:
        """Return how many issues and pull requests there are, and the time of the one that changed last.

        The number is None where GitHub does not number its pages.
        """
        order = {"state": "all", "sort": "updated", "direction": "desc"}
        page = self._client.page(query(f"{repository.api}/issues", per_page="1", **order))
        newest = max((str(raw["updated_at"]) for raw in page.rows), default=BEGINNING)
        return len(page.rows) if page.next is None else page.last, newest

    def _require_all(self, repository: Repository, marks: Marks, count: int | None) -> None:
        """See that no issue is missing.

        An issue may have been opened after they were counted, so a number that is too small is counted anew.
        """
        if count is None or marks.count is None or marks.count <= count:
            return
        again, _ = self._counted(repository)
        if again is not None and again < marks.count:
            raise CursorExpired(f"Issues of {repository.name} were deleted, or transferred elsewhere.")


def _moved(marks: Marks, name: str, rows: list[Row]) -> Marks:
    return replace(marks, **{name: max([getattr(marks, name), *(str(raw["updated_at"]) for raw in rows)])})


def _said(rows: list[Row], kind: int) -> Iterator[tuple[int, int, Row]]:
    """Yield comments with the number of their issue, which stands at the end of its address."""
    for raw in rows:
        address = str(raw.get("issue_url") or raw.get("pull_request_url") or "")
        number = address.rpartition("/")[2]
        if not number.isdecimal():
            raise SourceDown("GitHub's answer about a comment makes no sense.")
        yield int(number), kind, raw
