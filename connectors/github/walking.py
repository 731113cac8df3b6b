"""Lists in the order of their last change, read so that nothing is missed while they change.

A numbered page is a place in a list that moves: what changes goes to the end, and what follows moves up,
past the reader. So each page is asked for by the time at which the one before ended, a second early; the
numbers are used only where more things than fit on a page bear the same second.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
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
    known: set[tuple[int, str]] = set()
    asked = since or ""
    while True:
        pages = fresh = 0
        last, goes_on = asked, False
        for page in _numbered(client, _address(path, asked, parameters), first):
            rows = [row for row in page.rows if (row["id"], row["updated_at"]) not in known]
            known.update((row["id"], row["updated_at"]) for row in rows)
            pages, fresh = pages + 1, fresh + len(rows)
            if rows:
                yield rows
            times = [str(row["updated_at"]) for row in page.rows]
            last = max([last, *times])
            goes_on = page.next is not None and times == sorted(times) and _early(last) > asked
            if goes_on:
                break
        first = None
        if pages > 1 and fresh:
            continue  # numbers were used: a second look that finds nothing new proves that none was missed
        if not goes_on:
            return
        asked = _early(last)
        known = {one for one in known if one[1] >= asked}


def _numbered(client: Client, address: str, first: Page | None) -> Iterator[Page]:
    seen = {address}
    page = first or client.page(address)
    while True:
        yield page
        if page.next is None:
            return
        if page.next in seen:
            raise SourceDown("GitHub named the same next page twice: the list has no end.")
        seen.add(page.next)
        page = client.page(page.next)


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
