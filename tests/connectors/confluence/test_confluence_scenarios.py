"""What connector platforms are known to fail at, through the product's lanes: moves, failures, doubles."""

from __future__ import annotations

import pytest

from catchment.core.items import Item
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.store.engine import writing
from connectors.confluence import Confluence
from tests.support.confluence import Bench, expected
from tests.support.vault import Crash, Vault
from tests.support.waiting import until


@pytest.fixture
def pages(bench: Bench) -> list[int]:
    """Pages with a comment and a file each."""
    made = []
    for number in range(6):
        made.append(bench.world.add_page("ENG", f"Page {number}", f"<p>Level {number}.</p>"))
        bench.world.add_comment(made[-1], "<p>Noted.</p>")
        bench.world.attach(made[-1], "reading.txt", f"reading {number}".encode())
    return made


class TestMoves:
    def test_between_spaces_keep_their_documents(self, house: Vault, bench: Bench, pages: list[int]) -> None:
        """No version is made: the path is new, the document is the same, with all that belongs to it."""
        bench.world.add_space("OPS")
        house.sync()
        before = house.ids()
        bench.world.move(pages[0], space="OPS")
        run = house.sync()
        assert (run.state, run.indexed, run.deleted) == ("SUCCEEDED", 0, 0)
        assert house.fact(str(pages[0]), "path") == "OPS/Page 0"
        assert house.ids() == before
        paths = {house.fact(key, "path") for key in before}
        assert {"OPS/Page 0/reading.txt"} < {path for path in paths if path.startswith("OPS/Page 0/")}

    def test_between_spaces_that_are_scopes_keep_them_too(
        self, house: Vault, bench: Bench, pages: list[int]
    ) -> None:
        """Whichever of the two is listed first."""
        bench.world.add_space("OPS")
        house.configure(**house.connector().config, space_keys=["ENG", "OPS"])
        house.sync()
        before = house.ids()
        for space in ("OPS", "ENG"):
            bench.world.move(pages[0], space=space)
            assert house.sync().state == "SUCCEEDED"
            assert house.fact(str(pages[0]), "path") == f"{space}/Page 0"
            assert house.shown() == expected(bench.site)
        assert house.ids() == before

    def test_out_of_the_spaces_that_are_read_take_documents_away(
        self, house: Vault, bench: Bench, pages: list[int]
    ) -> None:
        """And back again, with comments and files."""
        bench.world.add_space("OPS")
        house.configure(**house.connector().config, space_keys=["ENG"])
        house.sync()
        whole = house.shown()
        bench.world.move(pages[0], space="OPS")
        run = house.sync()
        assert (run.state, run.deleted) == ("SUCCEEDED", 3)
        assert house.shown() == expected(bench.site, "ENG")
        bench.world.move(pages[0], space="ENG")
        assert house.sync().indexed == 3
        assert house.shown() == whole


def test_a_restriction_above_hides_what_lies_below(bench: Bench, pages: list[int]) -> None:
    """Acceptance 13 and 21: the page, its comments and its files, without a new version of any."""
    world = bench.world
    world.add_user("712020:berta")
    world.move(pages[1], parent=pages[0])
    keys = [str(pages[1]), *(one.shown_id for one in world.contents.values() if one.container_id == pages[1])]
    assert len(keys) == 3
    items = [Item(key, key) for key in keys]
    assert all(lists.entries for lists in bench.source().permissions(items).values())
    world.restrict(pages[0], users=["712020:admin"])
    found = bench.source().permissions(items)
    assert {entry.subject for lists in found.values() for entry in lists.entries} == {"712020:admin"}
    assert not any(lists.public for lists in found.values())


def test_a_page_that_always_fails_is_put_aside(house: Vault, bench: Bench, pages: list[int]) -> None:
    """Acceptance 6: five tries; a new version is tried again."""
    house.sync()
    bad = str(pages[0])
    bench.world.edit(pages[0], "<p>Never read.</p>")
    bench.site.faults.add(Fault(faults.answer(500), path=rf".*/pages/{bad}"))
    for _ in range(7):
        house.sync()
        house.clock.advance(10_000)
    assert (house.fact(bad, "state"), house.fact(bad, "attempts")) == ("quarantined", 5)
    assert "Level 0" in house.texts()[bad], "what is known of it stays"
    bench.site.faults.clear()
    bench.world.edit(pages[0], "<p>Good now.</p>")
    house.sync()
    assert "Good now" in house.texts()[bad]


def test_a_listing_that_names_a_page_twice_makes_one_document(
    house: Vault, bench: Bench, pages: list[int]
) -> None:
    """Acceptance 17: a list that moves under the reader tells it again."""

    def double(_: object, reply: object) -> None:
        reply.body["results"] += reply.body["results"][:2]  # type: ignore[attr-defined]

    bench.site.faults.add(Fault(faults.changed(double), path=r".*/api/v2/pages"))
    run = house.sync()
    assert run.state == "SUCCEEDED"
    assert house.shown() == expected(bench.site)
    assert run.indexed == len(house.shown())


def test_two_connectors_of_one_site_keep_their_own(house: Vault, bench: Bench, pages: list[int]) -> None:
    """Acceptance 17."""
    house.sync()
    house.add("confluence", house.connector().config, name="twin")
    assert house.sync("twin").indexed == len(expected(bench.site))
    bench.world.purge(pages[0])
    assert house.sync("twin").deleted == 3
    assert str(pages[0]) in house.ids()


def test_a_site_that_looks_empty_is_held(house: Vault, bench: Bench, pages: list[int]) -> None:
    """Acceptance 9: the account lost the space; a person decides."""
    house.sync()
    before = house.shown()
    bench.world.grant_space("ENG", ("user", "712020:somebody"))
    run = house.sync()
    assert house.shown() == before
    assert run.details["held"]
    assert house.sync(allow_mass_delete=True).state == "SUCCEEDED"
    assert house.shown() == set()


def test_an_older_store_beside_a_newer_cursor(house: Vault, bench: Bench, pages: list[int]) -> None:
    """Acceptance 28: all is listed, and nothing is missing."""
    house.sync()
    bench.world.edit(pages[0], "<p>Edited.</p>")
    house.sync()
    with writing(house.engine) as connection:
        connection.exec_driver_sql("UPDATE connectors SET cursor_revision = 0")
    run = house.sync()
    assert (run.state, run.reason) == ("SUCCEEDED", "cursor_ahead")
    assert house.shown() == expected(bench.site)
    assert "Edited" in house.texts()[str(pages[0])]


def test_a_run_that_dies_reads_no_text_twice(
    house: Vault, bench: Bench, pages: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acceptance 8: what the ledger has is not fetched again, and deletions go by the whole."""
    house.tune(first_batch_items=3, page_items=3)
    real, seen = Confluence.fetch, []

    def dying(source: Confluence, item: Item) -> object:
        seen.append(item)
        if len(seen) > 3:
            until(lambda: bool(house.shown()))
            raise Crash
        return real(source, item)

    with monkeypatch.context() as patched:
        patched.setattr(Confluence, "fetch", dying)
        assert house.crash()
    there = house.shown()
    assert set() < there < expected(bench.site)
    bench.world.purge(pages[5])
    run = house.sync()
    assert run.state == "SUCCEEDED"
    assert house.shown() == expected(bench.site)
    assert run.fetched == len(expected(bench.site) - there)
