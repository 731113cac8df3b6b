"""Carrying out what the guard held, where a listing is too dear to be made again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.scripted import World
from tests.support.vault import Vault


@pytest.fixture
def dear(register: Callable[..., object]) -> None:
    """Listing this source costs requests, so it can be resumed."""
    register(resumable=True)


def lose_most(house: Vault, world: World) -> list[str]:
    """Index thirty things, and take the first 25 of them away; return the keys of all."""
    keys = world.fill(30)
    house.sync()
    for key in keys[:25]:
        world.remove(key)
    return keys


@pytest.mark.usefixtures("dear")
class TestAllow:
    def test_it_needs_no_new_listing(self, house: Vault, world: World) -> None:
        """Each held item is looked up once more, and the held list is empty afterwards."""
        keys = lose_most(house, world)
        assert house.sync().error_code == "deletion_guard"
        asked = world.requests["list"]
        run = house.sync(allow_mass_delete=True)
        assert (run.state, run.strategy, run.reason, run.deleted) == ("SUCCEEDED", "targeted", "held", 25)
        assert world.requests["list"] == asked
        assert house.shown() == set(keys[25:])
        assert house.sync().deleted == 0
        assert world.requests["list"] > asked

    def test_what_is_new_or_changed_is_found_while_they_are_held(self, house: Vault, world: World) -> None:
        """A listing that was complete is not gone on with: the next one begins at the beginning."""
        keys = lose_most(house, world)
        house.sync()
        world.put("a new one", "words")
        world.put(keys[26], "other words")
        run = house.sync()
        assert (run.error_code, run.collected, run.indexed) == ("deletion_guard", 6, 2)
        assert world.texts().items() <= house.texts().items()

    def test_what_comes_while_they_are_carried_out_is_found_by_the_next_run(
        self, house: Vault, world: World
    ) -> None:
        """Which lists again."""
        lose_most(house, world)
        house.sync()
        world.put("a new one", "words")
        assert house.sync(allow_mass_delete=True).deleted == 25
        assert house.sync().indexed == 1
        assert house.texts() == world.texts()

    def test_what_has_come_back_stays(self, house: Vault, world: World) -> None:
        """A person allows what is gone, not what has returned meanwhile."""
        keys = world.fill(30)
        house.sync()
        taken = {key: world.remove(key) for key in keys[:25]}
        house.sync()
        world.scopes["main"]["doc000"] = taken["doc000"]
        run = house.sync(allow_mass_delete=True)
        assert run.deleted == 24
        assert "doc000" in house.shown()
