"""What becomes of a page: its title, properties, blocks and comments as one Markdown text."""

from __future__ import annotations

from typing import Any

import pytest

from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.notion import NotionSimulator, Spec, block, cell_row, heading, paragraph, text
from catchment.simulators.notion.blocks import rich
from connectors.notion import Notion, body
from connectors.notion.blocks import show
from connectors.notion.properties import show_value
from connectors.notion.words import dashed, markdown, seconds
from tests.connectors.notion.conftest import listed, settle, text_of


def read(source: Notion, world: NotionSimulator, *blocks: Spec) -> str:
    """Return what the blocks of a page called Page become, without its title."""
    found = text_of(source, world.page("Page", blocks=blocks))
    assert found.startswith("# Page\n")
    return found.removeprefix("# Page\n").strip("\n")


class TestText:
    @pytest.mark.parametrize(
        ("piece", "shown"),
        [
            (text("plain"), "plain"),
            (text(" bold ", bold=True), " **bold** "),
            (text("all", bold=True, italic=True, strikethrough=True), "~~_**all**_~~"),
            (text("x = 1", code=True), "`x = 1`"),
            (text("here", href="https://example.com/a"), "[here](https://example.com/a)"),
            (text("https://example.com", href="https://example.com"), "https://example.com"),
            (text("two\nlines", bold=True), "two\nlines"),
            (text("a page", href="/393abc1eedcd81d5bf32d1339d9031c2"), "a page"),
            (text("x", href="javascript:alert(1)"), "x"),
            ({"type": "equation", "equation": {"expression": "e=mc^2"}, "plain_text": "e=mc^2"}, "$e=mc^2$"),
            ({"type": "mention", "mention": {"type": "user"}, "plain_text": "@Ada", "href": None}, "@Ada"),
            ({"type": "mention", "plain_text": "Page", "href": "https://www.notion.so/x"}, "Page"),
            ({}, ""),
        ],
    )
    def test_styles_links_and_mentions(self, piece: dict[str, Any], shown: str) -> None:
        """By what they show, with blanks outside of the marks."""
        assert markdown([piece]) == shown

    def test_ids_and_times_in_every_form(self) -> None:
        """With dashes or without, in addresses; minutes and milliseconds."""
        page = "393abc1e-edcd-81d5-bf32-d1339d9031c2"
        bare = page.replace("-", "")
        view = "00000000000000000000000000000001"
        for told in (page, bare, bare.upper(), f"https://app.notion.com/p/A-b-{bare}?v={view}#{view}"):
            assert dashed(told) == page
        assert dashed("Meeting notes") is None
        assert seconds("2026-07-04T09:08:00.000Z") == seconds("2026-07-04T09:08:00+00:00") == 1_783_156_080
        assert seconds("2026-07-04T09:09:45.607+00:00") == 1_783_156_185.607
        assert seconds("soon") is seconds(None) is None


class TestBlocks:
    def test_every_kind_of_text(self, source: Notion, world: NotionSimulator) -> None:
        """Headings one level below the title, lists, quotes, code, equations, links."""
        found = read(
            source,
            world,
            heading(1, "One"),
            heading(3, "Three"),
            paragraph("first\nsecond"),
            block("bulleted_list_item", "a"),
            block("bulleted_list_item", "b", block("numbered_list_item", "b one"), paragraph("below")),
            block("numbered_list_item", "uno"),
            block("numbered_list_item", "due"),
            block("to_do", "done", checked=True),
            block("to_do", "open"),
            block("quote", "said\ntwice"),
            block("callout", "mind"),
            block("code", "a ``` b", language="python"),
            block("equation", expression="x^2"),
            block("divider"),
            block("bookmark", url="https://example.com", caption=rich("A place")),
            block("embed", url="https://example.com/e", caption=[]),
        )
        assert found == (
            "## One\n\n#### Three\n\nfirst\nsecond\n\n- a\n- b\n  1. b one\n\n  below\n\n1. uno\n2. due\n"
            "- [x] done\n- [ ] open\n\n> said\n> twice\n\n> mind\n\n````python\na ``` b\n````\n\n$$x^2$$\n\n"
            "[A place](https://example.com)\n\n[https://example.com/e](https://example.com/e)"
        )

    def test_tables(self, source: Notion, world: NotionSimulator) -> None:
        """With a header of their own or an empty one; bars and breaks in cells harm nothing."""
        rows = [cell_row("a|b", "c"), cell_row("d\ne", "")]
        told = {"table_width": 2, "has_row_header": False}
        assert read(source, world, Spec("table", {**told, "has_column_header": True}, rows)) == (
            "| a\\|b | c |\n| --- | --- |\n| d e |  |"
        )
        assert read(source, world, Spec("table", {**told, "has_column_header": False}, rows)) == (
            "|  |  |\n| --- | --- |\n| a\\|b | c |\n| d e |  |"
        )

    def test_what_only_holds_others_shows_these(self, source: Notion, world: NotionSimulator) -> None:
        """Columns, toggles, headings that fold, tabs."""
        columns = Spec(
            "column_list", {}, [Spec("column", {}, [paragraph(side)]) for side in ("left", "right")]
        )
        found = read(
            source,
            world,
            columns,
            block("toggle", "more", paragraph("inside")),
            heading(2, "Folds", paragraph("folded")),
            Spec("tab", {}, [paragraph("tabbed")]),
        )
        assert found == "left\n\nright\n\n- more\n\n  inside\n\n### Folds\n\nfolded\n\ntabbed"

    def test_files_are_named_and_their_addresses_are_not_kept(
        self, source: Notion, world: NotionSimulator
    ) -> None:
        """They end after an hour, and let in whoever has them."""
        signed = {"url": "https://files.example.com/a/Plan%20B.pdf?X-Amz-Signature=canary", "expiry_time": ""}
        found = read(
            source,
            world,
            block("pdf", type="file", file=signed, caption=rich("the plan")),
            block("file", type="file", file=signed, name="plan.docx", caption=[]),
            block("image", type="external", external={"url": "https://example.com/i.png"}, caption=[]),
        )
        assert found == "[pdf: Plan B.pdf, the plan]\n\n[file: plan.docx]\n\n[image: i.png]"

    def test_what_the_api_does_not_tell_is_noted(self, source: Notion, world: NotionSimulator) -> None:
        """Acceptance 11; and types that nobody knows yet keep their text."""
        found = read(
            source,
            world,
            block("unsupported", block_type="form"),
            block("hologram", "new kind of text"),
            block("hologram"),
        )
        noted = "[Notion's API does not tell a block here: {}]"
        assert found == f"{noted.format('form')}\n\nnew kind of text\n\n{noted.format('hologram')}"

    def test_pages_and_databases_inside_are_no_text_of_it(
        self, source: Notion, world: NotionSimulator
    ) -> None:
        """They are items of their own, and are not read along."""
        page = world.page("Page", blocks=[paragraph("text")])
        inner = world.page("Inner", page, blocks=[paragraph("other")])
        world.database("Base", page)
        assert text_of(source, page) == "# Page\n\ntext\n"
        assert text_of(source, inner) == "# Inner\n\nother\n"

    @pytest.mark.parametrize("odd", [{}, {"type": "paragraph"}, {"type": "code", "code": None}, {"type": 7}])
    def test_what_is_half_there_breaks_nothing(self, odd: dict[str, Any]) -> None:
        """A block without what its type promises."""
        assert isinstance(show(odd).text, str)


class TestDepth:
    def test_six_hundred_levels(self, source: Notion, world: NotionSimulator) -> None:
        """Acceptance 11: each is read, in its order, and the margin does not grow with them."""
        innermost = block("bulleted_list_item", "level 599")
        for level in range(598, -1, -1):
            innermost = block("bulleted_list_item", f"level {level}", innermost)
        found = read(source, world, innermost)
        assert [line.strip() for line in found.split("\n")] == [f"- level {level}" for level in range(600)]
        assert max(len(line) for line in found.split("\n")) < 40

    def test_synced_blocks_that_lie_in_each_other(self, source: Notion, world: NotionSimulator) -> None:
        """Acceptance 11: the text comes once on each way down, and the reading ends."""
        page = world.page("Page")
        original = world.append(page, block("synced_block", None, paragraph("shared"), synced_from=None))[0]
        copy = {"synced_from": {"type": "block_id", "block_id": original}}
        world.append(original, block("synced_block", **copy))
        world.append(page, block("synced_block", **copy))
        assert text_of(source, page) == "# Page\n\nshared\n\nshared\n"

    def test_a_synced_block_whose_original_is_hidden(self, source: Notion, world: NotionSimulator) -> None:
        """The rest of the page is read, and the gap is noted."""
        secret = world.page("Secret")
        original = world.append(secret, block("synced_block", None, paragraph("secret"), synced_from=None))[0]
        copy = {"synced_from": {"type": "block_id", "block_id": original}}
        world.unshare(secret)
        found = read(source, world, block("synced_block", **copy), paragraph("after"))
        assert found == f"{body.NOT_SHARED}\n\nafter"

    def test_many_blocks_side_by_side(
        self, source: Notion, world: NotionSimulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """List by list; beyond a limit the text says that it was cut."""
        lines = [f"line {number}" for number in range(250)]
        found = read(source, world, *map(paragraph, lines))
        assert found.split("\n\n") == lines
        monkeypatch.setattr(body, "MOST_BLOCKS", 120)
        found = read(source, world, *map(paragraph, lines))
        assert found.split("\n\n") == [*lines[:120], body.CUT]

    def test_a_body_that_breaks_off_is_no_body(self, source: Notion, world: NotionSimulator) -> None:
        """Half a page is never taken for a page."""
        page = world.page("Page", blocks=[paragraph(f"line {number}") for number in range(250)])
        item = next(found.item for found in source.find(source.scopes(), [page]))
        assert item is not None
        world.faults.add(Fault(faults.answer(500), path=r"/v1/blocks/.*/children", skip=2))
        with pytest.raises(Exception, match="does not answer"):
            source.fetch(item)


class TestProperties:
    @pytest.mark.parametrize(
        ("kind", "told", "shown"),
        [
            ("number", 12, "12"),
            ("number", 0.1, "0.1"),
            ("number", 0, "0"),
            ("url", "https://example.com", "https://example.com"),
            ("email", "a@example.com", "a@example.com"),
            ("phone_number", "+49 1", "+49 1"),
            ("checkbox", True, "yes"),
            ("checkbox", False, "no"),
            ("select", {"name": "Red"}, "Red"),
            ("status", {"name": "Open"}, "Open"),
            ("multi_select", [{"name": "a"}, {"name": "b"}], "a, b"),
            ("date", {"start": "2025-01-01", "end": None, "time_zone": None}, "2025-01-01"),
            ("date", {"start": "2025-01-01", "end": "2025-01-02"}, "2025-01-01 to 2025-01-02"),
            ("people", [{"id": "1", "name": "Ada"}, {"id": "2"}], "Ada"),
            ("relation", [{"id": "1"}], "1 page"),
            ("relation", [{"id": "1"}, {"id": "2"}], "2 pages"),
            ("rich_text", [text("a", bold=True)], "**a**"),
            ("files", [{"name": "a.pdf", "type": "file", "file": {"url": "https://x/?canary"}}], "a.pdf"),
            ("created_by", {"id": "1", "name": "Ada"}, "Ada"),
            ("last_edited_by", {"id": "1"}, ""),
            ("created_time", "2025-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"),
            ("last_edited_time", "2025-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"),
            ("formula", {"type": "string", "string": "x"}, "x"),
            ("formula", {"type": "number", "number": 2.5}, "2.5"),
            ("formula", {"type": "boolean", "boolean": True}, "yes"),
            ("formula", {"type": "date", "date": {"start": "2025-01-01"}}, "2025-01-01"),
            ("formula", {"type": "number", "number": None}, ""),
            ("rollup", {"type": "number", "number": 3, "function": "sum"}, "3"),
            ("rollup", {"type": "array", "array": [{"type": "number", "number": 1}]}, "1"),
            ("rollup", {"type": "unsupported", "unsupported": {}}, ""),
            ("unique_id", {"prefix": "T", "number": 7}, "T-7"),
            ("unique_id", {"prefix": None, "number": 7}, "7"),
            ("verification", {"state": "verified"}, "verified"),
            ("place", {"lat": 1.0, "lon": 2.0, "name": "Home", "address": None}, "Home"),
            ("place", {"lat": 1.0, "lon": 2.0}, "1.0, 2.0"),
            ("button", {}, ""),
            ("title", [text("T")], "T"),
            ("number", None, ""),
            ("hologram", {"x": 1}, ""),
        ],
    )
    def test_each_type_reads_well(self, kind: str, told: Any, shown: str) -> None:
        """Empty where there is nothing to read; no address of a file."""
        assert show_value({"id": "x", "type": kind, kind: told}) == shown

    def test_of_a_row_stand_above_its_body(self, source: Notion, world: NotionSimulator) -> None:
        """By name; those without a value are left out."""
        _, tasks = world.database("Tasks", schema={"Status": "status", "Due": "date", "Site": "url"})
        status = {"id": "1", "name": "Open", "color": "red"}
        row = world.page(
            "Row",
            tasks,
            properties={
                "Status": {"status": status},
                "Due": {"date": None},
                "Site": {"url": "https://x.example"},
            },
            blocks=[paragraph("body")],
        )
        assert text_of(source, row) == "# Row\n\n- Site: https://x.example\n- Status: Open\n\nbody\n"

    def test_long_ones_are_asked_for_to_their_end(self, source: Notion, world: NotionSimulator) -> None:
        """A page shows 25 of them."""
        _, tasks = world.database("Tasks", schema={"Others": "relation", "Notes": "rich_text"})
        notes = [text(f"{number} ") for number in range(60)]
        row = world.page(
            "Row",
            tasks,
            properties={
                "Others": {"relation": [{"id": world.new_id()} for _ in range(130)]},
                "Notes": {"rich_text": notes},
            },
        )
        found = text_of(source, row)
        assert "- Others: 130 pages" in found
        assert f"- Notes: {' '.join(str(number) for number in range(60))}" in found


class TestOthers:
    def test_a_data_source_tells_its_schema_and_its_database(
        self, source: Notion, world: NotionSimulator
    ) -> None:
        """Acceptance 11: each of several data sources of a database is one document."""
        database, first = world.database("Plan", schema={"Due": "date"}, description="All of it.")
        second = world.data_source(database, "Archive", description="What is over.")
        assert (
            text_of(source, first)
            == "# Plan\n\nAll of it.\n\n## Properties\n\n- Due (date)\n- Name (title)\n"
        )
        expected = (
            "# Archive\n\nWhat is over.\n\nDatabase: Plan\n\nAll of it.\n\n## Properties\n\n- Name (title)\n"
        )
        assert text_of(source, second) == expected

    def test_comments_stand_at_the_end(self, source: Notion, world: NotionSimulator) -> None:
        """With who wrote them."""
        page = world.page("Page", blocks=[paragraph("body")])
        world.comment(page, "Really?\nYes.")
        expected = "# Page\n\nbody\n\n## Comments\n\n- Ada Lovelace: Really?\n  Yes.\n"
        assert text_of(source, page) == expected

    def test_a_page_without_anything_has_its_title(self, source: Notion, world: NotionSimulator) -> None:
        """And one without a title is called so."""
        assert text_of(source, world.page("Only")) == "# Only\n"
        assert text_of(source, world.page("")) == "# Untitled\n"

    def test_the_same_page_gives_the_same_bytes(self, source: Notion, world: NotionSimulator) -> None:
        """From a listing or looked up by itself."""
        _, tasks = world.database("Tasks", schema={"Site": "url", "Mail": "email"})
        given = {"Site": {"url": "https://x.example"}, "Mail": {"email": "a@x.example"}}
        row = world.page("Row", tasks, properties=given, blocks=[paragraph("body")])
        settle(world)
        item = listed(source)[row]
        first, again = source.fetch(item), source.fetch(item)
        assert first.body == again.body == text_of(source, row).encode()
        assert first.item == item
        assert again.item == item
