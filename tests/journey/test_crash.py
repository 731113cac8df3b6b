"""Processes that die at any instant: the index still ends as the source is, and nothing is told wrongly."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from catchment.core.runs import RunState
from tests.support.crash import WORDS, ask, change, kill_again_and_again, wait_for_an_instant
from tests.support.journey import Journey, Place, counts, soak
from tests.support.places import bucket_place, table_place
from tests.support.postgres import Site, postgres_site
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, rclone

pytestmark = pytest.mark.prefect
__all__ = ["postgres_site"]

FILES = 1500
KILLS = soak(15, 50)
KILLS_ELSEWHERE = soak(4, 50)
POWER_CUTS = soak(3, 10)


class TestFlowKilled:
    """Acceptance 7: no duplicate, nothing lost, no deletion forgotten, and the killed run says so."""

    def test_kills_at_any_instant_cost_nothing(self, journey: Journey, place: Place) -> None:
        """After each kill the sweep resumes, and the index equals the folder; the connector stays ACTIVE."""
        place.fill(FILES, words=WORDS)
        place.sync()
        kill_again_and_again(journey, place, kills=KILLS, rng=random.Random(7))

    def test_the_same_for_a_bucket(self, journey: Journey, tmp_path: Path) -> None:
        """Objects are listed by pages and fetched beside each other; that makes no difference.

        Acceptance 7 and 20 for s3.
        """
        with rclone(tmp_path / "served") as endpoint:
            keys = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY}
            place = bucket_place(journey, tmp_path / "served" / "papers", endpoint=endpoint, keys=keys)
            try:
                place.fill(FILES, words=WORDS)
                place.sync()
                kill_again_and_again(journey, place, kills=KILLS_ELSEWHERE, rng=random.Random(13))
            finally:
                place.retire()

    def test_the_same_for_a_table(self, journey: Journey, postgres_site: Site) -> None:
        """Rows are compared by their hashes and fetched by the hundred; that makes no difference.

        Acceptance 7 and 20 for postgresql.
        """
        with postgres_site.database() as name, postgres_site.connect(name) as source:
            config = {"host": postgres_site.socket, "port": postgres_site.port, "database": name}
            place = table_place(journey, source, config)
            try:
                place.fill(FILES, words=WORDS)
                place.sync()
                kill_again_and_again(journey, place, kills=KILLS_ELSEWHERE, rng=random.Random(17))
            finally:
                place.retire()


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
        place.fill(8000, words="many words " * 40)
        run = place.trigger()
        journey.wait_until_working(run.id)
        journey.down()
        stopped = journey.row(run.id)
        assert (stopped.state, stopped.cancel_reason) == (RunState.CANCELLED, "shutdown"), stopped
        journey.up()
        last = place.settle()
        assert last.resumes == run.id
        assert counts(last).get("indexed", 0) < 8000, "what was indexed before the stop was done again"
        place.check(searched=sorted(place.tokens)[::200])
