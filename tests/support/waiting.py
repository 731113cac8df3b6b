"""Waiting for other threads, without a guess at how long they take."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(true: Callable[[], bool]) -> None:
    """Wait for another thread to make something true; gives up after a minute."""
    for _ in range(6000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came true")


def still(number: Callable[[], object]) -> None:
    """Wait until something has not changed for half a second."""
    last, calm = number(), 0
    while calm < 10:
        time.sleep(0.05)
        now = number()
        calm = calm + 1 if now == last else 0
        last = now
