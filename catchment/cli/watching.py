"""A run watched to its end, wherever it runs; Ctrl-C cancels it, and a second Ctrl-C leaves it alone."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TypeVar

from msgspec import Struct

from catchment.cli.output import out
from catchment.core.errors import Conflict

R = TypeVar("R")


class Interrupts(Struct):
    """Whether Ctrl-C was pressed meanwhile."""

    came: bool = False


@contextmanager
def unbroken() -> Iterator[Interrupts]:
    """Start a run without being broken off in the middle, when it goes on and nobody knows its id.

    Ctrl-C is noted for `watched`; pressed again it breaks off all the same.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        if interrupts.came:
            raise KeyboardInterrupt
        interrupts.came = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


def watched(
    run_id: str, follow: Callable[[], R], cancel: Callable[[], object], *, interrupted: bool = False
) -> tuple[R | None, bool]:
    """Follow a run; returns how it ended, and whether Ctrl-C ended it.

    Args:
        run_id: Its id.
        follow: Watches until the run is final; done again after a cancel.
        cancel: Asks it to stop.
        interrupted: Ctrl-C was pressed already.

    Returns:
        None in place of an end where the run was left alone.
    """
    if not interrupted:
        try:
            return follow(), False
        except KeyboardInterrupt:
            pass
    try:
        out.note("Cancelling; what is indexed stays. Press Ctrl-C again to leave at once.")
        with suppress(Conflict):
            cancel()
        return follow(), True
    except KeyboardInterrupt:
        out.note(f"Left alone. See how it ends: catchment run show {run_id}")
        return None, True
