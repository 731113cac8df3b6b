"""Workspaces through the product's own lanes: the index is what the workspace is, whatever goes wrong."""

from __future__ import annotations

import threading

import pytest

from catchment.core.errors import RunCancelled
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.notion import NotionSimulator, block, paragraph
from catchment.simulators.notion.simulator import TOKEN
from catchment.simulators.notion.things import Block, Page
from connectors.notion import Notion, NotionConfig, NotionCredentials, api
from tests.connectors.notion.conftest import paths, settle
from tests.support.vault import Crash, Vault, counts, done
from tests.support.waiting import until

SEARCH = r"/v1/search"


def fill(world: NotionSimulator, pages: int = 12, rows: int = 8) -> dict[str, str]:
    """Pages in a page, and rows in a database; settled."""
    top = world.page("Top", blocks=[paragraph("the top")])
    made = {"Top": top}
    for number in range(pages):
        made[f"Page {number}"] = world.page(f"Page {number}", top, blocks=[paragraph(f"weir {number}")])
    _, made["Tasks"] = world.database("Tasks", top, schema={"Site": "url"})
    for number in range(rows):
        site = {"Site": {"url": f"https://example.com/{number}"}}
        made[f"Row {number}"] = world.page(f"Row {number}", made["Tasks"], properties=site)
    settle(world)
    return made


def is_equal(house: Vault, world: NotionSimulator) -> None:
    """Assert that the index has what can be read at the source, each with its own words, and nothing else."""
    texts = house.texts()
    living = world.living()
    assert set(texts) == set(living)
    for key, thing in living.items():
        assert texts[key].startswith(f"# {thing.title}"), key
        for each in thing.children if isinstance(thing, Page) else ():
            inner = world.things.get(each)
            if isinstance(inner, Block) and not inner.in_trash:
                for piece in inner.payload.get("rich_text", ()):
                    assert piece["plain_text"] in texts[key]


class TestCost:
    def test_nothing_changed_costs_the_lists_and_no_body(self, house: Vault, world: NotionSimulator) -> None:
        """The first run asks twice for each page; the second lists alone."""
        made = fill(world)
        assert counts(house.sync()) == done(len(made))
        is_equal(house, world)
        first = paths(world)
        assert first.count("GET /blocks/*/children") == len(made) - 1
        assert first.count("GET /pages/*") == 0
        asked = len(world.asked)
        assert counts(house.sync()) == {"collected": len(made), "skipped": len(made)}
        assert sorted(paths(world, asked)) == ["GET /users", "POST /data_sources/*/query", "POST /search"]

    def test_a_change_costs_what_changed(self, house: Vault, world: NotionSimulator) -> None:
        """Edited, renamed, new, moved, deleted, restored: each as it is at the source."""
        made = fill(world)
        house.sync()
        world.append(made["Page 1"], block("to_do", "added later"))
        world.rename(made["Page 2"], "Renamed page")
        new = world.page("New", made["Page 3"])
        world.move(made["Page 4"], made["Page 5"])
        world.trash(made["Page 6"])
        world.erase(made["Page 7"])
        world.unshare(made["Page 8"])
        world.set_property(made["Row 1"], "Site", {"url": "https://example.com/new"})
        world.trash(made["Row 2"])
        settle(world)
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert run.deleted == 4
        is_equal(house, world)
        assert house.fact(made["Page 4"], "path") == "Top/Page 5/Page 4"
        assert "https://example.com/new" in house.texts()[made["Row 1"]]
        # A page into which another one was put is edited, too.
        edited = {"Page 1", "Page 2", "Page 3", "Page 4", "Page 5", "Row 1"}
        assert run.fetched == len({made[name] for name in edited} | {new})
        world.restore(made["Page 6"])
        world.share(made["Page 8"])
        settle(world)
        house.sync()
        is_equal(house, world)

    def test_edits_of_the_running_minute_are_read_twice_and_indexed_once(
        self, house: Vault, world: NotionSimulator
    ) -> None:
        """Acceptance 11: an edit that the rounded time hides is not missed."""
        page = world.page("Page", blocks=[paragraph("one")])
        house.sync()
        inner = world.things[page].children[0]
        world.edit(inner, "two")
        world.clock.advance(10)
        house.sync()
        assert "two" in house.texts()[page]
        settle(world)
        run = house.sync()
        assert (run.fetched, run.indexed) == (1, 0)
        assert house.sync().fetched == 0

    def test_an_incremental_run_reads_what_is_new(self, house: Vault, world: NotionSimulator) -> None:
        """And takes out what went into the trash."""
        made = fill(world)
        house.sync()
        settle(world)
        world.rename(made["Page 1"], "Renamed")
        world.trash(made["Page 2"])
        run = house.sync(mode="incremental")
        assert (run.state, run.strategy, run.deleted) == ("SUCCEEDED", "delta", 1)
        assert house.texts()[made["Page 1"]].startswith("# Renamed")
        is_equal(house, world)

    def test_a_named_page_is_read_alone(self, house: Vault, world: NotionSimulator) -> None:
        """As a webhook asks for it; one that is gone goes."""
        made = fill(world)
        house.sync()
        settle(world)
        world.rename(made["Page 1"], "Renamed")
        world.trash(made["Page 2"])
        asked = len(world.asked)
        run = house.sync(mode="incremental", file_filter=[made["Page 1"], made["Page 2"]])
        assert (run.indexed, run.deleted) == (1, 1)
        assert "POST /search" not in paths(world, asked)
        is_equal(house, world)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PAGE_SIZE", 5)


@pytest.mark.usefixtures("small_pages")
class TestFaults:
    def test_one_in_a_hundred_requests_fails(self, house: Vault, world: NotionSimulator) -> None:
        """Of every kind that passes; the index is the workspace, exactly."""
        made = fill(world, pages=60, rows=60)
        for fault in (
            faults.answer(500),
            faults.answer(429, None, {"Retry-After": "0"}),
            faults.answer(529, None, {"Retry-After": "0"}),
            faults.cut(20),
            faults.malformed(),
        ):
            world.faults.add(Fault(fault, chance=0.01))
        run = house.sync()
        assert (run.state, run.failed) == ("SUCCEEDED", 0)
        assert world.faults.happened
        is_equal(house, world)
        for number in range(0, 60, 7):
            world.rename(made[f"Page {number}"], f"Page {number}, renamed")
            world.trash(made[f"Row {number}"])
        settle(world)
        assert house.sync().state == "SUCCEEDED"
        is_equal(house, world)

    def test_a_listing_that_breaks_off_removes_nothing(self, house: Vault, world: NotionSimulator) -> None:
        """Acceptance 1: page 3 answers 500 for good; what was listed is synced."""
        made = fill(world)
        house.sync()
        world.trash(made["Page 1"])
        world.faults.add(Fault(faults.answer(500), path=SEARCH, skip=2))
        run = house.sync()
        assert (run.state, run.error_code, run.deleted) == ("FAILED", "scope_incomplete", 0)
        assert made["Page 1"] in house.shown()
        world.faults.clear()
        assert house.sync().deleted == 1
        is_equal(house, world)

    def test_a_page_made_while_all_is_listed_stays(self, house: Vault, world: NotionSimulator) -> None:
        """Acceptance 2 and 4: it is in the index after the next run."""
        fill(world)
        world.faults.add(
            Fault(faults.meanwhile(lambda: world.page("Made meanwhile")), path=SEARCH, skip=2, times=1)
        )
        assert house.sync().state == "SUCCEEDED"
        settle(world)
        assert house.sync().state == "SUCCEEDED"
        is_equal(house, world)

    def test_a_page_that_cannot_be_read_harms_no_other(self, house: Vault, world: NotionSimulator) -> None:
        """Acceptance 5: recorded, tried again, not deleted."""
        made = fill(world)
        house.sync()
        world.rename(made["Page 1"], "Renamed")
        settle(world)
        world.faults.add(Fault(faults.answer(500), path=f"/v1/blocks/{made['Page 1']}/children"))
        run = house.sync()
        assert (run.state, run.failed) == ("SUCCEEDED", 1)
        assert house.fact(made["Page 1"], "url").startswith("https://app.notion.com/")
        assert made["Page 1"] in house.shown()
        world.faults.clear()
        house.clock.advance(10_000)
        house.sync()
        is_equal(house, world)

    def test_a_workspace_that_looks_empty_is_held(self, house: Vault, world: NotionSimulator) -> None:
        """Acceptance 9: somebody took the connection away from the top page."""
        made = fill(world, pages=25)
        house.sync()
        world.unshare(made["Top"])
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "deletion_guard")
        assert house.shown() == set(made.values())
        world.share(made["Top"])
        assert house.sync().state == "SUCCEEDED"
        is_equal(house, world)

    def test_a_forgotten_connection_is_a_mistake_at_first_sight(self, house: Vault) -> None:
        """The sentence says how to share a page."""
        run = house.sync()
        assert run.state == "FAILED"
        assert "No page is shared with the integration" in (run.error_message or "")

    def test_a_run_that_dies_goes_on(
        self, house: Vault, world: NotionSimulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 7, 8: what is in the index is not read again, and the rest arrives."""
        made = fill(world, pages=30)
        house.tune(first_batch_items=5, page_items=5)
        real, seen = Notion.fetch, []

        def dying(source: Notion, item: object) -> object:
            seen.append(item)
            if len(seen) > 20:
                raise Crash
            return real(source, item)  # type: ignore[arg-type]

        with monkeypatch.context() as patched:
            patched.setattr(Notion, "fetch", dying)
            assert house.crash()
        indexed = house.shown()
        assert set() < indexed < set(made.values())
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert run.fetched == len(made) - len(indexed)
        is_equal(house, world)

    def test_a_cancel_in_a_long_wait_ends_at_once(self, house: Vault, world: NotionSimulator) -> None:
        """Acceptance 19: what is indexed stays, and the next run goes on."""
        fill(world)
        world.faults.add(
            Fault(faults.answer(429, None, {"Retry-After": "600"}), path=r"/v1/blocks/.*", skip=5, times=1)
        )
        run = house.begin()
        ended = threading.Event()

        def work() -> None:
            house.work(run)
            ended.set()

        threading.Thread(target=work).start()
        until(lambda: world.faults.happened == 1)
        run.stop.set(RunCancelled("Enough."))
        assert ended.wait(5), "the run waits for Notion"
        settle(world)
        assert house.sync().state == "SUCCEEDED"
        is_equal(house, world)

    def test_a_token_that_is_refused_fails_the_run_and_removes_nothing(
        self, house: Vault, world: NotionSimulator
    ) -> None:
        """In the middle of it; the error has no token in it."""
        made = fill(world)
        house.sync()
        world.rename(made["Page 1"], "Renamed")
        settle(world)
        world.faults.add(Fault(faults.answer(401, {"code": "unauthorized"}), path=r"/v1/blocks/.*"))
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "auth")
        assert TOKEN not in f"{run.error_message}{run.details}"
        assert house.shown() == set(made.values())


def test_narrower_roots_take_the_others_away_and_back(house: Vault, world: NotionSimulator) -> None:
    """Acceptance 30: the settings say so, and it is no mass deletion."""
    made = fill(world, pages=30)
    house.sync()
    config = house.connector().config
    house.configure(**config, roots=[made["Tasks"]])
    run = house.sync()
    assert run.state == "SUCCEEDED"
    assert house.shown() == {made[name] for name in made if name == "Tasks" or name.startswith("Row")}
    house.configure(**config)
    assert house.sync().state == "SUCCEEDED"
    is_equal(house, world)


def test_titles_that_look_like_files_are_pages(house: Vault, world: NotionSimulator) -> None:
    """What is read is text, whatever it is called."""
    titles = ("plan.pdf", "table.csv", "data.json", "page.html", "image.png", "pack.zip", "sheet.xlsx")
    made = {title: world.page(title, blocks=[paragraph("the <b>text</b>, as it is")]) for title in titles}
    settle(world)
    run = house.sync()
    assert (run.state, run.failed) == ("SUCCEEDED", 0)
    texts = house.texts()
    assert [title for title, key in made.items() if "the <b>text</b>, as it is" not in texts[key]] == []
    assert house.fact(made["plan.pdf"], "path") == "plan.pdf"


def test_the_demo_is_synced_whole(house: Vault, world: NotionSimulator) -> None:
    """Some hundred pages, as `catchment simulate` shows them."""
    demo = NotionSimulator.demo(7)
    with demo.serve() as url:
        house.configure(base_url=url)
        run = house.sync()
        assert run.state == "SUCCEEDED"
        is_equal(house, demo)
        source = Notion(NotionConfig(base_url=url), NotionCredentials(integration_token=TOKEN))  # type: ignore[arg-type]
        assert {each.name for each in source.check()} == {"sign-in", "list", "read", "comments", "people"}
        source.close()
