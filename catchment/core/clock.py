"""The clock, as something that can be handed in, so that tests can move time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
"""The ends of the calendar, POSIX seconds."""


class Clock(Protocol):
    """What the sync needs to know about time."""

    def now(self) -> float:
        """Return POSIX seconds, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go backwards, for measuring waits."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return POSIX seconds, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        return time.monotonic()


def iso(seconds: float | None) -> str | None:
    """Write POSIX seconds as ISO 8601 in UTC with whole seconds and ``Z``; None stays None.

    A time outside of the years 1 to 9999, which a file may well claim, is written as the nearest one inside.
    """
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(int(min(max(seconds, FIRST_SECOND), LAST_SECOND)), UTC)
    return f"{moment.replace(tzinfo=None).isoformat()}Z"
