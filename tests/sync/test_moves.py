"""Things that get another key: proven by a hint in one complete listing, they stay the same document."""

from __future__ import annotations

import pytest

from catchment.core.errors import SourceDown
from tests.support.scripted import World
from tests.support.vault import Vault, counts


class TestMoves:
    def test_a_moved_item_keeps_its_document(self, house: Vault, world: World) -> None:
        """One listing without the old key and with the same hint proves it; nothing is fetched."""
        world.put("a/old.txt", "words", move_hint="inode 1")
        world.put("a/other.txt", "others", move_hint="inode 2")
        house.sync()
        before = house.ids()
        world.move("a/old.txt", "b/new.txt")
        run = house.sync()
        assert counts(run) == {"collected": 2, "skipped": 2}
        assert run.details["skipped"] == {"unchanged": 1, "moved": 1}
        assert house.ids()["b/new.txt"] == before["a/old.txt"]
        assert house.shown() == {"a/other.txt", "b/new.txt"}
        assert [hit.title for hit in house.search("new")] == ["new.txt"]
        house.check_index()

    def test_it_may_be_named_before_its_old_place_would_have_been(self, house: Vault, world: World) -> None:
        """The order of the listing does not matter."""
        world.put("z.txt", "words", move_hint="inode 1")
        house.sync()
        before = house.ids()["z.txt"]
        world.move("z.txt", "a.txt")
        house.sync()
        assert house.ids() == {"a.txt": before}

    def test_a_hard_link_is_a_document_of_its_own(self, house: Vault, world: World) -> None:
        """Two names with one hint in one listing are two things."""
        world.put("a.txt", "words", move_hint="inode 1")
        house.sync()
        before = house.ids()["a.txt"]
        for name in ("0.txt", "b.txt"):
            world.put(name, "words", move_hint="inode 1", version=world.scopes["main"]["a.txt"].version)
        run = house.sync()
        assert counts(run)["indexed"] == 2
        assert house.ids()["a.txt"] == before
        assert len(set(house.ids().values())) == 3

    def test_of_two_links_to_a_moved_thing_one_keeps_the_document(self, house: Vault, world: World) -> None:
        """A document has one place."""
        world.put("a.txt", "words", move_hint="inode 1")
        house.sync()
        before = house.ids()["a.txt"]
        version = world.remove("a.txt").version
        for name in ("b.txt", "c.txt"):
            world.put(name, "words", move_hint="inode 1", version=version)
        house.sync()
        assert house.texts() == world.texts()
        assert before in house.ids().values()
        house.check_index()

    def test_a_link_in_another_scope_is_no_move(self, house: Vault, world: World) -> None:
        """What the other scope holds is not seen by this listing, so its absence proves nothing."""
        world.scopes = {"first": {}, "second": {}}
        world.put("second.txt", "words", move_hint="inode 1", scope="second")
        house.sync()
        before = house.ids()
        world.put("first.txt", "words", move_hint="inode 1", scope="first")
        house.sync()
        assert house.ids()["second.txt"] == before["second.txt"]
        assert house.texts() == world.texts()

    @pytest.mark.parametrize("mode", ["auto", "full"])
    @pytest.mark.usefixtures("lagging")
    def test_its_old_place_may_be_taken_in_another_scope(self, house: Vault, world: World, mode: str) -> None:
        """By something else, which the next listing names before the ledger would know of the move."""
        world.scopes = {"first": {}, "second": {}}
        world.put("a.txt", "one", move_hint="inode 1", scope="first")
        world.put("b.txt", "two", move_hint="inode 2", scope="second")
        house.sync()
        before = house.ids()
        for scope, old, new in (("first", "a.txt", "c.txt"), ("second", "b.txt", "a.txt")):
            world.move(old, new, scope=scope)
        house.sync(mode=mode)
        assert house.texts() == {"c.txt": "one", "a.txt": "two"}
        assert house.ids() == {"c.txt": before["a.txt"], "a.txt": before["b.txt"]}

    @pytest.mark.parametrize("mode", ["auto", "full", "incremental"])
    @pytest.mark.usefixtures("lagging")
    def test_its_old_place_may_have_been_taken_in_another_scope(
        self, house: Vault, world: World, mode: str
    ) -> None:
        """By something else, which was named before: a document is of one of them only."""
        world.scopes = {"first": {}, "second": {}}
        world.put("b.txt", "two", move_hint="inode 2", scope="second")
        house.sync()
        world.move("b.txt", "c.txt", scope="second")
        world.put("b.txt", "three", move_hint="inode 3", scope="first")
        house.sync(mode=mode)
        assert house.texts() == {"b.txt": "three", "c.txt": "two"}
        house.check_index()

    def test_a_listing_that_breaks_off_proves_no_move(self, house: Vault, world: World) -> None:
        """The old name may still come; so the new one is a document of its own until then."""
        world.put("z.txt", "words", move_hint="inode 1")
        world.fill(5)
        house.sync()
        world.put("a.txt", "words", move_hint="inode 1")
        world.list_errors["main"] = (4, SourceDown("500"))
        house.sync()
        assert {"a.txt", "z.txt"} <= house.shown()
        world.list_errors.clear()
        house.sync()
        assert house.texts() == world.texts()

    def test_a_rename_over_a_place_that_was_deleted_is_indexed(self, house: Vault, world: World) -> None:
        """The ledger remembers the place; two items never share a key."""
        world.put("a.txt", "first", move_hint="inode 1")
        world.put("b.txt", "second", move_hint="inode 2")
        house.sync()
        world.remove("b.txt")
        house.sync()
        world.move("a.txt", "b.txt")
        house.sync()
        assert house.texts() == {"b.txt": "first"}

    def test_full_moves_too(self, house: Vault, world: World) -> None:
        """Read again, in place, under the new name."""
        world.put("a.txt", "words", move_hint="inode 1")
        house.sync()
        before = house.ids()["a.txt"]
        world.move("a.txt", "b.txt")
        run = house.sync(mode="full")
        assert counts(run) == {"collected": 1, "fetched": 1, "parsed": 1, "indexed": 1}
        assert house.ids() == {"b.txt": before}
