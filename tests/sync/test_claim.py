"""One active run a connector, its lease, and the fence behind a run that lost it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from catchment.core.errors import LeaseLost
from catchment.core.ids import new_id
from catchment.core.parameters import RunParameters
from catchment.core.runs import Trigger
from catchment.kit.connector import ChangeFeed
from catchment.store import connectors, runs
from catchment.store.engine import reading, writing
from catchment.sync.claim import Claimed, Refused, Ticket, add_run, claim
from catchment.sync.close import close_run
from catchment.sync.fence import fenced
from catchment.sync.lanes import run_in_threads
from tests.support.scripted import World
from tests.support.vault import Vault, counts
from tests.sync.conftest import Register


def ask(house: Vault, ticket: Ticket | None = None, **parameters: Any) -> Claimed | Refused:
    """Claim as a flow run does."""
    given = {"connector": "docs", **parameters}
    return claim(house.engine, RunParameters(**given), ticket or Ticket(), lease_seconds=30)


def queue(house: Vault, **more: Any) -> str:
    """Insert a queued run, as a face does, and return its id."""
    run_id = new_id()
    given = {"mode": "auto", "trigger": Trigger.MANUAL.value, "names": [], **more}
    with writing(house.engine) as connection:
        add_run(connection, run_id, house.connector().pk, **given)
    return run_id


class TestOneAtATime:
    def test_of_many_at_once_one_wins(self, house: Vault) -> None:
        """However they race, the others are refused in words and leave no row."""
        answers: list[Claimed | Refused] = []
        barrier = threading.Barrier(8)

        def race() -> None:
            barrier.wait()
            answers.append(ask(house))

        threads = [threading.Thread(target=race) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won = [answer for answer in answers if isinstance(answer, Claimed)]
        assert (len(answers), len(won)) == (8, 1)
        with reading(house.engine) as connection:
            assert [run.id for run in runs.recent(connection, None, limit=10)] == [won[0].run.id]

    def test_the_database_itself_allows_one_active_run(self, house: Vault) -> None:
        """Whoever inserts it."""
        queue(house)
        with pytest.raises(IntegrityError):
            queue(house)

    def test_a_final_run_makes_room(self, house: Vault, world: World) -> None:
        """One after the other, each with a lease of its own."""
        world.fill(1)
        leases = [house.sync().lease for _ in range(3)]
        assert leases == [1, 2, 3]

    def test_connectors_do_not_hold_each_other(self, house: Vault) -> None:
        """The lock is the connector's."""
        house.add("scripted", {}, name="more")
        assert isinstance(ask(house), Claimed)
        assert isinstance(ask(house, connector="more"), Claimed)

    @pytest.mark.parametrize(
        ("columns", "word"),
        [({"paused": True}, "paused"), ({"status": "PAUSED"}, "paused"), ({"status": "SETUP"}, "set-up")],
    )
    def test_a_connector_that_is_not_ready_is_skipped(
        self, house: Vault, columns: dict[str, Any], word: str
    ) -> None:
        """In words, and without a row."""
        house.mark(**columns)
        before = house.dump()
        answer = ask(house)
        assert isinstance(answer, Refused)
        assert word in answer.why
        assert house.dump() == before

    def test_a_connector_in_error_is_tried(self, house: Vault) -> None:
        """The schedule keeps trying."""
        house.mark(status="ERROR")
        assert isinstance(ask(house), Claimed)

    def test_a_deleted_or_unknown_connector_is_skipped(self, house: Vault) -> None:
        """By name and by id."""
        identity = house.connector().id
        house.mark(deleted_at=1.0)
        for name in ("docs", identity, "nobody"):
            assert isinstance(ask(house, connector=name), Refused)

    def test_a_name_that_two_connectors_share_is_not_guessed(self, house: Vault) -> None:
        """The id tells them apart."""
        other = house.add("scripted", {}, name="more")
        with writing(house.engine) as connection:
            connectors.change(connection, other.pk, name="shared")
        house.mark(name="shared")
        answer = ask(house, connector="shared")
        assert isinstance(answer, Refused)
        assert "use the id" in answer.why
        assert isinstance(ask(house, connector=other.id), Claimed)


class TestWhoseRow:
    def test_a_row_is_found_by_the_flow_runs_tag(self, house: Vault) -> None:
        """The face made it; what it was asked for stands there, not in the flow's parameters."""
        run_id = queue(house, mode="full", names=["a"])
        answer = ask(house, Ticket(flow_run_id="f1", run_id=run_id))
        assert isinstance(answer, Claimed)
        assert (answer.run.id, answer.run.mode, answer.run.filter) == (run_id, "full", ["a"])
        assert (answer.run.flow_run_id, answer.run.flow_run_count) == ("f1", 1)

    def test_a_row_is_found_by_the_flow_runs_id(self, house: Vault) -> None:
        """Before the tag is looked at."""
        run_id = queue(house, flow_run_id="f1")
        answer = ask(house, Ticket(flow_run_id="f1", run_id="somebody-else"))
        assert isinstance(answer, Claimed)
        assert answer.run.id == run_id

    def test_a_flow_run_of_prefects_own_gets_a_row(self, house: Vault) -> None:
        """A schedule or the UI started it."""
        answer = ask(house, Ticket(flow_run_id="f1", trigger=Trigger.SCHEDULE))
        assert isinstance(answer, Claimed)
        assert (answer.run.trigger, answer.run.flow_run_id) == ("schedule", "f1")

    def test_a_retry_in_prefect_is_a_row_of_its_own(self, house: Vault, world: World) -> None:
        """The flow run's id comes again with a higher attempt; the final row never changes."""
        first = ask(house, Ticket(flow_run_id="f1", run_id=queue(house)))
        assert isinstance(first, Claimed)
        with writing(house.engine) as connection:
            runs.change(connection, first.run.id, state="FAILED")
        again = ask(house, Ticket(flow_run_id="f1", run_id=first.run.id))
        assert isinstance(again, Refused)
        second = ask(house, Ticket(flow_run_id="f1", attempt=2, run_id=first.run.id))
        assert isinstance(second, Claimed)
        assert second.run.id != first.run.id
        assert house.run(first.run.id).state == "FAILED"

    def test_the_same_attempt_cannot_begin_twice(self, house: Vault) -> None:
        """Prefect delivered it twice."""
        assert isinstance(ask(house, Ticket(flow_run_id="f1")), Claimed)
        assert isinstance(ask(house, Ticket(flow_run_id="f1")), Refused)

    def test_a_queued_run_of_another_is_not_taken(self, house: Vault) -> None:
        """It has the connector as soon as its row is there."""
        queue(house)
        assert isinstance(ask(house), Refused)

    def test_a_run_that_waits_begins_when_the_connector_is_free(self, house: Vault, world: World) -> None:
        """And not before; its filter is read from the row."""
        world.fill(3)
        active = house.begin()
        waiting = queue(house, mode="incremental", names=["doc000"], waiting=True)
        answer = ask(house, Ticket(run_id=waiting))
        assert isinstance(answer, Refused)
        assert house.run(waiting).state == "QUEUED"
        house.work(active)
        answer = ask(house, Ticket(run_id=waiting))
        assert isinstance(answer, Claimed)
        assert (answer.run.waiting, answer.run.filter) == (False, ["doc000"])

    def test_a_row_that_was_cancelled_before_it_began_stays_so(self, house: Vault) -> None:
        """A QUEUED run is cancelled at once."""
        run_id = queue(house)
        with writing(house.engine) as connection:
            runs.change(connection, run_id, state="CANCELLED")
        assert isinstance(ask(house, Ticket(run_id=run_id)), Refused)
        assert house.run(run_id).state == "CANCELLED"


class TestLease:
    def test_a_silent_run_is_ended_as_interrupted(self, house: Vault) -> None:
        """By the next claim, after the lease; interrupted is not failed, the connector's status stays."""
        dead = house.begin()
        assert isinstance(ask(house), Refused)
        house.silence(dead.row.id, 29)
        assert isinstance(ask(house), Refused)
        house.silence(dead.row.id, 2)
        assert isinstance(ask(house), Claimed)
        row = house.run(dead.row.id)
        assert (row.state, row.error_code) == ("FAILED", "interrupted")
        assert row.ended_at is not None
        assert house.connector().status == "ACTIVE"

    def test_a_run_that_is_queued_is_never_called_silent(self, house: Vault) -> None:
        """It has no lease yet; the sweep looks after it (20)."""
        run_id = queue(house)
        house.silence(run_id, 10**6)
        assert isinstance(ask(house), Refused)

    @pytest.mark.parametrize("feed", [ChangeFeed.NONE, ChangeFeed.COMPLETE])
    @pytest.mark.parametrize("at", [1, 5, 10, 13])
    def test_a_run_that_wakes_up_after_another_took_over_writes_nothing(
        self, house: Vault, world: World, register: Register, feed: ChangeFeed, at: int
    ) -> None:
        """Suspended at any point of its listing: no document, no removal, no cursor, no row (27)."""
        register(feed=feed)
        house.tune(first_batch_items=2, batch_items=2)
        world.fill(6)
        house.sync()
        world.fill(6, head="more")
        world.remove("doc001")
        suspended = house.begin(mode="full")
        seen: dict[str, Any] = {}

        def sleep_through_a_whole_run() -> None:
            if seen:
                return
            seen["it"] = True
            world.put("doc002", "changed while it slept")
            taken = house.take_over(suspended)
            house.work(taken)
            assert house.run(taken.row.id).state == "SUCCEEDED"
            seen.update(dump=house.dump(), saved=dict(house.cursors.saved))
            world.put("doc002", "changed again")
            world.put("only it would see this", "words")

        world.before_item["main", min(at, 12)] = sleep_through_a_whole_run
        house.work(suspended)
        assert isinstance(suspended.stop.cause, LeaseLost)
        assert house.dump() == seen["dump"]
        assert house.cursors.saved == seen["saved"]
        row = house.run(suspended.row.id)
        assert (row.state, row.error_code) == ("FAILED", "interrupted")

    def test_removals_stop_at_the_fence_too(self, house: Vault, world: World) -> None:
        """Taken over between the end of the listing and its sweep (27)."""
        world.fill(6)
        house.sync()
        world.remove("doc001")
        suspended = house.begin()
        world.before_item["main", 6] = lambda: house.take_over(suspended) and None
        house.work(suspended)
        assert isinstance(suspended.stop.cause, LeaseLost)
        assert "doc001" in house.shown()

    def test_a_run_that_lost_its_lease_at_the_very_end_closes_nothing(
        self, house: Vault, world: World
    ) -> None:
        """All its work was done, and yet neither its row nor the connector is its own any more (27)."""
        world.fill(2)
        run = house.begin()
        run_in_threads(run)
        taken = house.take_over(run)
        house.mark(status="ERROR")
        before = house.dump()
        with pytest.raises(LeaseLost):
            close_run(run, None)
        assert house.dump() == before
        house.work(taken)

    def test_every_transaction_renews_the_lease(self, house: Vault, world: World) -> None:
        """So that a run that works is never taken for dead."""
        run = house.begin()
        house.silence(run.row.id, 20)
        with writing(house.engine) as connection:
            fenced(connection, run)
        with reading(house.engine) as connection:
            assert (runs.lease_age(connection, run.row.id) or 0) < 15

    def test_a_final_row_never_changes(self, house: Vault, world: World) -> None:
        """Closed from outside while the run works: it stops, and the row stays as it was closed."""
        world.fill(6)
        run = house.begin()

        def close_it() -> None:
            with writing(house.engine) as connection:
                runs.change(connection, run.row.id, state="FAILED", error_code="interrupted")

        world.before_item["main", 4] = close_it
        house.work(run)
        assert isinstance(run.stop.cause, LeaseLost)
        row = house.run(run.row.id)
        assert (row.state, row.error_code, counts(row)) == ("FAILED", "interrupted", {})
