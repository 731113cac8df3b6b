"""What connector platforms are known to fail at, for pages with files: through the product's lanes."""

from __future__ import annotations

import pytest

from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.notion import NotionSimulator, block, paragraph
from catchment.store.engine import writing
from connectors.notion import attached
from connectors.notion.file_reading import FileReader
from tests.connectors.notion.conftest import MakeSource, changed, file_block, listed, mark_of, paths, settle
from tests.support.vault import Crash, Vault
from tests.support.waiting import still, until

FILES = 12


@pytest.fixture
def shelf(world: NotionSimulator) -> dict[str, str]:
    """Pages with a file each, by the file's key; settled."""
    made = {}
    for number in range(FILES):
        page = world.page(f"Page {number}", blocks=[paragraph(f"about {number}")])
        (file,) = world.append(page, file_block(world, f"file {number}.md", f"words of {number}".encode()))
        made[f"file:{file}"] = page
    settle(world)
    return made


def is_whole(house: Vault, shelf: dict[str, str]) -> None:
    """Assert that the index has each page and each file, and nothing else."""
    assert house.shown() == {*shelf, *shelf.values()}
    texts = house.texts()
    assert [texts[key] for key in shelf] == [f"words of {number}" for number in range(FILES)]


def test_over_a_hundred_edits_inside_one_minute(
    house: Vault, make_source: MakeSource, world: NotionSimulator
) -> None:
    """Acceptance 11: all have one and the same time; no list, feed or run misses one."""
    pages = [world.page(f"Page {number}", blocks=[paragraph("one")]) for number in range(130)]
    _, tasks = world.database("Tasks")
    rows = [world.page(f"Row {number}", tasks, blocks=[paragraph("one")]) for number in range(130)]
    settle(world)
    mark = mark_of(make_source(files=False))
    assert house.sync().state == "SUCCEEDED"
    world.clock.seconds = world.clock.seconds // 60 * 60
    for number, key in enumerate([*pages, *rows]):
        world.edit(world.things[key].children[0], f"two {number}")
        world.clock.advance(0.2)
    assert changed(make_source(files=False), mark) == ({*pages, *rows}, set())
    assert house.sync().indexed == 260
    texts = house.texts()
    assert [key for number, key in enumerate([*pages, *rows]) if f"two {number}" not in texts[key]] == []


def test_a_run_that_dies_among_files_goes_on(
    house: Vault, world: NotionSimulator, shelf: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acceptance 7, 8 and 20: pages that are indexed are not read again, and their files arrive."""
    house.tune(first_batch_items=3, page_items=3)
    real, seen = FileReader.content, []

    def dying(reader: FileReader, item: object) -> object:
        seen.append(item)
        if len(seen) > 4:
            until(lambda: bool(house.shown()))
            raise Crash
        return real(reader, item)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(FileReader, "content", dying)
        assert house.crash()
    there = house.shown()
    assert set() < there < {*shelf, *shelf.values()}
    world.asked.clear()
    assert house.sync().state == "SUCCEEDED"
    is_whole(house, shelf)
    again = {each.path.split("/")[3] for each in world.asked if each.path.endswith("/children")}
    assert again.isdisjoint(there)


def test_a_file_taken_out_before_a_crash_goes_after_it(
    house: Vault, world: NotionSimulator, shelf: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acceptance 7: the page is known without it, and no later run takes it for something unchanged."""
    house.sync()
    gone, page = next(iter(shelf.items()))
    world.trash(gone.removeprefix("file:"))
    settle(world)

    def dying(*_: object) -> object:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr("catchment.sync.index.sweep_scope", dying)
        assert house.crash()
    assert gone in house.ids()
    assert str(house.fact(page, "version")).endswith("/")
    assert house.sync().deleted == 1
    assert gone not in house.ids()


def test_a_file_that_always_fails_is_put_aside(
    house: Vault, world: NotionSimulator, shelf: dict[str, str]
) -> None:
    """Acceptance 6: five tries; an edit of its block is a new version, and is tried again."""
    key = next(iter(shelf))
    world.faults.add(Fault(faults.answer(403), path=r"/signed/0/.*"))
    for _ in range(7):
        house.sync()
        house.clock.advance(10_000)
    assert (house.fact(key, "state"), house.fact(key, "attempts")) == ("quarantined", 5)
    world.faults.clear()
    world.edit(key.removeprefix("file:"), "")
    settle(world)
    house.sync()
    assert house.texts()[key] == "words of 0"


def test_two_connectors_of_one_workspace_keep_their_own(
    house: Vault, world: NotionSimulator, shelf: dict[str, str]
) -> None:
    """Acceptance 17: a file that goes from one is still the other's."""
    house.sync()
    house.add("notion", house.connector().config, name="twin")
    assert house.sync("twin").indexed == 2 * FILES
    key = next(iter(shelf))
    world.trash(key.removeprefix("file:"))
    settle(world)
    assert house.sync("twin").deleted == 1
    assert key in house.ids()


def test_an_older_store_beside_a_newer_cursor(
    house: Vault, world: NotionSimulator, shelf: dict[str, str]
) -> None:
    """Acceptance 28: all is listed, and nothing is missing."""
    house.sync()
    house.sync()
    with writing(house.engine) as connection:
        connection.exec_driver_sql("UPDATE connectors SET cursor_revision = 0")
    run = house.sync()
    assert (run.state, run.reason) == ("SUCCEEDED", "cursor_ahead")
    is_whole(house, shelf)


def test_files_come_when_they_are_asked_for(
    house: Vault, world: NotionSimulator, shelf: dict[str, str]
) -> None:
    """Acceptance 30: pages that nobody edited are read for them; switched off, they go, their pages stay."""
    config = house.connector().config
    house.configure(**config, files=False)
    house.sync()
    assert house.shown() == set(shelf.values())
    house.configure(**config)
    house.sync()
    is_whole(house, shelf)
    house.configure(**config, files=False)
    house.sync(allow_mass_delete=True)
    assert house.shown() == set(shelf.values())


def test_a_full_run_reads_every_page_and_file(
    house: Vault, world: NotionSimulator, shelf: dict[str, str]
) -> None:
    """Whatever is recorded of them."""
    house.sync()
    world.asked.clear()
    run = house.sync(mode="full")
    assert (run.state, run.fetched) == ("SUCCEEDED", 2 * FILES)
    assert paths(world).count("GET /blocks/*/children") == FILES, "each page's blocks once"
    is_whole(house, shelf)


def test_pages_are_read_some_at_a_time(
    make_source: MakeSource, world: NotionSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing is not many pages ahead of whoever takes it, and comes in the order of edits."""
    for number in range(60):
        world.page(f"Page {number}", blocks=[block("divider")])
        world.clock.advance(60)
    settle(world)
    source = make_source()
    events = source.listing(source.scopes()[0])
    first = next(events)
    still(lambda: len(world.asked))
    assert sum(each.endswith("/children") for each in paths(world)) == attached.READERS * 2 + 1
    titles = [first.title, *(event.title for event in events if hasattr(event, "title"))]  # type: ignore[union-attr]
    assert titles == [f"Page {number}" for number in range(60)]
    assert len(listed(make_source())) == 60
