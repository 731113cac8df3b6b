"""Processes that die at any instant: the index still ends as the source is, and nothing is told wrongly."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress

import psutil
import pytest

from catchment.core.runs import RunState
from catchment.store.rows import RunRow
from tests.support.journey import Journey, Place, counts, soak
from tests.support.stack import wait_for

pytestmark = pytest.mark.prefect

FILES = 1500
KILLS = soak(15, 50)
POWER_CUTS = soak(3, 10)
WORDS = "the gauge at the weir was read again and stood higher than before " * 60
"""Four chunks a file: a run works long enough to be hit in the middle."""


def change(place: Place, rng: random.Random) -> list[str]:
    """Edit, add and delete some of everything; return the names that changed."""
    keys = sorted(place.tokens)
    edited = rng.sample(keys, 500)
    gone = rng.sample(sorted(set(keys) - set(edited)), 60)
    added = [f"new/{rng.randrange(10**9):09}.txt" for _ in range(60)]
    for key in [*edited, *added]:
        place.write(key, WORDS)
    for key in gone:
        place.delete(key)
    return [*edited, *added, *gone]


def ask(place: Place, changed: list[str], rng: random.Random) -> RunRow:
    """Start one of the kinds of runs that people start, any of which brings this change into the index."""
    kind = rng.choice(["auto", "auto", "full", "named"])
    if kind == "named":
        return place.trigger(mode="incremental", names=changed)
    return place.trigger(mode=kind)


def wait_for_an_instant(journey: Journey, run: RunRow, rng: random.Random) -> None:
    """Wait until some moment of a run's life: four times in five after it began to work, else before."""
    if rng.random() < 0.2:
        time.sleep(rng.uniform(0.0, 1.5))
        return

    def begun() -> bool:
        row = journey.row(run.id)
        return row.strategy is not None or RunState(row.state).final

    wait_for(begun, seconds=60, what=f"the beginning of run {run.id}")
    time.sleep(rng.uniform(0.0, 1.0))


class TestFlowKilled:
    def test_kills_at_any_instant_cost_nothing(self, journey: Journey, place: Place) -> None:
        """After each kill the sweep resumes, and the index equals the source; the connector stays ACTIVE.

        Acceptance 7: no duplicate, nothing lost, no deletion forgotten, and the killed run says so.
        """
        rng = random.Random(7)
        place.fill(FILES, words=WORDS)
        place.sync()
        caught = 0
        for _ in range(KILLS):
            changed = change(place, rng)
            run = ask(place, changed, rng)
            process = journey.need_process_of(run.id)
            wait_for_an_instant(journey, run, rng)
            before = journey.row(run.id)
            with suppress(psutil.NoSuchProcess):
                process.kill()
            last = place.settle()
            killed = journey.row(run.id)
            if killed.state == RunState.FAILED:
                assert killed.error_code == "interrupted", killed
                assert (last.trigger, last.resumes) == ("resume", killed.id)
                caught += before.state == RunState.RUNNING
            else:
                assert killed.state == RunState.SUCCEEDED, killed
                assert last.id == killed.id
            assert place.connector.status == "ACTIVE"
            counts(last)
            place.check(searched=rng.sample(sorted(place.tokens), 20), deep=False)
        assert caught >= KILLS // 3, f"only {caught} of {KILLS} kills hit a run at work"
        place.check()
        assert counts(place.sync()) == {"collected": len(place.tokens), "skipped": len(place.tokens)}


class TestStackKilled:
    def test_power_cuts_cost_nothing(self, journey: Journey, place: Place) -> None:
        """Supervisor, server, worker and flow die at one stroke; the next start goes on by itself."""
        rng = random.Random(11)
        place.fill(FILES, words=WORDS)
        place.sync()
        for _ in range(POWER_CUTS):
            changed = change(place, rng)
            run = ask(place, changed, rng)
            wait_for_an_instant(journey, run, rng)
            journey.kill()
            journey.up()
            last = place.settle()
            killed = journey.row(run.id)
            if killed.id != last.id:
                assert (killed.state, killed.error_code) == (RunState.FAILED, "interrupted")
                assert last.resumes == killed.id
            assert place.connector.status == "ACTIVE"
            place.check(searched=rng.sample(sorted(place.tokens), 20))
        assert counts(place.sync())["skipped"] == len(place.tokens)

    def test_an_orderly_stop_is_no_failure_and_goes_on_at_the_next_start(
        self, journey: Journey, make_place: Callable[..., Place]
    ) -> None:
        """What a shutdown stopped is Cancelled with the reason shutdown, and is taken up again."""
        place = make_place("stopped")
        place.fill(4000, words="many words " * 40)
        run = place.trigger()
        journey.wait_until_working(run.id)
        journey.down()
        stopped = journey.row(run.id)
        assert (stopped.state, stopped.cancel_reason) == (RunState.CANCELLED, "shutdown"), stopped
        journey.up()
        last = place.settle()
        assert last.resumes == run.id
        assert counts(last)["indexed"] < 4000, "what was indexed before the stop was done again"
        place.check(searched=sorted(place.tokens)[::200])
