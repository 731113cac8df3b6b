"""Who steps back: a process, its children, and its session where it leads one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from catchment.core import priority

BEHIND = 10
GROUP = Path("/proc/self/autogroup")
SHOWN = """
import os, subprocess, sys
from catchment.core import priority
from tests.core.test_priority import shown_here
{before}
priority.step_back(10)
print(shown_here(), flush=True)
child = "from catchment.core import priority; priority.step_back_like_parent()"
child += "; from tests.core.test_priority import shown_here; print(shown_here())"
print(subprocess.check_output([sys.executable, "-c", child], start_new_session=True, text=True))
"""


def shown_here() -> str:
    """Return the niceness of this process, and what the kernel tells of its session (0 where nothing)."""
    return f"{os.getpriority(os.PRIO_PROCESS, 0)} {niceness_of_session()}"


def niceness_of_session() -> str:
    """Return what the kernel tells of the session of this process."""
    told = GROUP.read_text().split() if GROUP.exists() else []
    return told[-1] if told else "0"


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


@pytest.mark.skipif(
    not GROUP.exists() or not GROUP.read_text(), reason="this kernel does not group processes by session"
)
@pytest.mark.skipif(os.getpriority(os.PRIO_PROCESS, 0) >= BEHIND, reason="these tests stand further back")
def test_only_who_leads_a_session_speaks_for_it() -> None:
    """A terminal would become slow with everything in it; and a child's session follows its parent's."""
    _, session, _, session_of_child = _shown(leads=True)
    assert session == session_of_child == str(BEHIND)
    _, session, _, session_of_child = _shown(leads=False)
    assert session == session_of_child == niceness_of_session()


@pytest.mark.parametrize("told", ["", None])
def test_a_kernel_that_tells_nothing_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str | None
) -> None:
    """Processes of some containers stand in no group, and what the kernel shows of theirs is empty."""
    shown = tmp_path / "autogroup"
    if told is not None:
        shown.write_text(told)
    monkeypatch.setattr(priority, "_group", lambda process: shown)
    priority.step_back_like_parent()
    assert not told and shown.exists() is (told is not None)
    assert not shown.exists() or not shown.read_text()


def own_niceness() -> int:
    """Return the niceness of the tests."""
    return os.getpriority(os.PRIO_PROCESS, 0)
