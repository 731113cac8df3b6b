"""Runs that fall silent: suspended, orphaned, or only waiting. One writer at a time, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import psutil
import pytest
from sqlalchemy import update

from catchment.core.errors import Conflict
from catchment.core.runs import RunState
from catchment.local.pool import POOL
from catchment.services import upkeep
from catchment.store.engine import writing
from catchment.store.tables import runs
from tests.support.journey import Journey, Place, counts
from tests.support.stack import alive, wait_for
from tests.support.suspended import suspend

pytestmark = pytest.mark.prefect

FILES = 5000
WORDS = "the gauge at the weir was read again and stood higher than before " * 20


class TestSuspended:
    def test_a_run_that_wakes_up_after_a_takeover_writes_nothing_more(
        self, journey: Journey, place: Place
    ) -> None:
        """SIGSTOP, another run takes over and completes, SIGCONT: the first stops by itself, traceless.

        Acceptance 27.
        """
        place.fill(FILES, words=WORDS)
        first = place.trigger()
        process = journey.need_process_of(first.id)
        journey.wait_until_working(first.id)
        suspend(journey.engine, process)
        asleep = journey.row(first.id)
        assert asleep.state == RunState.RUNNING, "it was over before it could be suspended"
        try:
            second = place.settle()
            assert second.resumes == first.id
            assert (second.lease or 0) > (asleep.lease or 0)
            ended = journey.row(first.id)
            assert (ended.state, ended.error_code) == (RunState.FAILED, "interrupted")
            assert asleep.indexed <= ended.indexed < FILES
            before = place.dump()
        finally:
            process.resume()
        wait_for(lambda: not alive([process]), seconds=60, what="the end of the process that woke up")
        assert place.dump() == before
        assert journey.row(first.id) == ended
        assert place.runs()[0].id == second.id
        assert journey.flow_run_ends(first)["state_type"] == "CANCELLED"
        place.check(searched=sorted(place.tokens)[::250])
        assert not list((journey.home / "spool").glob(f"{first.id}*"))


class TestWorkerKilled:
    def test_a_dead_worker_costs_no_more_than_a_minute(self, journey: Journey, place: Place) -> None:
        """A kill -9 of the worker: the run is shown as interrupted within a minute, and goes on.

        Acceptance 20. The stack does it by itself: nothing here sweeps before the run is ended.
        """
        place.fill(FILES, words=WORDS)
        run = place.trigger()
        process = journey.need_process_of(run.id)
        journey.wait_until_working(run.id)
        psutil.Process(journey.worker_pid).kill()
        ended = journey.wait(run.id, seconds=60)
        assert (ended.state, ended.error_code) == (RunState.FAILED, "interrupted")
        assert not alive([process]), "the flow outlived its worker"
        last = place.settle()
        assert last.resumes == run.id
        assert counts(last)["skipped"] > 0, "the work before the death was done again"
        assert place.connector.status == "ACTIVE"
        place.check(searched=sorted(place.tokens)[::250])


class TestQueued:
    def test_a_run_that_only_waits_in_the_queue_is_never_called_stalled(
        self, journey: Journey, place: Place
    ) -> None:
        """With the pool paused it may wait an hour: every sweep leaves it alone, and then it runs."""
        place.fill(10)
        journey.prefect.pause_work_pool(POOL, paused=True)
        try:
            run = place.trigger()
            with writing(journey.engine) as connection:
                an_hour_ago = runs.c.created_at - 3600
                connection.execute(update(runs).where(runs.c.id == run.id).values(created_at=an_hour_ago))
            for _ in range(3):
                assert journey.sweep().ended == 0
            waiting = journey.row(run.id)
            assert (waiting.state, waiting.error_code) == (RunState.QUEUED, None)
        finally:
            journey.prefect.pause_work_pool(POOL, paused=False)
        assert journey.wait(run.id).state == RunState.SUCCEEDED
        place.check()


class TestResumes:
    def test_a_run_that_always_dies_is_resumed_three_times_and_no_more(
        self, journey: Journey, make_place: Callable[..., Place]
    ) -> None:
        """Then it rests until somebody asks; the run that is asked for begins a new count."""
        place = make_place("deadly")
        place.fill(FILES, words=WORDS)
        died = [self._kill(journey, place.trigger().id)]
        for _ in range(upkeep.MOST_RESUMES):
            following = wait_for(
                lambda: self._resumed(journey, place, died[-1]), seconds=60, what="the next resume"
            )
            died.append(self._kill(journey, following))
        for _ in range(3):
            assert journey.sweep().resumed == 0
        assert [run.id for run in place.runs()] == died[::-1]
        assert place.sync(mode="full").state == RunState.SUCCEEDED
        place.check(searched=sorted(place.tokens)[::250])

    def test_two_sweeps_at_once_resume_a_run_once(self, journey: Journey, place: Place) -> None:
        """The stack and a face may both sweep: what one has resumed, the other leaves alone, names or not."""
        place.fill(FILES, words=WORDS)
        run = place.trigger(mode="incremental", names=sorted(place.tokens))
        self._kill(journey, run.id)
        ended = journey.row(run.id)
        place.settle()
        with pytest.raises(Conflict):
            upkeep.resume(journey.context, ended)
        assert len(place.runs()) == 2

    def _kill(self, journey: Journey, run_id: str) -> str:
        process = journey.need_process_of(run_id)
        journey.wait(run_id, RunState.RUNNING)
        process.kill()

        def ended() -> bool:
            with suppress(Exception):
                journey.sweep()
            return RunState(journey.row(run_id).state).final

        wait_for(ended, seconds=60, what=f"the end of run {run_id}")
        assert journey.row(run_id).error_code == "interrupted"
        return run_id

    def _resumed(self, journey: Journey, place: Place, run_id: str) -> str | None:
        journey.sweep()
        newest = place.runs()[0]
        return newest.id if newest.resumes == run_id else None
