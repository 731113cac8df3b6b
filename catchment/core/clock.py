"""The clock, as something that can be handed in, so that tests can move time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


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
    """Write POSIX seconds as ISO 8601 in UTC with whole seconds and ``Z``; None stays None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
