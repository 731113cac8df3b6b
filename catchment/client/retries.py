"""When a request is sent again, and after how long.

A library for retries wants to call what it repeats; here the repeating is itself a few steps, so that one
piece of code serves both clients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from catchment.client.steps import Answer, Call, Cut

_PASSING: Final = frozenset({408, 500, 502, 504})
"""Statuses of failures that may pass, after which the request may have been carried out all the same."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How patient a client is.

    Attributes:
        attempts: Most attempts at one request; 1 repeats nothing.
        first_seconds: Wait after the first failure; it doubles, up to `most_seconds`, and chance takes up to
            half of it away, so that many clients do not come back at once.
        most_seconds: Longest wait of our own choosing.
        patience_seconds: What the server asks for is obeyed up to this; if it asks for more, the error comes
            at once and says how long.
    """

    attempts: int = 6
    first_seconds: float = 0.5
    most_seconds: float = 20.0
    patience_seconds: float = 300.0

    def wait(
        self,
        call: Call,
        outcome: Answer | Cut,
        attempt: int,
        *,
        now: float,
        chance: Callable[[], float],
    ) -> float | None:
        """Return the seconds to wait before the next attempt, or None where there is to be none.

        Args:
            call: What was sent.
            outcome: What came of it.
            attempt: How often it was sent.
            now: POSIX seconds.
            chance: Draws from 0 to 1.
        """
        if attempt >= self.attempts or not _may_pass(call, outcome):
            return None
        asked = asked_seconds(outcome, now)
        if asked is not None:
            # Never before the time, and not all at the same moment after it.
            return asked + chance() * self.first_seconds if asked <= self.patience_seconds else None
        grown = min(self.first_seconds * 2.0 ** (attempt - 1), self.most_seconds)
        return grown * (1 - chance() / 2)


def asked_seconds(outcome: Answer | Cut, now: float) -> float | None:
    """Return how long an answer asks to wait, in either form of ``Retry-After``; None if it does not.

    Args:
        outcome: What came of the request.
        now: POSIX seconds.
    """
    told = outcome.headers.get("retry-after", "").strip() if isinstance(outcome, Answer) else ""
    if not told:
        return None
    if told.isascii() and told.isdecimal():
        return float(told[:9])
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return None
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)


def _may_pass(call: Call, outcome: Answer | Cut) -> bool:
    if isinstance(outcome, Cut):
        return call.is_repeatable or not outcome.was_sent
    if outcome.status in (429, 503):
        return True  # Both say that nothing was done.
    if outcome.status == 409:
        # The first request with this key is still at work.
        return call.key is not None and "retry-after" in outcome.headers
    return outcome.status in _PASSING and call.is_repeatable
