"""How many requests a token may make in a minute, and what an answer tells of it.

The limit holds over all processes that serve one store. To ask the store for each request would cost more
than the request does, so a process takes an eighth of what is left at a time, and in the end one by one. What
it took and does not use is lost for the others until the minute is over: together they let at most so many
pass.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from math import ceil

from msgspec import Struct, field
from sqlalchemy import Engine

from catchment.api.base import Problem
from catchment.api.errors import Refused
from catchment.core.clock import Clock
from catchment.store import rates
from catchment.store.engine import writing

_WINDOW_SECONDS = 60
_MOST_TOKENS = 10_000
_SHARE = 8


class Told(Struct, frozen=True):
    """What one request is told of its rate; `refusal` where it came too soon."""

    headers: Mapping[str, str] = field(default_factory=dict)
    refusal: Refused | None = None


class _Held(Struct):
    """What this process may let pass of one token's minute, and what nobody had taken when it last asked."""

    permits: int = 0
    left: int = 0


class Rates:
    """Lets the requests of each token pass in fixed minutes."""

    def __init__(self, per_minute: int, clock: Clock, engine: Engine) -> None:
        self._limit = per_minute
        self._clock = clock
        self._engine = engine
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._minute = 0

    def take(self, token_id: str) -> Told | None:
        """Count one request of a token; None where the store must be asked first. Never waits."""
        if not self._limit:
            return Told()
        with self._lock:
            self._begin(int(self._clock.now() // _WINDOW_SECONDS))
            held = self._held.get(token_id)
            if held is None or (held.permits == 0 and held.left > 0):
                return None
            return self._told(held)

    def ask(self, token_id: str) -> Told:
        """Count one request of a token, after asking the store for more."""
        while (told := self.take(token_id)) is None:
            with self._lock:
                minute = self._minute
                held = self._held.get(token_id)
                wanted = max(1, (held.left if held is not None else self._limit) // _SHARE)
            with writing(self._engine) as connection:
                taken = rates.take(connection, token_id, minute=minute, wanted=wanted)
            with self._lock:
                self._begin(taken.minute)
                if taken.minute == self._minute:
                    held = self._held.setdefault(token_id, _Held())
                    held.permits += max(0, min(wanted, self._limit - taken.before))
                    held.left = max(0, self._limit - taken.before - wanted)
        return told

    def _begin(self, minute: int) -> None:
        """Forget what was held of earlier minutes."""
        if minute > self._minute or len(self._held) > _MOST_TOKENS:
            self._minute, self._held = max(minute, self._minute), {}

    def _told(self, held: _Held) -> Told:
        ends = (self._minute + 1) * _WINDOW_SECONDS
        is_free = held.permits > 0
        held.permits -= is_free
        headers = {
            "X-RateLimit-Limit": str(self._limit),
            "X-RateLimit-Remaining": str(held.permits + held.left),
            "X-RateLimit-Reset": str(ends),
        }
        if is_free:
            return Told(headers)
        wait = {"Retry-After": str(max(1, ceil(ends - self._clock.now())))}
        return Told(
            headers, Refused(Problem("rate_limited", "Too many requests. Wait a little.", headers=wait))
        )
