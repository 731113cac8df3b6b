"""Listings that cost requests go on where they were, and delete only against the whole."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from catchment.core.errors import SourceDown
from catchment.kit.connector import ChangeFeed
from catchment.store.engine import reading
from catchment.store.tables import checkpoints
from tests.support.scripted import World
from tests.support.vault import Crash, Vault, counts
from tests.support.waiting import still, until
from tests.sync.conftest import Register


@pytest.fixture(autouse=True)
def resumable(register: Register) -> None:
    """A listing with positions in the middle, and a complete feed."""
    register(resumable=True, feed=ChangeFeed.COMPLETE)


def positions(house: Vault) -> int:
    """Return how many checkpoints the store keeps."""
    with reading(house.engine) as connection:
        return int(connection.execute(select(func.count()).select_from(checkpoints)).scalar_one())


def position(house: Vault) -> str | None:
    """Return the position of the only checkpoint."""
    with reading(house.engine) as connection:
        return connection.execute(select(checkpoints.c.position)).scalar_one_or_none()


def die_behind(house: Vault, world: World, page: int) -> None:
    """Let the next listing die in the page after `page`, when the checkpoint before is settled."""

    def die() -> None:
        world.before_item.clear()
        until(lambda: f'"number": {page * world.page},' in (position(house) or ""))
        raise Crash

    world.before_item["main", page * world.page + 2] = die


class TestAfterACrash:
    @pytest.mark.parametrize("page", [1, 2, 3])
    @pytest.mark.parametrize("mode", ["auto", "full"])
    def test_the_rest_is_listed_and_the_whole_is_compared(
        self, house: Vault, world: World, page: int, mode: str
    ) -> None:
        """Equal to an undisturbed run, in fewer requests; what is absent from the whole goes (8)."""
        world.fill(12)
        house.sync()
        for key in ("doc000", "doc005", "doc011"):
            world.remove(key)
        world.put("doc001", "changed")
        world.put("doc009", "changed too")
        world.put("zzz", "brand new")
        house.clock.advance(10**6)
        die_behind(house, world, page)
        assert house.crash(mode=mode)
        assert {"doc000", "doc005", "doc011"} <= house.shown()
        world.requests.clear()
        run = house.sync(mode=mode)
        assert run.state == "SUCCEEDED"
        assert world.requests["list"] == 4 - page
        assert "went on" in run.details["notes"][0]
        assert house.texts() == world.texts()
        assert run.deleted == 3
        assert positions(house) == 0
        world.requests.clear()
        house.sync(mode="full")
        assert world.requests["list"] == 4

    def test_a_listing_that_dies_again_and_again_gets_there(self, house: Vault, world: World) -> None:
        """Each run goes on behind the one before."""
        world.fill(15)
        for page in (1, 2, 3, 4):
            die_behind(house, world, page)
            world.before_item = {("main", number): hook for (_, number), hook in world.before_item.items()}
            assert house.crash()
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert house.texts() == world.texts()
        assert counts(run)["collected"] <= 4

    def test_what_changed_behind_the_position_is_found_by_the_next_run(
        self, house: Vault, world: World
    ) -> None:
        """The mark is the one from before the listing began, not from where it went on (4, 8)."""
        world.fill(9)
        die_behind(house, world, 2)
        assert house.crash()
        world.put("doc000", "changed meanwhile")
        world.put("aaa", "added meanwhile")
        world.remove("doc001")
        house.sync()
        run = house.sync()
        assert run.strategy == "delta"
        assert house.texts() == world.texts()

    def test_a_source_error_in_the_middle_is_resumed_too(self, house: Vault, world: World) -> None:
        """Page 3 answers an error; once it answers again, pages 1 and 2 are not asked for."""
        world.fill(9)
        world.list_errors["main"] = (8, SourceDown("500"))
        assert house.sync().error_code == "scope_incomplete"
        assert positions(house) == 1
        world.list_errors.clear()
        world.requests.clear()
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert world.requests["list"] == 2
        assert house.texts() == world.texts()


class TestNotResumed:
    def test_another_configuration_begins_anew(self, house: Vault, world: World) -> None:
        """The position belongs to the scope as it was."""
        world.fill(9)
        die_behind(house, world, 2)
        assert house.crash()
        house.configure(exclude=["doc008"])
        world.requests.clear()
        house.sync()
        assert world.requests["list"] == 4
        assert house.shown() == {f"doc00{number}" for number in range(8)}

    def test_another_mode_begins_anew(self, house: Vault, world: World) -> None:
        """Full must not trust what auto had skipped."""
        world.fill(9)
        house.sync()
        house.clock.advance(10**6)
        die_behind(house, world, 2)
        assert house.crash()
        run = house.sync(mode="full")
        assert counts(run)["indexed"] == 9

    def test_a_position_that_the_source_refuses_is_given_up(self, house: Vault, world: World) -> None:
        """It begins anew in the same run, and would not fail for ever."""
        world.fill(9)
        house.sync()
        world.remove("doc001")
        house.clock.advance(10**6)
        die_behind(house, world, 2)
        assert house.crash()
        world.remove("doc002")
        world.resume_refused = True
        run = house.sync()
        assert run.state == "SUCCEEDED", run.error_message
        assert house.texts() == world.texts()
        assert positions(house) == 0

    def test_a_source_without_positions_lists_again_and_skips(
        self, house: Vault, world: World, register: Register
    ) -> None:
        """Where listing is cheap the ledger is the checkpoint."""
        register(resumable=False)
        house.tune(first_batch_items=2, batch_items=2)
        world.fill(9)

        def die() -> None:
            world.before_item.clear()
            until(lambda: len(house.shown()) >= 2)
            raise Crash

        world.before_item["main", 9] = die
        assert house.crash()
        assert positions(house) == 0
        run = house.sync()
        assert counts(run)["skipped"] >= 2
        assert house.texts() == world.texts()

    def test_a_narrowed_scope_that_returns_does_not_go_on_in_the_middle(
        self, house: Vault, world: World
    ) -> None:
        """Its position speaks of documents that were removed since."""
        world.fill(9)
        world.fill(3, scope="side", head="side")
        die_behind(house, world, 2)
        assert house.crash()
        house.configure(scopes=["side"])
        house.sync()
        assert house.shown() == {"side000", "side001", "side002"}
        house.configure()
        house.sync()
        assert house.texts() == world.texts()


class TestMoves:
    def test_a_move_that_waits_for_its_proof_is_not_lost(self, house: Vault, world: World) -> None:
        """No position may lie behind an item that is not settled yet."""
        world.put("mmm", "words", move_hint="inode 1")
        world.fill(9)
        house.sync()
        world.move("mmm", "aaa")
        house.clock.advance(10**6)
        world.list_errors["main"] = (9, SourceDown("500"))
        house.sync()
        world.list_errors.clear()
        house.sync()
        assert house.texts() == world.texts()

    def test_a_crash_with_a_move_in_the_air_loses_nothing(self, house: Vault, world: World) -> None:
        """The listing begins before it again."""
        world.put("mmm", "words", move_hint="inode 1")
        world.fill(9)
        house.sync()
        world.move("mmm", "aaa")
        house.clock.advance(10**6)

        def die() -> None:
            world.before_item.clear()
            still(lambda: position(house))
            raise Crash

        world.before_item["main", 9] = die
        assert house.crash()
        house.sync()
        assert house.texts() == world.texts()
