"""Files in pages and properties: items of their own, whose addresses end and whose host gets no token."""

from __future__ import annotations

import pytest

from catchment.core.errors import RunCancelled
from catchment.core.items import Changed, Deleted
from catchment.kit import AuthRejected, Session
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.notion import NotionSimulator, block, paragraph
from connectors.notion import Notion, body
from tests.connectors.notion.conftest import (
    MakeSource,
    changed,
    file_block,
    files,
    listed,
    mark_of,
    paths,
    remember,
    settle,
)
from tests.support.vault import Vault

SIGNED, BLOCKS = r"/signed/.*", r"/v1/blocks/.*/children"


class TestListing:
    def test_names_each_file_below_its_page(self, source: Notion, handbook: dict[str, str]) -> None:
        """At any depth, and in properties; with a version of its own, and no address that ends."""
        found = files(listed(source))
        assert set(found) == {"Handbook/plan.md", "Handbook/scan.png", "Tasks/Task 1/offer.md"} | {
            "Tasks/Task 1/offer.md"
        }
        plan = found["Handbook/plan.md"]
        assert plan.key == f"file:{handbook['plan']}"
        assert (plan.title, plan.content_type, plan.author) == ("plan.md", "text/markdown", "Ada Lovelace")
        assert plan.version == "2025-06-15T15:06:00.000Z"
        keys = {item.key for item in listed(source).values() if item.path == "Tasks/Task 1/offer.md"}
        assert {key.rpartition(":")[2] for key in keys} == {"offer.md", "2"}
        assert "Amz" not in repr(list(listed(source).values()))

    def test_asks_for_no_block_where_nothing_changed(
        self, source: Notion, make_source: MakeSource, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """What is recorded of a page names its files; a renamed page gives them their new path."""
        before = listed(source)
        remember(source, before)
        world.asked.clear()
        after = listed(make_source(session=source.session))
        assert {key: (item.path, item.version) for key, item in after.items()} == {
            key: (item.path, item.version) for key, item in before.items()
        }
        assert [each for each in paths(world) if "blocks" in each] == []

    def test_reads_the_pages_that_changed(
        self, source: Notion, make_source: MakeSource, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """A file that went is named no more, a new one is; files of other pages cost nothing."""
        other = world.page("Other", blocks=[file_block(world, "other.md")])
        settle(world)
        remember(source, listed(source))
        world.trash(handbook["plan"])
        world.append(handbook["page"], file_block(world, "new.md"))
        settle(world)
        world.asked.clear()
        found = files(listed(make_source(session=source.session)))
        assert {path for path in found if path.startswith(("Handbook", "Other"))} == {
            "Handbook/scan.png",
            "Handbook/new.md",
            "Other/other.md",
        }
        assert not [each for each in world.asked if other in each.path]

    def test_a_page_that_cannot_be_read_keeps_its_files(
        self, source: Notion, make_source: MakeSource, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """Absence is proven by a page that was read, and by nothing else."""
        remember(source, listed(source))
        world.append(handbook["page"], paragraph("More."))
        settle(world)
        world.faults.add(Fault(faults.answer(500), path=f"/v1/blocks/{handbook['page']}/children"))
        found = listed(make_source(session=source.session))
        assert set(files(found)) >= {"Handbook/plan.md", "Handbook/scan.png"}

    def test_a_file_that_only_a_named_run_has_seen_is_looked_up(
        self, source: Notion, make_source: MakeSource, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """Recorded with its page, and not itself."""
        before = listed(source)
        remember(source, {key: item for key, item in before.items() if key != f"file:{handbook['plan']}"})
        world.asked.clear()
        found = listed(make_source(session=source.session))
        assert found[f"file:{handbook['plan']}"] == before[f"file:{handbook['plan']}"]
        assert not [each for each in paths(world) if "children" in each]

    def test_a_copy_of_a_synced_block_brings_no_file_twice(
        self, source: Notion, world: NotionSimulator
    ) -> None:
        """It belongs to the page of the original."""
        page = world.page("Original")
        (origin,) = world.append(
            page, block("synced_block", None, file_block(world, "plan.md"), synced_from=None)
        )
        copy = {"type": "block_id", "block_id": origin}
        world.page("Copy", blocks=[block("synced_block", synced_from=copy)])
        settle(world)
        assert set(files(listed(source))) == {"Original/plan.md"}

    def test_pages_that_are_left_out_are_not_read_for_files(
        self, make_source: MakeSource, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """Nothing remembers them, so that each run would read them again."""
        found = listed(make_source(exclude=["Handbook"]))
        assert "Handbook/plan.md" not in files(found)
        assert not [each for each in world.asked if each.path.startswith(f"/v1/blocks/{handbook['page']}")]

    def test_none_are_named_where_the_settings_say_so(
        self, make_source: MakeSource, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """And no block is asked for."""
        found = listed(make_source(files=False))
        assert files(found) == {}
        assert not [each for each in paths(world) if "blocks" in each]

    def test_a_token_that_is_refused_ends_the_reading_of_pages(
        self, source: Notion, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """It is no failure of a page: no other one could be read either."""
        world.faults.add(Fault(faults.answer(401, {"code": "unauthorized"}), path=BLOCKS))
        with pytest.raises(AuthRejected):
            listed(source)

    def test_a_cancel_ends_the_reading_of_pages(
        self, make_source: MakeSource, world: NotionSimulator
    ) -> None:
        """Acceptance 19: it is no failure of a page."""
        for number in range(20):
            world.page(f"Page {number}")
        session = Session(clock=world.clock)
        world.faults.add(Fault(faults.meanwhile(session.stop.set), path=BLOCKS))
        with pytest.raises(RunCancelled):
            listed(make_source(session=session))


class TestChanges:
    def test_report_new_changed_and_vanished_files(
        self, source: Notion, make_source: MakeSource, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """Of pages that were edited; those that are as they were are not told again."""
        mark = mark_of(source)
        remember(source, listed(source))
        world.trash(handbook["plan"])
        (new,) = world.append(handbook["page"], file_block(world, "new.md"))
        world.clock.advance(60)
        told, gone = changed(make_source(session=source.session), mark)
        assert told == {handbook["page"], f"file:{new}"}
        assert gone == {f"file:{handbook['plan']}"}

    def test_a_page_in_the_trash_takes_its_files_along(
        self, source: Notion, make_source: MakeSource, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """They lie in it."""
        mark = mark_of(source)
        remember(source, listed(source))
        world.trash(handbook["page"])
        world.clock.advance(60)
        events = list(make_source(session=source.session).changes(source.scopes()[0], mark))
        assert {event.key for event in events if isinstance(event, Deleted)} >= {
            handbook["page"],
            f"file:{handbook['plan']}",
        }
        assert not [event for event in events if isinstance(event, Changed)]


class TestFind:
    def test_tells_what_a_listing_tells(self, source: Notion, handbook: dict[str, str]) -> None:
        """In blocks at any depth, and in properties."""
        expected = {key: item for key, item in listed(source).items() if key.startswith("file:")}
        assert len(expected) == 4
        found = {each.name: each.item for each in source.find(source.scopes(), list(expected))}
        assert found == expected

    def test_what_is_gone_is_absent(
        self, source: Notion, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """Trashed, with its page, taken out of its property, no file at all, and no key of any."""
        keys = list(files(listed(source)).values())
        world.trash(handbook["page"])
        world.set_property(handbook["row"], "Papers", {"files": []})
        words = world.append(world.page("Words"), paragraph("no file"))[0]
        names = [*(item.key for item in keys), f"file:{words}", "file:", "file:x:y:z", f"file:{words}:a:b:c"]
        assert [each.item for each in source.find(source.scopes(), names)] == [None] * len(names)


class TestSyncs:
    def test_files_are_documents(
        self, house: Vault, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """Parsed like any file; of a picture the facts, with a note that says why there is no text."""
        run = house.sync()
        assert (run.state, run.failed) == ("SUCCEEDED", 0)
        texts = house.texts()
        assert "The weir is raised." in texts[f"file:{handbook['plan']}"]
        assert sum(text in ("first", "second") for text in texts.values()) == 2
        picture = next(key for key in house.ids() if house.fact(key, "path") == "Handbook/scan.png")
        assert house.fact(picture, "state") == "indexed"
        assert texts[picture] == ""

    def test_a_second_run_fetches_nothing(
        self, house: Vault, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """And asks for no block."""
        house.sync()
        world.asked.clear()
        run = house.sync()
        assert (run.fetched, run.indexed, run.deleted) == (0, 0, 0)
        assert [each for each in paths(world) if "blocks" in each or "signed" in each] == []

    def test_what_happens_to_files_is_seen(
        self, house: Vault, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """Gone, new, in another place; each file of a page that goes, and of one that comes back."""
        house.sync()
        world.trash(handbook["plan"])
        (new,) = world.append(handbook["page"], file_block(world, "new.md", b"a new one"))
        world.rename(handbook["page"], "Manual")
        settle(world)
        house.sync()
        assert f"file:{handbook['plan']}" not in house.ids()
        assert house.texts()[f"file:{new}"] == "a new one"
        assert {house.fact(key, "path") for key in house.ids() if key.startswith("file:")} >= {
            "Manual/new.md",
            "Manual/scan.png",
        }
        world.trash(handbook["page"])
        settle(world)
        house.sync(allow_mass_delete=True)
        assert f"file:{new}" not in house.ids()
        world.restore(handbook["page"])
        settle(world)
        house.sync()
        assert house.texts()[f"file:{new}"] == "a new one"

    def test_a_file_that_is_replaced_by_one_of_the_same_name_is_seen(
        self, house: Vault, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """The text of the page stays the same to the letter."""
        house.sync()
        world.trash(handbook["plan"])
        world.move(handbook["toggle"], handbook["page"])
        world.things[handbook["page"]].children.reverse()
        (new,) = world.append(handbook["page"], file_block(world, "plan.md", b"another plan"))
        children = world.things[handbook["page"]].children
        children.sort(key=lambda each: (world.things[each].created, each != new))
        settle(world)
        for _ in range(2):
            assert house.sync().state == "SUCCEEDED"
            assert f"file:{handbook['plan']}" not in house.ids()
            assert house.texts()[f"file:{new}"] == "another plan"

    def test_a_page_that_is_read_alone_tells_its_files_to_the_next_run(
        self, house: Vault, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """As a webhook asks for it: what is recorded then names them, and no list of blocks is asked for."""
        house.sync()
        (new,) = world.append(handbook["page"], file_block(world, "new.md", b"a new one"))
        settle(world)
        house.sync(file_filter=[handbook["page"]])
        assert new.replace("-", "") in house.fact(handbook["page"], "version")
        assert f"file:{new}" not in house.ids()
        world.asked.clear()
        run = house.sync()
        assert (run.state, run.fetched) == ("SUCCEEDED", 1)
        assert house.texts()[f"file:{new}"] == "a new one"
        assert "GET /blocks/*/children" not in paths(world)

    def test_too_large_files_are_refused_with_their_reason(
        self, house: Vault, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """Notion does not tell sizes: the reading ends at the limit."""
        house.configure(**house.connector().config, max_file_bytes=10)
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert house.fact(f"file:{handbook['plan']}", "reason").startswith("too_large")

    def test_a_file_that_cannot_be_had_harms_nothing(
        self, house: Vault, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """Acceptance 5: recorded, tried again, and its page is there."""
        world.faults.add(Fault(faults.answer(403), path=r"/signed/0/.*"))
        run = house.sync()
        assert run.failed == 1
        assert handbook["page"] in house.ids()
        world.faults.clear()
        house.clock.advance(86_400)
        house.sync()
        assert "The weir is raised." in house.texts()[f"file:{handbook['plan']}"]


def test_what_is_kept_of_bodies_has_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """By their number, since many are empty, and by their length; those kept longest go first."""
    monkeypatch.setattr(body, "MOST_KEPT", 3)
    monkeypatch.setattr(body, "MOST_KEPT_CHARACTERS", 10)
    kept = body.RecentBodies()
    for page in "abcd":
        kept.keep(page, "now", body.Body(""))
    assert [kept.take(page, "now") for page in "ab"] == [None, body.Body("")]
    kept.keep("e", "now", body.Body("x" * 9))
    kept.keep("f", "now", body.Body("y" * 9))
    assert [kept.take(page, "now") for page in "cdef"] == [None, None, None, body.Body("y" * 9)]
