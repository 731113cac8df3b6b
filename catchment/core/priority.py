"""How much of the processor a process asks for: a run leaves it to those who wait for an answer."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_GROUP = Path("/proc/self/autogroup")


def step_back(niceness: int) -> None:
    """Let others go first where processor time is short, from now on, and with all children.

    Alone, a process is as quick as before. At a niceness of 10 it gets a tenth of the time of those with
    whom it competes. A niceness that is greater already stays.
    """
    own = os.getpriority(os.PRIO_PROCESS, 0)
    if own < niceness:
        os.nice(niceness - own)
    step_back_as_session()


def step_back_as_session() -> None:
    """Say of a session what is true of its first process, for kernels that share time between sessions first.

    Linux may do so (sched(7), "The autogroup feature"), and then looks at niceness only within one session.
    Of a session that others lead nothing is said: a terminal would be slow with everything in it.
    """
    own = os.getpriority(os.PRIO_PROCESS, 0)
    if own > 0 and os.getsid(0) == os.getpid():
        with suppress(OSError):
            _GROUP.write_text(str(own))
