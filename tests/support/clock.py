"""A clock that stands still until a test moves it."""

from __future__ import annotations

START = 1_750_000_000.0


class SetClock:
    """See `catchment.core.clock.Clock`."""

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
