"""What was changed since a cursor, oldest first; a cursor is a moment and what was seen just before it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from catchment.kit import Changed, Complete, CursorExpired, FeedEvent, Item
from connectors.confluence.reading import Reading
from connectors.confluence.records import Space, item_of

LOOK_BACK_SECONDS = 600.0
"""How long before its moment a cursor looks again: clocks differ, and what is saved shows a little later."""
MOST_CHANGES = 50_000
"""More are better found by a complete listing."""
MOST_SEEN = 5_000


class Cursor(Struct, frozen=True):
    """Where the next run begins.

    Attributes:
        since: POSIX seconds.
        seen: Versions by id that were reported although they are younger than `since` less the look-back.
    """

    since: float
    seen: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Write it down."""
        return json.dumps({"since": self.since, "seen": self.seen}, separators=(",", ":"), sort_keys=True)

    @classmethod
    def read(cls, text: str | None, *, now: float) -> Cursor:
        """Read what `text` wrote.

        Raises:
            CursorExpired: It is none, or of a time to come: then a clock was wrong, and it proves nothing.
        """
        try:
            told = json.loads(text or "")
            cursor = cls(float(told["since"]), {str(id): str(mark) for id, mark in told["seen"].items()})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CursorExpired("The cursor cannot be read.") from error
        if not 0 <= cursor.since <= now + LOOK_BACK_SECONDS:
            raise CursorExpired("The cursor is of a time to come.")
        return cursor


def changes(reading: Reading, space: Space | None, cursor: Cursor, *, now: float) -> Iterator[FeedEvent]:
    """Yield what had a new version since the cursor, and then where to go on.

    Args:
        reading: The site.
        space: The scope; None is the whole site.
        cursor: Where the last run ended.
        now: Before the first question was asked.

    Raises:
        CursorExpired: There is so much that a complete listing costs less.
        SourceError: The site cannot be read.
    """
    found = {}
    for located in reading.recent(space, cursor.since - LOOK_BACK_SECONDS):
        item = item_of(located)
        found[item.key] = item
        if len(found) > MOST_CHANGES:
            raise CursorExpired("More was changed than is worth reading change by change.")
    for item in sorted(found.values(), key=lambda item: (item.modified_at or 0.0, item.key)):
        if cursor.seen.get(item.key) != item.version:
            yield Changed(item)
    yield Complete(mark_after(found.values(), now=now))


def mark_after(items: Iterable[Item], *, now: float) -> str:
    """Return the cursor after a listing or delta that began at `now`, having told these items."""
    seen = {item.key: item.version or "" for item in items if is_young(item, now=now)}
    # Without them all, what is young is merely read once more.
    return Cursor(now, seen if len(seen) <= MOST_SEEN else {}).text()


def is_young(item: Item, *, now: float) -> bool:
    """Whether the next delta, which looks back, will name an item again."""
    return item.modified_at is None or item.modified_at >= now - LOOK_BACK_SECONDS
