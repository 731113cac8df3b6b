"""How many requests a token may make in a minute, and what an answer tells of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from catchment.api.base import Problem
from catchment.api.errors import Refused
from catchment.core.clock import Clock

_WINDOW_SECONDS = 60
_MOST_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class Told:
    """What one request is told of its rate; `refusal` where it came too soon."""

    headers: Mapping[str, str] = field(default_factory=dict)
    refusal: Refused | None = None


class Rates:
    """Counts the requests of each token in fixed minutes, in this process."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._limit = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._window = 0

    def take(self, token_id: str) -> Told:
        """Count one request of a token."""
        if not self._limit:
            return Told()
        now = self._clock.now()
        window = int(now // _WINDOW_SECONDS)
        with self._lock:
            if window != self._window or len(self._counts) > _MOST_TOKENS:
                self._window, self._counts = window, {}
            count = self._counts[token_id] = self._counts.get(token_id, 0) + 1
        ends = (window + 1) * _WINDOW_SECONDS
        headers = {
            "X-RateLimit-Limit": str(self._limit),
            "X-RateLimit-Remaining": str(max(0, self._limit - count)),
            "X-RateLimit-Reset": str(ends),
        }
        if count <= self._limit:
            return Told(headers)
        wait = {"Retry-After": str(max(1, ceil(ends - now)))}
        return Told(
            headers, Refused(Problem("rate_limited", "Too many requests. Wait a little.", headers=wait))
        )
