"""What a person deleted stays away, whatever becomes of its item at the source."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from catchment.core.clock import SetClock
from catchment.core.errors import SourceDown
from catchment.store.engine import writing
from catchment.store.index import index_for
from catchment.store.tables import items
from tests.support.scripted import World
from tests.support.vault import Vault, counts, done


def two_scopes(house: Vault, world: World) -> None:
    """Fill two scopes, which are listed in this order, with two things each, and index them."""
    world.scopes = {"a": {}, "b": {}}
    world.fill(2, scope="a", head="a")
    world.fill(2, scope="b", head="b")
    house.sync()


def hide(house: Vault, key: str) -> None:
    """Delete a document the way a person does: the item stays, hidden."""
    with writing(house.engine) as connection:
        index = index_for(house.engine.dialect.name)
        index.remove(connection, [house.fact(key, "pk")], now=house.clock.now())
        connection.execute(update(items).where(items.c.key == key).values(state="hidden"))


def test_it_stays_away_until_the_source_changes_it_or_full_asks(house: Vault, world: World) -> None:
    """Other words at the source, or a run that does everything again, bring it back."""
    world.fill(2)
    house.sync()
    hide(house, "doc000")
    run = house.sync()
    assert counts(run) == {"collected": 2, "skipped": 2}
    assert run.details["skipped"] == {"unchanged": 1, "deleted_by_a_person": 1}
    assert house.shown() == {"doc001"}
    world.put("doc000", "changed meanwhile")
    assert counts(house.sync()) == done(1, collected=2, skipped=1)
    assert house.shown() == {"doc000", "doc001"}
    hide(house, "doc000")
    house.sync(mode="full")
    assert house.shown() == {"doc000", "doc001"}


def test_it_stays_away_when_its_item_moves_to_a_scope_that_is_listed_before(
    house: Vault, world: World
) -> None:
    """The scope it came from names it no longer, which says nothing of what is known to lie elsewhere."""
    two_scopes(house, world)
    hide(house, "b000")
    world.transfer("b000", "b", "a")
    for _ in range(2):
        run = house.sync()
        assert run.details["skipped"] == {"unchanged": 3, "deleted_by_a_person": 1}
        item = house.item("b000")
        assert item is not None
        assert item["state"] == "hidden"
    assert house.shown() == {"a000", "a001", "b001"}
    house.check_index()


@pytest.mark.usefixtures("lagging")
@pytest.mark.parametrize("marks", [True, False])
def test_it_stays_away_when_its_item_moves_to_a_scope_that_is_listed_later(
    house: Vault, world: World, clock: SetClock, *, marks: bool
) -> None:
    """The scope it came from loses it first; with other words it comes back, as in one scope."""
    world.marks = marks
    two_scopes(house, world)
    hide(house, "a000")
    world.transfer("a000", "a", "b")
    for _ in range(2):
        clock.advance(1000)
        run = house.sync()
        assert run.details["skipped"]["deleted_by_a_person"] == 1
        assert house.fact("a000", "state") == "hidden"
    assert house.shown() == {"a001", "b000", "b001"}
    house.check_index()
    world.put("a000", "new words", scope="b")
    clock.advance(1000)
    house.sync()
    assert house.texts() == world.texts()


def test_it_stays_away_though_the_other_scope_cannot_be_listed_before_the_next_run(
    house: Vault, world: World
) -> None:
    """What a person did is in the ledger, not in the run."""
    two_scopes(house, world)
    hide(house, "a000")
    world.transfer("a000", "a", "b")
    world.list_errors["b"] = (1, SourceDown("down"))
    house.sync()
    assert house.fact("a000", "state") == "deleted"
    assert house.fact("a000", "reason") == "deleted_by_a_person: absent from a complete listing"
    world.list_errors.clear()
    run = house.sync()
    assert run.details["skipped"] == {"unchanged": 3, "deleted_by_a_person": 1}
    assert house.fact("a000", "state") == "hidden"


def test_a_thing_that_comes_back_to_its_scope_is_another(house: Vault, world: World) -> None:
    """What a person deleted is forgotten with the item."""
    world.fill(2)
    house.sync()
    hide(house, "doc000")
    taken = world.remove("doc000")
    house.sync()
    assert house.fact("doc000", "state") == "deleted"
    world.scopes["main"]["doc000"] = taken
    house.sync()
    assert house.shown() == {"doc000", "doc001"}


def test_it_stays_away_when_its_item_is_renamed(house: Vault, world: World) -> None:
    """The hint proves that it is the same, as for what is in the index."""
    world.put("old.txt", "words", move_hint="inode 1")
    world.put("other.txt", "others", move_hint="inode 2")
    house.sync()
    hide(house, "old.txt")
    pk = house.fact("old.txt", "pk")
    world.move("old.txt", "new.txt")
    for _ in range(2):
        run = house.sync()
        assert run.details["skipped"] == {"unchanged": 1, "deleted_by_a_person": 1}
        assert (house.fact("new.txt", "pk"), house.fact("new.txt", "state")) == (pk, "hidden")
    assert house.shown() == {"other.txt"}
    house.check_index()


def test_it_stays_away_where_there_are_no_marks(house: Vault, world: World, clock: SetClock) -> None:
    """Equal bytes are an unchanged item."""
    world.marks = False
    world.put("a", "words")
    house.sync()
    hide(house, "a")
    clock.advance(1000)
    run = house.sync()
    assert counts(run) == {"collected": 1, "fetched": 1, "skipped": 1}
    assert run.details["skipped"] == {"deleted_by_a_person": 1}
    assert house.shown() == set()
    world.put("a", "other words")
    house.sync()
    assert house.texts() == {"a": "other words"}
