"""Who steps back: a process, its children, and its session where it leads one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BEHIND = 10
GROUP = Path("/proc/self/autogroup")
SHOWN = """
import os, subprocess, sys
from catchment.core import priority
{before}
priority.step_back(10)
def group():
    return open("/proc/self/autogroup").read().split()[-1] if os.path.exists("/proc/self/autogroup") else "0"
print(os.getpriority(os.PRIO_PROCESS, 0), group(), flush=True)
child = "import os; from catchment.core import priority; priority.step_back_like_parent(); print(os.nice(0))"
child += "; f = '/proc/self/autogroup'; print(open(f).read().split()[-1] if os.path.exists(f) else 0)"
print(subprocess.check_output([sys.executable, "-c", child], start_new_session=True, text=True))
"""


def _shown(*, leads: bool, before: str = "") -> list[str]:
    """Return niceness of a process and of its session, and of a child, after it has stepped back."""
    told = subprocess.run(
        [sys.executable, "-c", SHOWN.format(before=before)],
        start_new_session=leads,
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.split()


def test_a_process_steps_back_with_its_children() -> None:
    """A run parses in processes of its own."""
    own, _, child, *_ = _shown(leads=True)
    assert own == child == str(max(BEHIND, own_niceness()))


def test_who_stands_further_back_stays_there() -> None:
    """What the operator said counts."""
    own, _, child, *_ = _shown(leads=True, before=f"os.nice({BEHIND + 3} - os.nice(0))")
    assert own == child == str(BEHIND + 3)


@pytest.mark.skipif(not GROUP.exists(), reason="this kernel does not group processes by session")
@pytest.mark.skipif(os.getpriority(os.PRIO_PROCESS, 0) >= BEHIND, reason="these tests stand further back")
def test_only_who_leads_a_session_speaks_for_it() -> None:
    """A terminal would become slow with everything in it; and a child's session follows its parent's."""
    _, session, _, session_of_child = _shown(leads=True)
    assert session == session_of_child == str(BEHIND)
    _, session, _, session_of_child = _shown(leads=False)
    assert session == session_of_child == GROUP.read_text().split()[-1]


def own_niceness() -> int:
    """Return the niceness of the tests."""
    return os.getpriority(os.PRIO_PROCESS, 0)
