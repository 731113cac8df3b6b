"""Lists in the order of their last change, read so that nothing is missed while they change.

A numbered page is a place in a list that moves: what changes goes to the end, and what follows moves up,
past the reader. So each page is asked for by the time at which the one before ended, a second early; the
numbers are used only where more things than fit on a page bear the same second. While a page is worked on,
the next is on its way.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from catchment.kit import SourceDown
from connectors.github.client import Client, Page, query

Row = dict[str, Any]
OVERLAP_SECONDS = 1
LOOK_BACK_SECONDS = 120.0
"""How far changes begin before the newest that was seen: what was written last may be listed late."""
CHECKPOINT_ITEMS = 500
"""Before a position is told, all bodies on their way are waited for; so not after every page."""
BEGINNING = "1970-01-01T00:00:00Z"
"""A time before every change."""


def walk(
    client: Client, path: str, since: str | None, *, first: Page | None = None, **parameters: str
) -> Iterator[list[Row]]:
    """Yield what was changed at or after a time, oldest change first, each thing once in each of its states.

    Args:
        client: Who asks.
        path: The list.
        since: ISO 8601; None for all.
        first: The first page, where it was asked for already (by `since` as it stands).
        parameters: More of the query.

    Raises:
        SourceError: A page cannot be had, or makes no sense.
    """
    way = _Way(path, since or "", parameters)
    page = first or client.page(way.first)
    while True:
        rows, following = way.take(page)
        coming = client.errands.start(partial(client.page, following)) if following is not None else None
        if rows:
            yield rows
        if coming is None:
            return
        page = coming.result()


class _Way:
    """How far a walk has come: what it has seen, and which page it wants next.

    Attributes:
        first: Address of the page that it begins with.
    """

    def __init__(self, path: str, since: str, parameters: dict[str, str]) -> None:
        self._path = path
        self._parameters = parameters
        self._known: set[tuple[int, str]] = set()
        self._seen: set[str] = set()
        self._asked = self._last = since
        self._pages = self._fresh = 0
        self.first = self._look(since)

    def take(self, page: Page) -> tuple[list[Row], str | None]:
        """Return what a page holds that was not seen yet, and the address of the next; None at the end.

        Raises:
            SourceDown: The next page is one that was there before.
        """
        rows = [row for row in page.rows if (row["id"], row["updated_at"]) not in self._known]
        self._known.update((row["id"], row["updated_at"]) for row in rows)
        self._pages, self._fresh = self._pages + 1, self._fresh + len(rows)
        times = [str(row["updated_at"]) for row in page.rows]
        self._last = max([self._last, *times])
        goes_on = page.next is not None and times == sorted(times) and _early(self._last) > self._asked
        if page.next is not None and not goes_on:
            return rows, self._numbered(page.next)
        if self._pages > 1 and self._fresh:
            # Numbers were used: a second look that finds nothing new proves that none was missed.
            return rows, self._look(self._asked)
        if not goes_on:
            return rows, None
        since = _early(self._last)
        self._known = {one for one in self._known if one[1] >= since}
        return rows, self._look(since)

    def _look(self, since: str) -> str:
        """Begin with the pages from a time on, and return the address of the first."""
        self._asked = self._last = since
        self._pages = self._fresh = 0
        address = _address(self._path, since, self._parameters)
        self._seen = {address}
        return address

    def _numbered(self, address: str) -> str:
        if address in self._seen:
            raise SourceDown("GitHub named the same next page twice: the list has no end.")
        self._seen.add(address)
        return address


def _address(path: str, since: str, parameters: dict[str, str]) -> str:
    more = {"since": since} if since else {}
    return query(path, sort="updated", direction="asc", **parameters, **more)


def first_page(client: Client, path: str, since: str, *, etag: str | None = None, **parameters: str) -> Page:
    """Ask for the page that a walk begins with, by a mark from last time.

    Raises:
        SourceError: It cannot be had.
    """
    return client.page(_address(path, since, parameters), etag=etag)


def earlier(time: str, seconds: float) -> str:
    """Return a time that lies before another, in the same form."""
    moment = datetime.fromisoformat(time).timestamp() - seconds
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _early(time: str) -> str:
    return earlier(time, OVERLAP_SECONDS) if time else ""
