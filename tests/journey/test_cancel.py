"""Runs that are stopped, refused, made to wait, or skipped: by us, and by a click in Prefect's pages."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from catchment.core.errors import Conflict, Unavailable, UsageError
from catchment.core.runs import RunState
from catchment.local.pool import POOL
from catchment.services import connectors, syncs
from catchment.services.context import Context
from catchment.services.prefect_client import PrefectClient
from catchment.store.rows import RunRow
from tests.support.journey import Journey, Place, counts
from tests.support.stack import alive, start_run, wait_for, wait_for_state

pytestmark = pytest.mark.prefect

FILES = 5000
WORDS = "the gauge at the weir was read again and stood higher than before " * 20
CANCEL_SECONDS = 10.0
"""The promise is 5 s on an idle machine."""


def _away() -> PrefectClient:
    raise Unavailable("Prefect is away.")


def long_run(journey: Journey, place: Place) -> RunRow:
    """Start a run that works for seconds, and return it when it has written something."""
    place.fill(FILES, words=WORDS)
    return journey.wait_until_working(place.trigger().id)


def assert_stopped_well(journey: Journey, place: Place, run: RunRow) -> None:
    """What is indexed stays and is not done again; the next run completes."""
    assert run.state == RunState.CANCELLED, run
    assert (run.cancel_reason, run.error_code) == ("user", "cancelled")
    assert len(place.ids()) == run.indexed < FILES
    assert place.connector.status == "ACTIVE"
    process = journey.process_of(run)
    assert journey.flow_run_ends(run)["state_type"] == "CANCELLED"
    if process is not None:
        # A flow that ends by itself says so before its process is gone.
        wait_for(lambda: not alive([process]), seconds=CANCEL_SECONDS, what="the end of the flow's process")
    following = place.sync()
    assert counts(following) == {
        "collected": FILES,
        "skipped": run.indexed,
        "fetched": FILES - run.indexed,
        "parsed": FILES - run.indexed,
        "indexed": FILES - run.indexed,
    }
    place.check(searched=sorted(place.tokens)[::250])


class TestCancel:
    def test_a_run_stops_at_once_and_the_next_one_goes_on(self, journey: Journey, place: Place) -> None:
        """Cancelled through Catchment: CANCELLED with its reason, documents stay, the next run completes."""
        run = long_run(journey, place)
        began = time.monotonic()
        syncs.cancel(journey.context, run)
        ended = journey.wait(run.id, seconds=CANCEL_SECONDS)
        assert time.monotonic() - began < CANCEL_SECONDS
        assert_stopped_well(journey, place, ended)
        with pytest.raises(Conflict):
            syncs.cancel(journey.context, ended)

    def test_a_run_stops_while_prefect_cannot_be_asked(self, journey: Journey, place: Place) -> None:
        """Only the row says so: a living run reads it at least once a second."""
        run = long_run(journey, place)
        syncs.cancel(Context(journey.engine, connect=_away), run)
        ended = journey.wait(run.id, seconds=CANCEL_SECONDS)
        assert_stopped_well(journey, place, ended)

    def test_the_button_in_prefect_does_the_same(self, journey: Journey, place: Place) -> None:
        """Prefect's page sets CANCELLING and tells us nothing: the run finds out, and the row says so."""
        run = long_run(journey, place)
        assert run.flow_run_id is not None
        journey.prefect.set_state(run.flow_run_id, "CANCELLING")
        ended = journey.wait(run.id, seconds=CANCEL_SECONDS)
        assert_stopped_well(journey, place, ended)

    def test_a_queued_run_is_cancelled_before_it_begins(self, journey: Journey, place: Place) -> None:
        """Its row is final at once, Prefect's too, and no process ever starts for it."""
        place.fill(5)
        journey.prefect.pause_work_pool(POOL, paused=True)
        try:
            run = place.trigger()
            cancelled = syncs.cancel(journey.context, run)
            assert (cancelled.state, cancelled.cancel_reason) == (RunState.CANCELLED, "user")
            assert journey.flow_run_ends(run)["state_type"] == "CANCELLED"
        finally:
            journey.prefect.pause_work_pool(POOL, paused=False)
        place.sync()
        assert journey.row(run.id) == cancelled
        place.check()

    def test_a_queued_run_that_was_cancelled_in_prefect_frees_the_connector(
        self, journey: Journey, place: Place
    ) -> None:
        """Cancelled there before it began: the sweep ends the row as cancelled, not as failed."""
        place.fill(5)
        journey.prefect.pause_work_pool(POOL, paused=True)
        try:
            run = place.trigger()
            assert run.flow_run_id is not None
            journey.prefect.set_state(run.flow_run_id, "CANCELLING")
            ended = journey.wait(run.id, seconds=30)
            assert (ended.state, ended.cancel_reason) == (RunState.CANCELLED, "user")
        finally:
            journey.prefect.pause_work_pool(POOL, paused=False)
        place.sync()
        assert len(place.runs()) == 2, "a cancelled run was resumed"


class TestTwoAtOnce:
    def test_the_second_of_two_is_told_which_run_holds_the_connector(
        self, journey: Journey, place: Place
    ) -> None:
        """Conflict with the id, no row; a run with names waits instead, and runs when the first has ended."""
        run = long_run(journey, place)
        with pytest.raises(Conflict, match=run.id):
            place.trigger()
        place.write("later.txt")
        place.write("later too.txt")
        waiting = place.trigger(mode="incremental", names=["later.txt"])
        merged = place.trigger(mode="incremental", names=["later too.txt"])
        assert (waiting.waiting, waiting.flow_run_id) == (True, None)
        assert merged.id == waiting.id
        assert [row.id for row in place.runs()] == [waiting.id, run.id]
        syncs.cancel(journey.context, run)
        done = journey.wait(waiting.id)
        assert done.state == RunState.SUCCEEDED
        assert done.filter == ["later.txt", "later too.txt"]
        assert place.found(place.tokens["later.txt"]) == ["later.txt"]
        assert place.found(place.tokens["later too.txt"]) == ["later too.txt"]

    def test_a_flow_run_started_in_prefect_steps_back_while_a_run_works(
        self, journey: Journey, place: Place
    ) -> None:
        """It ends Cancelled with the reason, leaves no row, and harms the run at work in nothing."""
        run = long_run(journey, place)
        other = start_run(journey.prefect, str(place.connector.deployment_id))
        ended = wait_for_state(journey.prefect, other, "CANCELLED", "COMPLETED", seconds=60)
        last = journey.wait(run.id)
        assert last.state == RunState.SUCCEEDED
        if ended["state_type"] == "CANCELLED":
            assert ended["state"]["message"] == f"skipped: run {run.id} is active"
            assert [row.id for row in place.runs()] == [run.id]
        else:  # the first was done before the second had started its process
            assert counts(place.runs()[0])["skipped"] == FILES
        place.check(searched=sorted(place.tokens)[::250])


class TestPaused:
    def test_a_paused_connector_skips_what_is_due_and_says_why(
        self, journey: Journey, make_place: Callable[..., Place]
    ) -> None:
        """A flow run that comes all the same ends Cancelled "skipped", with no row; asking is refused."""
        place = make_place("resting")
        place.fill(5)
        connectors.set_paused(journey.context, place.connector, paused=True)
        with pytest.raises(UsageError):
            place.trigger()
        ended = self._flow_run(journey, place)
        assert ended["state"]["message"] == "skipped: the connector is paused"
        assert place.runs() == []
        connectors.set_paused(journey.context, place.connector, paused=False)
        place.sync()
        place.check()

    def _flow_run(self, journey: Journey, place: Place) -> dict[str, Any]:
        flow_run = start_run(journey.prefect, str(place.connector.deployment_id))
        return wait_for_state(journey.prefect, flow_run, "CANCELLED", seconds=60)
