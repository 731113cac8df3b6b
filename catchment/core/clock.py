"""The clock, as something that can be handed in, so that tests can move time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
"""The ends of the calendar, POSIX seconds."""
START = 1_750_000_000.0
"""Where a clock that is set begins: 2025-06-15T15:06:40Z."""


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


class SetClock:
    """A clock that stands still until somebody moves it: the same acts then give the same data."""

    def __init__(self, start: float = START) -> None:
        self.seconds = start

    def now(self) -> float:
        """Return POSIX seconds, UTC."""
        return self.seconds

    def monotonic(self) -> float:
        """Return the same seconds."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


def iso(seconds: float | None) -> str | None:
    """Write POSIX seconds as ISO 8601 in UTC with whole seconds and ``Z``; None stays None.

    A time outside of the years 1 to 9999, which a file may well claim, is written as the nearest one inside.
    """
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(int(min(max(seconds, FIRST_SECOND), LAST_SECOND)), UTC)
    return f"{moment.replace(tzinfo=None).isoformat()}Z"
