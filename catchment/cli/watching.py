"""A run watched to its end, wherever it runs; Ctrl-C cancels it, and a second Ctrl-C leaves it alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from catchment.cli.output import out
from catchment.core.errors import Conflict

R = TypeVar("R")


def watched(run_id: str, follow: Callable[[], R], cancel: Callable[[], object]) -> tuple[R | None, bool]:
    """Follow a run; returns how it ended, and whether Ctrl-C ended it.

    Args:
        run_id: Its id.
        follow: Watches until the run is final; done again after a cancel.
        cancel: Asks it to stop.

    Returns:
        None in place of an end where the run was left alone.
    """
    try:
        return follow(), False
    except KeyboardInterrupt:
        out.note("Cancelling; what is indexed stays. Press Ctrl-C again to leave at once.")
    try:
        with suppress(Conflict):
            cancel()
        return follow(), True
    except KeyboardInterrupt:
        out.note(f"Left alone. See how it ends: catchment run show {run_id}")
        return None, True
