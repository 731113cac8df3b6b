"""Where connector platforms are known to fail, tried on the real sources through the product's own lanes.

One test for all sources: a bucket at a server of S3, and tables of a PostgreSQL, compared by their hashes or
followed by the log. What only one of them has stands in its own folder under `tests/connectors`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from catchment.core.clock import SetClock
from catchment.services.context import Context
from catchment.services.removal import take_out
from catchment.sync import pace, team
from tests.support.dying import back_up, dying_commit, dying_save, restore
from tests.support.parser import QuickParser
from tests.support.postgres import postgres_site
from tests.support.side_postgresql import TableSide, postgres_ground
from tests.support.side_s3 import BucketSide, s3_ground
from tests.support.sides import Manner, Side
from tests.support.vault import Vault

__all__ = ["postgres_ground", "postgres_site", "s3_ground"]

LISTED = ("s3", "postgresql")
EVERY = (*LISTED, "postgresql by log")
WITH_CURSOR = ("s3", "postgresql by log")


@dataclass
class Stage:
    """A source, and a house with the connector `docs` to it."""

    side: Side
    house: Vault

    def fill(self, count: int, scope: str = "a") -> list[str]:
        """Make things with a word of their own each; return their slots."""
        slots = [f"{scope}{number:02}" for number in range(count)]
        for slot in slots:
            self.side.put(slot, scope, f"word of {slot}")
        return slots

    def keys(self, slots: list[str]) -> set[str]:
        """Return the keys of things that are there."""
        return {self.side.name(slot) for slot in slots}

    def configure(self, **wanted: object) -> None:
        """Change the connector's settings."""
        self.house.configure(**self.side.settings(wanted))

    def check(self) -> None:
        """The index equals the source, each thing once."""
        assert self.house.texts() == {seen.key: seen.text for seen in self.side.things()}
        self.house.check_index()


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The source that the test names, with two things in a page, in a batch, and in a transaction."""
    monkeypatch.setattr(team, "ParserProcess", QuickParser)
    # Else what waits goes together, and how much that is, is chance.
    monkeypatch.setattr(pace, "GROUP_BATCHES", 1)
    shapes = {"s3": BucketSide.shapes[0], "postgresql": TableSide.shapes[0]}
    shape = shapes.get(request.param, TableSide.shapes[2])
    manner = Manner(shape, page=2, marks=True, fetches=1, together=1)
    side: Side
    if request.param == "s3":
        side = BucketSide(manner, request.getfixturevalue("s3_ground"))
    else:
        side = TableSide(manner, request.getfixturevalue("postgres_ground"))
    home = tmp_path / "home"
    home.mkdir()
    house = Vault(home, clock=SetClock(), cursor_seconds=0, first_batch_items=2, batch_items=2, page_items=2)
    assert side.credentials is not None
    house.credentials = dict(side.credentials)
    house.add(side.slug, side.settings({}))
    yield Stage(side, house)
    house.engine.dispose()
    side.close()


@pytest.mark.parametrize("stage", LISTED, indirect=True)
class TestListing:
    def test_a_page_that_fails_for_good_removes_nothing_in_its_scope(self, stage: Stage) -> None:
        """Acceptance 1 for s3 and postgresql: no plain success, and the other scope goes on."""
        side, house = stage.side, stage.house
        left, right = stage.fill(8), stage.fill(3, "b")
        house.sync()
        gone, other = side.name(left[-1]), side.name(right[0])
        side.remove(left[-1])
        side.remove(right[0])
        side.put(left[0], "a", "word that is new")
        side.trouble("a", 3, side.page_fails)
        run = house.sync()
        assert (run.state, run.error_code, run.deleted) == ("FAILED", "scope_incomplete", 1)
        assert gone in house.shown()
        assert other not in house.shown()
        assert house.texts()[side.name(left[0])] == "word that is new", "what was listed is synced"
        side.mend()
        assert house.sync().state == "SUCCEEDED"
        stage.check()

    def test_that_died_is_made_again_and_deletes_what_the_whole_of_it_does_not_name(
        self, stage: Stage
    ) -> None:
        """Acceptance 8 for s3 and postgresql: the ledger tells what needs not be read again.

        Neither the run that died nor one that breaks off deletes anything; then what is absent goes, be
        it before or behind the place where the listing ended.
        """
        side, house = stage.side, stage.house
        slots = stage.fill(12)
        with dying_commit(house, 6):
            assert house.crash()
        known = house.shown()
        assert 0 < len(known) < len(slots)
        first = min(slots, key=side.name)
        behind = max(slots, key=side.name)
        absent = {side.name(first), side.name(behind)}
        assert known & absent == {side.name(first)}
        side.remove(first)
        side.trouble("a", 3, side.page_fails)
        run = house.sync()
        assert (run.error_code, run.deleted) == ("scope_incomplete", 0)
        assert known <= house.shown()
        known = house.shown()
        side.mend()
        side.remove(behind)
        run = house.sync()
        assert (run.state, run.deleted) == ("SUCCEEDED", len(known & absent))
        assert run.fetched == len(house.shown() - known), "what was indexed before was read again"
        stage.check()

    def test_that_lost_most_of_what_was_known_is_held_until_a_person_allows_it(self, stage: Stage) -> None:
        """Acceptance 9 for s3 and postgresql: nothing at all, or more than half; with counts and a sample."""
        side, house = stage.side, stage.house
        slots = stage.fill(40)
        keys = stage.keys(slots)
        house.sync()
        for gone in (slots[:25], slots[25:]):
            names = stage.keys(gone)
            for slot in gone:
                side.remove(slot)
            before = house.shown()
            run = house.sync()
            assert (run.state, run.error_code, run.deleted) == ("FAILED", "deletion_guard", 0)
            (held,) = run.details["held"].values()
            assert (held["count"], held["documents"]) == (len(names), len(before))
            assert set(held["sample"]) <= names
            assert house.shown() == before
            run = house.sync(allow_mass_delete=True)
            assert (run.state, run.deleted) == ("SUCCEEDED", len(names))
        assert keys.isdisjoint(house.shown())


@pytest.mark.parametrize("stage", EVERY, indirect=True)
def test_what_comes_while_a_listing_runs_stays_and_is_found_by_the_next_run(stage: Stage) -> None:
    """Acceptance 2 and 4 for s3 and postgresql: it came before the place where the listing was."""
    side, house = stage.side, stage.house
    stage.fill(8)
    house.sync()
    side.hook(3, lambda: side.put("0 early", "a", "word that came meanwhile"))
    run = house.sync(mode="full")
    side.unhook()
    assert side.find("0 early") is not None
    assert (run.state, run.strategy, run.deleted) == ("SUCCEEDED", "listing", 0)
    assert house.sync().state == "SUCCEEDED"
    stage.check()


@pytest.mark.parametrize("stage", EVERY, indirect=True)
class TestFailure:
    def test_of_one_thing_for_good_holds_up_nothing_else(self, stage: Stage) -> None:
        """Acceptance 5 and 6 for s3 and postgresql: five attempts, then quarantine, and on demand.

        It is recorded with stage and reason, and is not removed; what changes beside it goes on.
        """
        side, house = stage.side, stage.house
        bad, *others = stage.fill(4)
        house.sync()
        key = side.name(bad)
        side.put(bad, "a", "word of the new state")
        side.fail(bad, side.unreadable)
        for attempt in range(1, 8):
            side.put(others[0], "a", f"word of attempt {attempt}")
            run = house.sync()
            assert run.state == "SUCCEEDED"
            assert house.texts()[side.name(others[0])] == f"word of attempt {attempt}"
            assert house.texts()[key] == "word of a00", "the old text stays"
            assert house.fact(key, "attempts") == min(attempt, 5)
            if attempt <= 5:
                (told,) = run.details["errors"]
                assert (told["key"], told["stage"]) == (key, "fetch")
                assert told["reason"]
            house.clock.advance(10_000)
        assert house.fact(key, "state") == "quarantined"
        assert house.fact(key, "error")
        side.mend()
        run = house.sync(file_filter=[key])
        assert (run.indexed, house.fact(key, "state")) == (1, "indexed")
        stage.check()


@pytest.mark.parametrize("stage", EVERY, indirect=True)
class TestCrash:
    def test_at_any_commit_loses_nothing_and_doubles_nothing(self, stage: Stage) -> None:
        """Acceptance 7 for s3 and postgresql: before the first commit, the second, and so on to the last."""
        side, house = stage.side, stage.house
        slots = stage.fill(6)
        house.sync()
        side.put(slots[0], "a", "word that changed")
        side.put("late", "b", "word that is new")
        side.remove(slots[1])
        died = 0
        while True:
            with dying_commit(house, died + 1):
                if not house.crash():
                    break
            died += 1
            house.check_index()
        assert died > 4
        stage.check()


@pytest.mark.parametrize("stage", WITH_CURSOR, indirect=True)
def test_a_crash_before_the_cursor_is_saved_doubles_nothing(stage: Stage) -> None:
    """Acceptance 7 for s3 and postgresql: what is indexed stands already, and keeps its place."""
    side, house = stage.side, stage.house
    slots = stage.fill(6)
    house.sync()
    side.put(slots[0], "a", "word that changed")
    side.put("late", "b", "word that is new")
    house.clock.advance(60)
    with dying_save(house, 1):
        assert house.crash()
    ids = house.ids()
    assert house.sync().state == "SUCCEEDED"
    assert ids.items() <= house.ids().items()
    stage.check()


@pytest.mark.parametrize("stage", WITH_CURSOR, indirect=True)
def test_a_store_that_was_put_back_to_an_earlier_state_misses_nothing(stage: Stage, tmp_path: Path) -> None:
    """Acceptance 28 for s3 and postgresql: the cursor is ahead of the store, so everything is listed."""
    side, house = stage.side, stage.house
    slots = stage.fill(6)
    house.sync()
    copy = back_up(house, tmp_path)
    side.put(slots[0], "a", "word that changed")
    side.put("late", "b", "word that is new")
    side.remove(slots[1])
    house.clock.advance(60)
    house.sync()
    restore(house, copy)
    assert len(house.shown()) == 6
    run = house.sync()
    assert (run.state, run.strategy, run.reason) == ("SUCCEEDED", "listing", "cursor_ahead")
    assert (run.indexed, run.deleted) == (2, 1)
    stage.check()


@pytest.mark.parametrize("stage", EVERY, indirect=True)
def test_two_connectors_to_one_source_own_a_document_each(stage: Stage) -> None:
    """Acceptance 17 for s3 and postgresql: one of them goes, and the other's documents stay."""
    house = stage.house
    stage.fill(3)
    first = house.connector()
    second = house.add(stage.side.slug, stage.side.settings({}), name="twin")
    assert (house.sync().indexed, house.sync("twin").indexed) == (3, 3)
    assert len(house.search("word", limit=20)) == 6
    away = Context(house.engine, connect=lambda: pytest.fail("Prefect is not needed here"))
    assert take_out(away, first.pk) == 3
    assert {hit.connector_pk for hit in house.search("word", limit=20)} == {second.pk}
    assert house.sync("twin").indexed == 0
    stage.check()


@pytest.mark.parametrize("stage", EVERY, indirect=True)
def test_the_index_follows_a_narrower_scope_and_a_wider_one(stage: Stage) -> None:
    """Acceptance 30 for s3 and postgresql: most documents go, the guard stays calm, and all come back."""
    house = stage.house
    left, right = stage.fill(30), stage.fill(3, "b")
    house.sync()
    stage.configure(scopes=["b"])
    run = house.sync()
    assert (run.state, run.deleted) == ("SUCCEEDED", len(left))
    assert house.shown() == stage.keys(right)
    stage.configure()
    run = house.sync()
    assert (run.state, run.indexed) == ("SUCCEEDED", len(left))
    stage.check()
