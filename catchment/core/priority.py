"""How much of the processor a process asks for: a run leaves it to those who wait for an answer."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def step_back(niceness: int) -> None:
    """Let others go first where processor time is short, from now on, and with all children.

    Alone, a process is as quick as before. At a niceness of 10 it gets a tenth of the time of those with
    whom it competes. A niceness that is greater already stays.
    """
    own = os.getpriority(os.PRIO_PROCESS, 0)
    if own < niceness:
        os.nice(niceness - own)
        _say_of_session(niceness)


def step_back_like_parent() -> None:
    """Let a session that was begun just now stand where that of the parent process stands."""
    with suppress(OSError):
        # Nothing is told of processes that stand in no such group, as in some containers.
        if words := _group(os.getppid()).read_text().split():
            _say_of_session(int(words[-1]))


def _say_of_session(niceness: int) -> None:
    """Say it to kernels that share time between sessions first.

    Linux may do so (sched(7), "The autogroup feature"), and then looks at niceness only within one session.
    Of a session that others lead nothing is said: a terminal would be slow with everything in it.
    """
    if niceness > 0 and os.getsid(0) == os.getpid():
        with suppress(OSError):
            _group(os.getpid()).write_text(str(niceness))


def _group(process: int) -> Path:
    return Path(f"/proc/{process}/autogroup")
