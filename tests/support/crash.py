"""Killing runs at any instant, and looking at what is left."""

from __future__ import annotations

import random
import time
from contextlib import suppress

import psutil

from catchment.core.runs import RunState
from catchment.store.rows import RunRow
from tests.support.journey import Journey, Place, counts
from tests.support.stack import wait_for

WORDS = "the gauge at the weir was read again and stood higher than before " * 60
"""Four chunks a document: a run works long enough to be hit in the middle."""


def change(place: Place, rng: random.Random) -> list[str]:
    """Edit a third of everything, add and delete some; return the keys that changed."""
    before = dict(place.tokens)
    keys = sorted(before)
    edited = rng.sample(keys, len(keys) // 3)
    gone = rng.sample(sorted(set(keys) - set(edited)), 60)
    for key in [*edited, *(f"new/{rng.randrange(10**9):09}.txt" for _ in range(60))]:
        place.write(key, WORDS)
    for key in gone:
        place.delete(key)
    return gone + [key for key, token in place.tokens.items() if before.get(key) != token]


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


def kill_again_and_again(journey: Journey, place: Place, *, kills: int, rng: random.Random) -> None:
    """Change the source, kill the run that takes the change in, and let the sweep go on; many times.

    After each the index equals the source, the killed run says that it was interrupted, and the
    connector is well.
    """
    caught = 0
    for _ in range(kills):
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
    assert caught >= kills // 3, f"only {caught} of {kills} kills hit a run at work"
    place.check()
    assert counts(place.sync()) == {"collected": len(place.tokens), "skipped": len(place.tokens)}
