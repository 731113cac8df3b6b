"""When a failed item is tried again, and when it is put in quarantine."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from catchment.core.runs import ItemState


class NextTry(Struct, frozen=True):
    """What the ledger records about a failure."""

    state: ItemState
    attempts: int
    at: float | None


def after_failure(
    attempts_before: int, *, now: float, delays_seconds: Sequence[int], most_attempts: int
) -> NextTry:
    """Decide about the next attempt after one more failure.

    The first retry comes with the next run, later ones wait longer. After `most_attempts` failures
    the item is quarantined: it stays listed with its error and is not tried by itself any more.
    """
    attempts = attempts_before + 1
    if attempts >= most_attempts:
        return NextTry(ItemState.QUARANTINED, attempts, None)
    delay = delays_seconds[min(attempts, len(delays_seconds)) - 1] if delays_seconds else 0
    return NextTry(ItemState.FAILED, attempts, now + delay)
