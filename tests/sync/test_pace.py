"""How much goes into one transaction: slices for a store in use, several batches for a first load."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from catchment.sync import intake, lanes, pace
from catchment.sync.batches import Job
from catchment.sync.collect import collect
from catchment.sync.index import index
from catchment.sync.pace import GROUP_BATCHES
from catchment.sync.parse import parse
from catchment.sync.run import Run
from catchment.sync.settlement import Settlement
from tests.support.scripted import World
from tests.support.vault import Crash, Vault, counts, done

BATCH = 4
TOGETHER = BATCH * GROUP_BATCHES
"""Documents of one transaction of a first load."""


@pytest.fixture(autouse=True)
def slow_writer(monkeypatch: pytest.MonkeyPatch, house: Vault) -> None:
    """The index lane begins when all is parsed, and no stall ends a batch before it is full."""
    monkeypatch.setattr(intake, "PAGE_SECONDS", 60)
    monkeypatch.setattr(pace, "GROUP_SECONDS", 60)
    house.tune(first_batch_items=BATCH, batch_items=BATCH, queue_batches=16)
    parsed = threading.Event()

    def parse_whole(run: Run) -> None:
        parsed.clear()
        try:
            parse(run)
        finally:
            parsed.set()

    def index_late(run: Run) -> None:
        assert parsed.wait(60)
        index(run)

    monkeypatch.setattr(lanes, "LANES", (collect, parse_whole, index_late))


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many documents were indexed before each transaction of the index lane."""
    seen: list[int] = []
    monkeypatch.setattr(Run, "check_room", lambda run: seen.append(run.counters.indexed))
    return seen


class TestFirstLoad:
    def test_batches_of_small_documents_share_a_transaction(
        self, house: Vault, world: World, written: list[int]
    ) -> None:
        """So many full batches that wait already are one transaction, and nothing else changes."""
        number = 2 * TOGETHER + 8
        world.fill(number)
        assert counts(house.sync()) == done(number)
        assert written == [0, TOGETHER, 2 * TOGETHER]
        assert house.texts() == world.texts()
        house.check_index()

    def test_batches_of_large_documents_do_not(self, house: Vault, world: World, written: list[int]) -> None:
        """Together they never hold much more text than a batch may."""
        house.tune(batch_bytes=4000)
        for number in range(12):
            world.put(f"doc{number:02}", f"{number} " + "word " * 150)
        assert counts(house.sync()) == done(12)
        assert written == [0, 4, 8]

    def test_a_key_that_two_of_its_batches_name_is_one_document(self, house: Vault, world: World) -> None:
        """The last word counts, and the item is counted twice, once as a duplicate."""
        house.tune(page_items=4)
        world.repeat = [world.fill(11)[1]]
        assert counts(house.sync()) == done(12, indexed=11, skipped=1)
        assert house.texts() == world.texts()

    def test_a_crash_loses_the_whole_transaction_and_nothing_else(
        self, house: Vault, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was not committed is not counted, and the next run does it."""
        world.fill(2 * TOGETHER + 8)
        settled: list[Settlement] = []
        settle = Settlement.settle

        def fail_after_the_second(settlement: Settlement, jobs: Sequence[Job]) -> None:
            settle(settlement, jobs)
            settled.append(settlement)
            if len(settled) == 2:
                raise Crash

        monkeypatch.setattr(Settlement, "settle", fail_after_the_second)
        run = house.begin()
        with pytest.raises(Crash):
            house.work(run)
        assert run.counters.indexed == TOGETHER
        assert len(house.shown()) == TOGETHER
        house.silence()
        rest = TOGETHER + 8
        assert counts(house.sync()) == done(rest, collected=rest + TOGETHER, skipped=TOGETHER)
        assert house.texts() == world.texts()

    def test_a_store_in_use_is_written_batch_by_batch(
        self, house: Vault, world: World, written: list[int]
    ) -> None:
        """Others wait for no more than one batch."""
        world.fill(1, head="old")
        house.sync()
        written.clear()
        world.fill(8)
        house.sync()
        assert written == [0, 4]
