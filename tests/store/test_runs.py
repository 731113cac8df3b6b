"""Runs: one at a time, held by a lease, final for ever."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from catchment.core.counters import COUNTER_NAMES, Counters
from catchment.core.ids import new_id
from catchment.core.runs import FINAL_STATES, RunState
from catchment.store import connectors, runs
from catchment.store.engine import reading, writing
from catchment.store.rows import RunRow
from tests.support.library import add_connector


@pytest.fixture
def connector(store: Engine) -> int:
    return add_connector(store)


def add(engine: Engine, connector_pk: int, **values: Any) -> str:
    """Store a run, by default a queued one."""
    facts: dict[str, Any] = {
        "id": new_id(),
        "connector_pk": connector_pk,
        "kind": "sync",
        "mode": "auto",
        "trigger": "manual",
        "state": RunState.QUEUED,
        "filter": [],
        "details": {},
        "created_at": time.time(),
    } | values
    with writing(engine) as connection:
        runs.add(connection, **facts)
    return str(facts["id"])


def get(engine: Engine, run_id: str) -> RunRow:
    with reading(engine) as connection:
        row = runs.get(connection, run_id)
    assert row is not None
    return row


def take(engine: Engine, run_id: str, lease: int = 1) -> bool:
    with writing(engine) as connection:
        return runs.take(connection, run_id, lease, flow_run_id=None, count=None)


def hold(engine: Engine, run_id: str, lease: int, **facts: Any) -> bool:
    with writing(engine) as connection:
        return runs.hold(connection, run_id, lease, **facts)


class TestAdd:
    @pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING, RunState.CANCELLING])
    def test_refuses_a_second_run_that_is_not_over(
        self, store: Engine, connector: int, state: RunState
    ) -> None:
        """The database itself lets one run per connector be active."""
        add(store, connector, state=state)
        with pytest.raises(IntegrityError):
            add(store, connector)
        add(store, add_connector(store, "other"))

    @pytest.mark.parametrize("state", sorted(FINAL_STATES))
    def test_lets_a_run_follow_one_that_is_over(self, store: Engine, connector: int, state: RunState) -> None:
        """A final run holds nothing."""
        over = add(store, connector, state=state)
        add(store, connector)
        add(store, connector, state=state)
        assert get(store, over).state == state

    @pytest.mark.parametrize("facts", [{"dry_run": True}, {"kind": "push"}, {"kind": "permissions"}])
    def test_lets_what_takes_no_claim_go_beside_it(
        self, store: Engine, connector: int, facts: dict[str, Any]
    ) -> None:
        """Previews, pushes and permission refreshes neither hold a connector nor wait for it."""
        add(store, connector)
        add(store, connector, state=RunState.RUNNING, **facts)
        add(store, connector, state=RunState.RUNNING, **facts)

    def test_lets_one_run_of_each_mode_wait(self, store: Engine, connector: int) -> None:
        """Beside the active run one may wait per mode; its filter grows instead of a second."""
        active = add(store, connector, state=RunState.RUNNING)
        first = add(store, connector, waiting=True, mode="incremental", created_at=2.0)
        second = add(store, connector, waiting=True, mode="full", created_at=1.0)
        with pytest.raises(IntegrityError):
            add(store, connector, waiting=True, mode="full")
        with reading(store) as connection:
            assert [row.id for row in runs.waiting(connection, connector)] == [second, first]
            assert [row.id for row in runs.waiting(connection)] == [second, first]
            found = runs.active(connection, connector)
            assert found is not None and found.id == active
            assert [row.id for row in runs.unfinished(connection)] == [active]

    def test_of_many_threads_lets_one_in(self, store: Engine, connector: int) -> None:
        """However many ask at once, one run is made and the others are told."""
        outcomes: list[str] = []
        together = threading.Barrier(6)

        def try_it() -> None:
            together.wait()
            try:
                add(store, connector)
            except IntegrityError:
                outcomes.append("refused")
            else:
                outcomes.append("added")

        threads = [threading.Thread(target=try_it) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["added"] + ["refused"] * 5

    def test_refuses_the_same_attempt_of_a_flow_run_twice(self, store: Engine, connector: int) -> None:
        """(flow run, attempt) is one run; the next attempt is another."""
        over = {"state": RunState.FAILED, "flow_run_id": "f"}
        first = add(store, connector, flow_run_count=1, **over)
        second = add(store, connector, flow_run_count=2, **over)
        with pytest.raises(IntegrityError):
            add(store, connector, flow_run_count=2, **over)
        with reading(store) as connection:
            for count, wanted in ((1, first), (2, second), (None, second)):
                row = runs.by_flow_run(connection, "f", count)
                assert row is not None and row.id == wanted
            assert runs.by_flow_run(connection, "f", 3) is None
            assert runs.by_flow_run(connection, "g") is None


class TestTake:
    def test_begins_a_queued_run_once(self, store: Engine, connector: int) -> None:
        """The first to take it has it; the second gets nothing and changes nothing."""
        run_id = add(store, connector, waiting=True)
        assert take(store, run_id, 4)
        row = get(store, run_id)
        assert (row.state, row.lease, row.waiting) == (RunState.RUNNING, 4, False)
        assert row.started_at is not None and abs(row.started_at - time.time()) < 60
        assert not take(store, run_id, 5)
        assert get(store, run_id).lease == 4

    @pytest.mark.parametrize("state", [RunState.CANCELLED, RunState.FAILED, RunState.CANCELLING])
    def test_does_not_revive_a_run(self, store: Engine, connector: int, state: RunState) -> None:
        """A run that was cancelled while it was queued does not begin."""
        run_id = add(store, connector, state=state)
        assert not take(store, run_id)
        assert get(store, run_id).state == state

    def test_keeps_the_flow_run_that_was_written_before(self, store: Engine, connector: int) -> None:
        """A claim without a flow run does not wipe out the one that is known."""
        run_id = add(store, connector, flow_run_id="f")
        assert take(store, run_id)
        assert get(store, run_id).flow_run_id == "f"


class TestHold:
    def test_renews_the_lease_and_writes_the_counters(self, store: Engine, connector: int) -> None:
        """One statement fences the batch and carries its counters."""
        run_id = add(store, connector)
        take(store, run_id, 1)
        with writing(store) as connection:
            runs.change(connection, run_id, lease_at=1.0)
        settled = Counters(*range(1, len(COUNTER_NAMES) + 1))
        assert hold(store, run_id, 1, settled=settled)
        row = get(store, run_id)
        assert [getattr(row, name) for name in COUNTER_NAMES] == list(range(1, len(COUNTER_NAMES) + 1))
        assert row.lease_at is not None and row.lease_at > time.time() - 60

    def test_leaves_counters_and_wait_alone_unless_told(self, store: Engine, connector: int) -> None:
        """A heartbeat changes the lease and nothing else."""
        run_id = add(store, connector)
        take(store, run_id, 1)
        assert hold(store, run_id, 1, settled=Counters(indexed=3), wait=("rate limit", 5.0))
        assert hold(store, run_id, 1)
        row = get(store, run_id)
        assert (row.indexed, row.wait_reason, row.wait_since) == (3, "rate limit", 5.0)
        assert hold(store, run_id, 1, wait=("", 0.0))
        row = get(store, run_id)
        assert (row.wait_reason, row.wait_since) == (None, None)

    def test_goes_on_while_the_run_is_being_cancelled(self, store: Engine, connector: int) -> None:
        """A run that winds up still writes what it has."""
        run_id = add(store, connector)
        take(store, run_id, 1)
        with writing(store) as connection:
            runs.change(connection, run_id, state=RunState.CANCELLING)
        assert hold(store, run_id, 1)

    @pytest.mark.parametrize("values", [{"lease": 2}, {"state": RunState.FAILED}, {"state": RunState.QUEUED}])
    def test_fails_when_the_row_has_moved_on(
        self, store: Engine, connector: int, values: dict[str, Any]
    ) -> None:
        """Another lease or a closed row: the old holder is told, and has changed nothing."""
        run_id = add(store, connector)
        take(store, run_id, 1)
        with writing(store) as connection:
            runs.change(connection, run_id, **values)
        before = get(store, run_id)
        assert not hold(store, run_id, 1, settled=Counters(indexed=9), wait=("x", 1.0))
        assert get(store, run_id) == before

    def test_of_a_run_that_never_was_fails(self, store: Engine) -> None:
        """A row that was taken back holds nothing."""
        assert not hold(store, "nothing", 1)


class TestChange:
    @pytest.mark.parametrize("state", sorted(FINAL_STATES))
    def test_never_touches_a_final_row(self, store: Engine, connector: int, state: RunState) -> None:
        """What has ended stays as it ended, whoever comes late."""
        run_id = add(store, connector, state=state)
        with writing(store) as connection:
            assert not runs.change(connection, run_id, state=RunState.RUNNING, error_code="late")
        assert (get(store, run_id).state, get(store, run_id).error_code) == (state, None)
        with writing(store) as connection:
            assert runs.change(connection, run_id, unless_final=False, details={"seen": True})
        assert get(store, run_id).details == {"seen": True}


class TestLeases:
    def test_only_grow(self, store: Engine, connector: int) -> None:
        """Each claim gets a higher number, so that an old one is told from a new one."""
        numbers = []
        for _ in range(3):
            with writing(store) as connection:
                numbers.append(connectors.next_lease(connection, connector))
        assert numbers == [1, 2, 3]

    def test_grow_old_by_the_clock_of_the_database(self, store: Engine, connector: int) -> None:
        """The age of a lease is seconds since the row was touched; none, if it never was."""
        run_id = add(store, connector, created_at=time.time() - 500)
        with reading(store) as connection:
            assert runs.lease_age(connection, run_id) is None
            assert 440 < runs.age(connection, run_id) < 560
        with writing(store) as connection:
            runs.change(connection, run_id, lease_at=runs.now(connection) - 100)
        with reading(store) as connection:
            age = runs.lease_age(connection, run_id)
        assert age is not None and 90 < age < 160


class TestFind:
    def test_takes_the_beginning_or_the_end_of_an_id(self, store: Engine, connector: int) -> None:
        """A person types a few letters; signs of LIKE in them are only letters."""
        one = add(store, connector, id="aa11" + "0" * 24 + "bb22", state=RunState.FAILED)
        add(store, connector, id="cc33" + "0" * 24 + "dd44", state=RunState.FAILED)
        with reading(store) as connection:
            assert [row.id for row in runs.find(connection, "aa1")] == [one]
            assert [row.id for row in runs.find(connection, "b22")] == [one]
            assert runs.find(connection, "0000") == runs.find(connection, "%") == []
            assert len(runs.find(connection, "")) == 2

    def test_lists_the_newest_first(self, store: Engine, connector: int) -> None:
        """Recent runs of one connector or of all."""
        other = add_connector(store, "other")
        ids = [
            add(store, pk, state=RunState.SUCCEEDED, created_at=float(number))
            for number, pk in enumerate([connector, other, connector])
        ]
        with reading(store) as connection:
            assert [row.id for row in runs.recent(connection, None, limit=10)] == ids[::-1]
            assert [row.id for row in runs.recent(connection, connector, limit=1)] == [ids[2]]
            assert runs.count_by_state(connection, connector) == {"SUCCEEDED": 2}

    def test_counts_how_often_a_run_was_resumed(self, store: Engine, connector: int) -> None:
        """The chain ends at a run that resumed nothing, or at one that is no longer kept."""
        first = add(store, connector, state=RunState.FAILED, resumes="purged")
        second = add(store, connector, state=RunState.FAILED, resumes=first)
        third = add(store, connector, resumes=second)
        with reading(store) as connection:
            assert runs.resume_chain(connection, get(store, third)) == 3
            assert runs.resume_chain(connection, get(store, first)) == 1


def test_a_run_that_never_began_can_be_taken_back(store: Engine, connector: int) -> None:
    """What Prefect refused leaves no row and holds nothing."""
    run_id = add(store, connector)
    with writing(store) as connection:
        runs.remove(connection, run_id)
    with reading(store) as connection:
        assert runs.get(connection, run_id) is None
    add(store, connector)
