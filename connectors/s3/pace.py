"""Trying again, in step: whoever is told to slow down makes all requests to its bucket wait."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from catchment.kit import Session, SourceBusy, SourceDown
from catchment.kit.errands import Errands
from catchment.kit.governor import Governor

T = TypeVar("T")

BUSY_ATTEMPTS = 8
"""Together they wait about a minute and a half; a server that still refuses is left for the next run."""
DOWN_ATTEMPTS = 5
BUSY_SECONDS = 1.0
DOWN_SECONDS = 0.25
_REASON = "S3 asks for fewer requests"
MOST_SECONDS = 30.0
"""Longest wait of our own choosing; what a server asks for in `Retry-After` is obeyed."""


class Pace:
    """Carries requests out and repeats those that fail for reasons that pass.

    Waits grow twofold from 1 s (the server asks for patience) or 0.25 s (it failed, or the network did),
    each shortened by chance to no less than half. They are shown, and end at once with the run. Other runs of
    the bucket hear of the first kind by the governor.
    """

    def __init__(self, session: Session, errands: Errands, governor: Governor) -> None:
        self._session = session
        self._errands = errands
        self._governor = governor
        self._lock = threading.Lock()
        self._not_before = 0.0

    @property
    def is_held_off(self) -> bool:
        """Whether the server has asked for patience that is not over yet."""
        self._hear_of_others()
        return self._session.clock.monotonic() < self._not_before

    def run(self, attempt: Callable[[], T]) -> T:
        """Return what the attempt returns, at the latest from the eighth time it is made.

        Raises:
            SourceBusy: The server kept asking for patience.
            SourceDown: It, or the way to it, failed five times.
            RunCancelled: The run was asked to stop meanwhile.
        """
        busy = down = 0
        while True:
            self._await_turn()
            try:
                return self._errands.run(attempt)
            except SourceBusy as error:
                busy += 1
                wait = max(error.retry_after_seconds, _grown(BUSY_SECONDS, busy))
                if busy >= BUSY_ATTEMPTS:
                    raise SourceBusy(error.message, retry_after_seconds=wait) from error
                self._hold_off(wait)
            except SourceDown:
                down += 1
                if down >= DOWN_ATTEMPTS:
                    raise
                self._session.wait(_grown(DOWN_SECONDS, down), "the server or the network failed")

    def _hold_off(self, seconds: float) -> None:
        self._governor.hold(self._session, seconds, _REASON)
        self._wait_at_least(seconds)

    def _hear_of_others(self) -> None:
        rest = self._governor.rest(self._session)
        if rest > 0:
            self._wait_at_least(rest)

    def _wait_at_least(self, seconds: float) -> None:
        with self._lock:
            self._not_before = max(self._not_before, self._session.clock.monotonic() + seconds)

    def _await_turn(self) -> None:
        self._session.check_stop()
        self._hear_of_others()
        clock, waited_until = self._session.clock, 0.0
        # Another thread may have been told of a later moment meanwhile.
        while (until := self._not_before) > max(waited_until, clock.monotonic()):
            self._session.wait(until - clock.monotonic(), _REASON)
            waited_until = until


def _grown(first: float, times: int) -> float:
    most = min(first * 2.0 ** (times - 1), MOST_SECONDS)
    return most * random.uniform(0.5, 1.0)  # noqa: S311 - spreads requests, keeps no secret
