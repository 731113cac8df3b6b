"""The clock, as something that can be handed in, so that tests can move time."""

from __future__ import annotations

import threading
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

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Let so many seconds pass, unless `stop` is set before; tell whether it is."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return POSIX seconds, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        return time.monotonic()

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait on the machine's own time."""
        return stop.wait(seconds)


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

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait on the machine's own time; this clock goes on standing."""
        return stop.wait(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


class PassingClock(SetClock):
    """A clock that is set, on which waits pass at once: each moves it by its length.

    Attributes:
        waits: Length of every wait so far, in seconds.
        waiting: Set as soon as somebody waits.
        holds: Waits end with the stop signal alone, as long ones do for whoever cannot wait for them.
    """

    def __init__(self, start: float = START) -> None:
        super().__init__(start)
        self.waits: list[float] = []
        self.waiting = threading.Event()
        self.holds = False
        self._lock = threading.Lock()

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Move on by so many seconds, or wait for the stop signal where waits are held."""
        self.waits.append(seconds)
        self.waiting.set()
        if self.holds:
            return stop.wait()
        if not stop.is_set():
            self.advance(max(seconds, 0.0))
        return stop.is_set()

    def advance(self, seconds: float) -> None:
        """Let time pass; several threads may."""
        with self._lock:
            self.seconds += seconds


def iso(seconds: float | None) -> str | None:
    """Write POSIX seconds as ISO 8601 in UTC with whole seconds and ``Z``; None stays None.

    A time outside of the years 1 to 9999, which a file may well claim, is written as the nearest one inside.
    """
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(int(min(max(seconds, FIRST_SECOND), LAST_SECOND)), UTC)
    return f"{moment.replace(tzinfo=None).isoformat()}Z"
