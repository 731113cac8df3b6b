"""Three lanes beside each other: bounded, stopped together, and visible while they work."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from catchment.core.clock import SetClock
from catchment.core.counters import COUNTER_NAMES, Counters
from catchment.core.errors import ItemUnreadable, LeaseLost, RunCancelled, SourceDown
from catchment.core.items import Content, Item
from catchment.store import runs
from catchment.store.engine import writing
from catchment.sync import team
from catchment.sync.batches import PLACES, Action, Batch
from catchment.sync.claim import Claimed
from catchment.sync.close import close_run
from catchment.sync.fetching import SPOOL_BYTES
from catchment.sync.lanes import run_in_threads
from catchment.sync.pace import GROUP_BATCHES
from catchment.sync.pulse import Pulse
from catchment.sync.run import Run
from catchment.sync.stop import Channel, StopSignal
from tests.support.scripted import World
from tests.support.vault import Vault, counts
from tests.support.waiting import still, until
from tests.sync.conftest import Register


def request_cancel(house: Vault, run: Run, reason: str = "user") -> None:
    """Write the request on the run's row, as every face does."""
    with writing(house.engine) as connection:
        runs.change(connection, run.row.id, cancel_requested_at=1.0, cancel_reason=reason)


class TestStopSignal:
    def test_the_first_cause_counts(self) -> None:
        """What follows from it is no cause."""
        stop = StopSignal()
        stop.check()
        stop.set(RunCancelled("first"))
        stop.set(RunCancelled("second"))
        with pytest.raises(RunCancelled, match="first"):
            stop.check()

    def test_a_full_channel_waits_for_room(self) -> None:
        """And hands things on in order."""
        channel: Channel[int] = Channel(2, StopSignal())
        put: list[int] = []

        def fill() -> None:
            for number in range(5):
                channel.put(number)
                put.append(number)
            channel.close()

        thread = threading.Thread(target=fill)
        thread.start()
        until(lambda: len(put) == 2)
        time.sleep(0.05)
        assert put == [0, 1]
        taken = []
        for number in channel:
            taken.append(number)
            channel.release()
        assert taken == [0, 1, 2, 3, 4]
        thread.join()

    def test_what_is_taken_keeps_its_place_until_it_is_released(self) -> None:
        """So the lane before goes on when the one behind says so, and not before."""
        channel: Channel[int] = Channel(1, StopSignal())
        channel.put(0)
        things = iter(channel)
        assert next(things) == 0
        second = threading.Thread(target=channel.put, args=(1,))
        second.start()
        second.join(timeout=0.1)
        assert second.is_alive()
        assert channel.empty
        channel.release()
        second.join(timeout=30)
        assert next(things) == 1

    @pytest.mark.parametrize("side", ["put", "get"])
    def test_a_wait_at_either_end_listens_to_the_signal(self, side: str) -> None:
        """Nobody hangs at a queue whose other side is gone."""
        stop = StopSignal()
        channel: Channel[int] = Channel(1, stop)
        caught: list[BaseException] = []

        def wait() -> None:
            try:
                if side == "get":
                    list(channel)
                else:
                    channel.put(1)
                    channel.put(2)
            except RunCancelled as error:
                caught.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        stop.set(RunCancelled("Enough."))
        thread.join(timeout=30)
        assert len(caught) == 1


class TestBounds:
    @pytest.mark.parametrize(
        ("characters", "batches"),
        [
            pytest.param(900, 5, id="large: one with each lane, and one in each queue"),
            pytest.param(9, 4 + PLACES + GROUP_BATCHES, id="small: a queue full, and a transaction"),
        ],
    )
    def test_a_slow_writer_holds_the_reader_back(
        self, house: Vault, world: World, monkeypatch: pytest.MonkeyPatch, characters: int, batches: int
    ) -> None:
        """What is read and not yet written is bounded, whatever the size of the source."""
        house.tune(first_batch_items=2, batch_items=2, queue_batches=1, batch_bytes=2000)
        for number in range(120):
            world.put(f"doc{number:03}", f"{number} " + "x" * characters)
        gate = threading.Event()
        seen: list[bool] = []

        def slow(_: Run) -> None:
            seen.append(True)
            assert gate.wait(60)

        monkeypatch.setattr(Run, "check_room", slow)
        run = house.begin()
        thread = threading.Thread(target=house.work, args=(run,))
        thread.start()
        until(lambda: bool(seen))
        still(lambda: len(world.fetched))
        assert len(world.fetched) <= batches * 2
        gate.set()
        thread.join()
        assert house.texts() == world.texts()

    def test_bodies_in_a_batch_stay_below_their_limit(
        self, house: Vault, world: World, register: Register, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A batch is handed on before the body that would burst it."""
        register(fetches=4)
        house.tune(batch_bytes=2000)
        for number in range(9):
            world.put(f"doc{number}", "x" * 900)
        world.put("large", "y" * 5000)
        sizes = watch_batches(monkeypatch, lambda batch: sum(len(job.body or b"") for job in batch.jobs))
        house.sync()
        assert max(sizes) == 5000
        assert all(size <= 1800 for size in sizes if size != 5000)

    def test_a_large_body_travels_in_a_file_that_is_gone_afterwards(
        self, house: Vault, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Never whole in memory; the file goes when it is parsed, its folder when the run is closed."""
        world.streams = True
        word = "measure "
        world.put("large", word * (SPOOL_BYTES // len(word) + 100))
        world.put("small", "little")
        spooled: list[Path] = []

        def look(batch: Batch) -> None:
            for job in batch.jobs:
                if job.spool_path is not None:
                    assert job.body is None
                    spooled.append(Path(job.spool_path))
                    assert spooled[-1].stat().st_size == job.size

        watch_batches(monkeypatch, look)
        run = house.sync()
        assert counts(run)["indexed"] == 2
        assert len(spooled) == 1
        assert not spooled[0].exists()
        assert list((house.home / "spool").iterdir()) == []
        assert house.texts()["large"].startswith("measure measure")
        # Unchanged content is recognised without parsing, and leaves no file either.
        world.put("large", world.scopes["main"]["large"].text)
        assert house.sync().details["skipped"] == {"unchanged": 1, "same_content": 1}
        assert list((house.home / "spool").iterdir()) == []

    def test_all_threads_of_a_run_have_one_folder(
        self, house: Vault, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The source has it, too, through its session; two that ask at once do not make two."""
        both = threading.Barrier(2)
        real = tempfile.mkdtemp

        def made(**where: Any) -> str:
            with suppress(threading.BrokenBarrierError):
                both.wait(0.1)
            return real(**where)

        monkeypatch.setattr("catchment.sync.run.tempfile.mkdtemp", made)
        claimed = house.claim()
        assert isinstance(claimed, Claimed)
        run = house.begun(claimed)
        assert list((house.home / "spool").glob("*")) == [], "not before it is wanted"
        found: list[Path] = []
        asking = [threading.Thread(target=lambda: found.append(run.source.session.spool())) for _ in "ab"]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join(30)
        assert found == [run.spool, run.spool]
        run.close()
        assert list((house.home / "spool").iterdir()) == []

    def test_a_run_that_is_cancelled_leaves_no_files(self, house: Vault, world: World) -> None:
        """Bodies that were on their way go with it."""
        world.streams = True
        world.put("a", "x" * (SPOOL_BYTES + 1))
        world.put("b", "y" * (SPOOL_BYTES + 1))
        run = house.begin()
        world.before_item["main", 2] = lambda: run.stop.set(RunCancelled("Enough."))
        house.work(run)
        assert not [path for path in house.home.rglob("*") if path.name.startswith("tmp")]

    def test_a_full_disk_stops_the_run_and_loses_nothing(
        self, house: Vault, world: World, with_feed: None
    ) -> None:
        """The cursor stays, and the next run goes on (26)."""
        world.fill(2)
        house.sync()
        world.put("new", "brand new")
        saved = dict(house.cursors.saved)
        house.tune(min_free_bytes=2**60)
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "disk_full")
        assert house.cursors.saved == saved
        house.tune(min_free_bytes=0)
        house.sync()
        assert house.texts() == world.texts()

    def test_bodies_fetched_beside_each_other_keep_the_order_of_the_listing(
        self, house: Vault, world: World, register: Register, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The watermark is contiguous only if batches are."""
        register(fetches=4)
        keys = world.fill(24)
        ended: list[str] = []

        def read(key: str) -> None:
            time.sleep(0.05 if int(key[-3:]) % 4 == 0 else 0)
            ended.append(key)

        world.before_fetch = read
        order = watch_batches(monkeypatch, lambda batch: [job.item.key for job in batch.jobs])
        house.sync()
        assert [key for batch in order for key in batch] == keys
        assert ended != keys, "nothing was fetched beside anything else"


class TestFetchingTogether:
    """Sources that bring many bodies with one request."""

    def test_bodies_come_in_the_order_of_the_listing_and_by_few_requests(
        self, house: Vault, world: World, register: Register, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A group is asked for at once; what needs no body keeps its place between them."""
        source = register(fetches=2, together=8)
        asked: list[int] = []
        one_by_one = source.fetch_many

        def many(self: Any, items: Sequence[Item]) -> Iterator[tuple[str, Content | ItemUnreadable]]:
            asked.append(len(items))
            return one_by_one(self, list(reversed(items)))

        monkeypatch.setattr(source, "fetch_many", many)
        for number in range(40):
            world.put(f"{number:02}", "words", refusal="size: none" if number % 10 == 3 else None)
        order = watch_batches(monkeypatch, lambda batch: [job.item.key for job in batch.jobs])
        run = house.sync()
        assert (run.indexed, run.skipped, run.failed) == (36, 4, 0)
        assert sum(asked) == 36 and max(asked) == 8 and len(asked) <= 6
        assert [key for batch in order for key in batch] == [f"{number:02}" for number in range(40)]

    def test_a_failure_in_the_middle_costs_what_had_no_answer(
        self, house: Vault, world: World, clock: SetClock, register: Register
    ) -> None:
        """What was read before the source went away is indexed, the rest is tried again."""
        register(together=4)
        for number in range(4):
            world.put(f"{number}", f"words {number}")
        world.fetch_errors["2"] = SourceDown("The database went away.")
        run = house.sync()
        assert (run.indexed, run.failed) == (2, 2)
        world.fetch_errors.clear()
        clock.advance(120)
        assert house.sync().indexed == 2

    def test_an_item_without_an_answer_is_a_failure(
        self, house: Vault, world: World, register: Register, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Silence is no content: the item is recorded, and nothing is made up."""
        source = register(together=4)
        monkeypatch.setattr(source, "fetch_many", lambda _self, _items: iter(()))
        world.put("a", "words")
        run = house.sync()
        assert (run.indexed, run.failed) == (0, 1)
        assert run.details["errors"][0]["reason"] == "no_answer"


class TestErrors:
    @pytest.mark.parametrize("lane", ["collect", "parse", "index"])
    def test_a_lane_that_fails_stops_the_others(
        self, house: Vault, world: World, monkeypatch: pytest.MonkeyPatch, lane: str
    ) -> None:
        """All three have ended, its error is the run's, and what it says is not shown to everybody."""
        house.tune(first_batch_items=2, batch_items=2, queue_batches=1)
        world.fill(40)
        world.put("page.html", "<p>Only the parser process reads this.")

        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError("secret canary")

        if lane == "collect":
            world.before_item["main", 20] = fail
        else:
            target, name = (Run, "check_room") if lane == "index" else (team, "ParserProcess")
            monkeypatch.setattr(target, name, fail)
        run = house.begin()
        with pytest.raises(RuntimeError, match="canary") as caught:
            run_in_threads(run)
        assert not {"parse", "index"} & {thread.name for thread in threading.enumerate()}
        run.close()
        outcome = close_run(run, caught.value)
        assert (outcome.state, outcome.code) == ("FAILED", "internal")
        row = house.run(run.row.id)
        assert "RuntimeError" in (row.error_message or "")
        assert "canary" not in str(row)
        monkeypatch.undo()
        world.before_item.clear()

    def test_what_was_indexed_before_a_failure_stays(self, house: Vault, world: World) -> None:
        """And the next run does the rest."""
        house.tune(first_batch_items=2, batch_items=2)
        world.fill(9)

        def fail() -> None:
            until(lambda: len(house.shown()) >= 2)
            raise RuntimeError

        world.before_item["main", 7] = fail
        run = house.begin()
        with pytest.raises(RuntimeError) as caught:
            house.work(run)
        close_run(run, caught.value)
        assert len(house.shown()) >= 2


class TestCancel:
    def test_a_request_on_the_row_ends_a_run_that_waits_for_its_source(
        self, house: Vault, world: World, register: Register
    ) -> None:
        """A long wait ends with the request; what is indexed stays (19)."""
        source = register()
        house.tune(poll_seconds=0.02, first_batch_items=2, batch_items=2)
        world.fill(9)
        run = house.begin()
        source_of_run = run.source
        assert isinstance(source_of_run, source)

        def wait_for_ever() -> None:
            until(lambda: len(house.shown()) >= 2)
            request_cancel(house, run)
            source_of_run.session.wait(60, "rate limit")

        world.before_item["main", 8] = wait_for_ever
        house.work(run)
        row = house.run(run.row.id)
        assert (row.state, row.error_code) == ("CANCELLED", "cancelled")
        assert 2 <= len(house.shown()) < 9
        assert row.indexed == len(house.shown())
        assert house.connector().status == "ACTIVE"
        world.before_item.clear()
        house.sync()
        assert house.texts() == world.texts()

    def test_a_request_ends_a_run_whose_parser_hangs(
        self, house: Vault, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The middle lane listens too."""
        house.tune(poll_seconds=0.02)
        world.put("page.html", "<p>Only the parser process reads this.")
        run = house.begin()
        monkeypatch.setattr(team, "ParserProcess", HangingParser)
        request_cancel(house, run, "shutdown")
        house.work(run)
        row = house.run(run.row.id)
        assert row.state == "CANCELLED"
        assert "shutdown" in (row.error_message or "")

    def test_no_cursor_moves_for_what_was_cut_off(self, house: Vault, world: World, with_feed: None) -> None:
        """The next run sees all of it again."""
        house.sync()
        world.fill(9)
        run = house.begin()
        world.before_event["main", 9] = lambda: run.stop.set(RunCancelled("Enough."))
        house.work(run)
        assert house.run(run.row.id).state == "CANCELLED"
        world.before_event.clear()
        house.sync()
        assert house.texts() == world.texts()


class TestPulse:
    def test_counters_only_grow_in_the_row(
        self, house: Vault, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also when the pulse beats between a commit and its counting in memory."""
        house.tune(first_batch_items=2, batch_items=2)
        world.put("old", "a store in use takes small transactions")
        house.sync()
        world.fill(60)
        run = house.begin()
        pulse, real = Pulse(run), Run.add
        seen: list[list[int]] = []

        def add(self: Run, delta: Counters) -> None:
            for _ in range(2):
                row = house.run(run.row.id)
                seen.append([getattr(row, name) for name in COUNTER_NAMES])
                pulse.touch()
            real(self, delta)

        monkeypatch.setattr(Run, "add", add)
        house.work(run)
        row = house.run(run.row.id)
        seen.append([getattr(row, name) for name in COUNTER_NAMES])
        assert len(seen) > 10
        for before, after in pairwise(seen):
            assert all(then >= now for now, then in zip(before, after, strict=True)), (before, after)
        assert counts(row)["indexed"] == 60

    def test_counters_are_in_the_row_while_the_run_works(self, house: Vault, world: World) -> None:
        """So that everybody sees it move, and a kill loses nothing."""
        house.tune(first_batch_items=2, batch_items=2)
        world.fill(12)
        run = house.begin()
        seen: list[int] = []

        def look() -> None:
            until(lambda: house.run(run.row.id).indexed >= 6)
            seen.append(house.run(run.row.id).indexed)

        world.before_item["main", 12] = look
        house.work(run)
        assert 6 <= seen[0] < 12

    def test_it_writes_only_what_is_new_or_due(self, house: Vault, world: World) -> None:
        """A run that waits touches its row by the heartbeat, not by the poll."""
        run = house.begin()
        pulse = Pulse(run)
        house.silence(run.row.id, 20)
        before = house.dump()
        pulse.touch()
        assert house.dump() == before
        house.clock.advance(house.sync_settings.heartbeat_seconds)
        pulse.touch()
        assert house.run(run.row.id).lease_at != before["runs"][0]
        assert house.dump() != before

    def test_a_wait_is_shown_with_its_reason_and_since_when(self, house: Vault, world: World) -> None:
        """And taken back when it is over."""
        run = house.begin()
        pulse = Pulse(run)
        run.note_wait("rate limit of the source", 60)
        pulse.touch()
        row = house.run(run.row.id)
        assert (row.wait_reason, row.wait_since) == ("rate limit of the source", house.clock.now())
        run.note_wait("", 0)
        pulse.touch()
        row = house.run(run.row.id)
        assert (row.wait_reason, row.wait_since) == (None, None)

    def test_it_notices_that_another_took_over(self, house: Vault, world: World) -> None:
        """And stops the lanes, which may be waiting for the source."""
        run = house.begin()
        taken = house.take_over(run)
        with pytest.raises(LeaseLost):
            Pulse(run).touch()
        Pulse(taken).touch()

    def test_whoever_shows_the_run_is_called(self, house: Vault, world: World) -> None:
        """With the run, whose counters are its own."""
        run = house.begin()
        shown: list[Run] = []
        run.around.on_progress = shown.append
        Pulse(run).touch()
        assert shown == [run]


def watch_batches(monkeypatch: pytest.MonkeyPatch, look: Callable[[Batch], Any]) -> list[Any]:
    """Look at every batch when collect hands it on, and return what was seen."""
    seen: list[Any] = []
    known: list[Batch] = []
    real = Channel.put

    def put(self: Channel[Any], thing: Any, places: int = 1) -> None:
        if not any(thing is batch for batch in known):
            known.append(thing)
            if any(job.action is Action.INDEX for job in thing.jobs):
                seen.append(look(thing))
        real(self, thing, places)

    monkeypatch.setattr(Channel, "put", put)
    return seen


class HangingParser:
    """Hangs until the run is stopped."""

    def __init__(self, _settings: object, *, stop: threading.Event) -> None:
        self.stop = stop

    def __enter__(self) -> HangingParser:
        return self

    def __exit__(self, *_: object) -> None: ...

    def parse(self, requests: list[Any]) -> Iterator[Any]:
        """Give no answer."""
        assert self.stop.wait(60)
        raise RunCancelled("The parser was stopped.")
