"""What the platform hands a connector."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest

from catchment.core.clock import START, PassingClock
from catchment.core.errors import RunCancelled
from catchment.kit import Session


def test_a_wait_that_is_not_disturbed_ends_in_peace() -> None:
    """Zero and negative waits, as clocks make them, are no waits."""
    session = Session()
    for seconds in (0.0, -5.0, 0.01):
        session.wait(seconds, "rate limit")


def test_a_wait_ends_as_soon_as_the_run_must() -> None:
    """An hour of a rate limit does not hold up a cancel."""
    session = Session()
    begun = threading.Event()
    ended: list[BaseException | None] = []
    session.on_wait = lambda reason, _seconds: begun.set() if reason else None

    def wait() -> None:
        try:
            session.wait(3600.0, "rate limit")
        except RunCancelled as error:
            ended.append(error)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    assert begun.wait(30)
    session.stop.set()
    thread.join(30)
    assert len(ended) == 1


def test_a_wait_is_seen_and_its_end_too() -> None:
    """A person sees the reason and the seconds, and that it is over, however it ended."""
    seen: list[tuple[str, float]] = []
    session = Session(on_wait=lambda reason, seconds: seen.append((reason, seconds)))
    session.wait(0.01, "rate limit")
    session.stop.set()
    with pytest.raises(RunCancelled):
        session.wait(60.0, "again")
    assert seen == [("rate limit", 0.01), ("", 0.0), ("again", 60.0), ("", 0.0)]


def test_without_a_run_large_bodies_go_where_the_machine_has_them() -> None:
    """A check, or a look into what can be chosen, has no folder of its own."""
    assert Session().spool() == Path(tempfile.gettempdir())


def test_a_stop_is_noticed_between_requests() -> None:
    """check_stop says nothing until the run must end."""
    session = Session()
    session.check_stop()
    session.stop.set()
    with pytest.raises(RunCancelled, match="asked to stop"):
        session.check_stop()


def test_the_clock_lets_waits_pass() -> None:
    """An hour passes at once on a clock that is set so; a run that must end does not wait on it either."""
    clock = PassingClock()
    session = Session(clock=clock)
    session.wait(3600.0, "rate limit")
    assert (clock.now() - START, clock.waits) == (3600.0, [3600.0])
    session.stop.set()
    with pytest.raises(RunCancelled):
        session.wait(60.0, "rate limit")
    assert clock.now() - START == 3600.0


def test_a_held_wait_ends_with_the_run_alone() -> None:
    """So a test can look at a run while it waits."""
    clock = PassingClock()
    clock.holds = True
    session = Session(clock=clock)
    thread = threading.Thread(target=lambda: clock.waiting.wait(30) and session.stop.set(), daemon=True)
    thread.start()
    with pytest.raises(RunCancelled):
        session.wait(0.0, "rate limit")
    assert clock.now() == START
