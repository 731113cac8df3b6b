"""A place at Notion: chapters of pages, some with a file in them, and two databases."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from catchment.simulators.notion import NotionSimulator, block, heading, paragraph
from catchment.simulators.notion.blocks import Spec, rich
from catchment.simulators.notion.simulator import TOKEN
from catchment.simulators.notion.things import Block, DataSource, Page, Thing
from tests.support.journey import Journey
from tests.support.service_places import ServicePlace, Shown, tokens_in

_CHAPTER_PAGES = 50


class NotionPlace(ServicePlace):
    """Three in ten items are pages in chapters, one in a hundred files, the others rows of databases."""

    slug: ClassVar[str] = "notion"
    listings: ClassVar[re.Pattern[str]] = re.compile(
        r"GET /v1/users|POST /v1/(search|data_sources/[\w-]+/query)"
    )

    def __init__(self, journey: Journey, *, seed: int) -> None:
        self.world = NotionSimulator(seed=seed)
        super().__init__(journey, self.world, seed=seed)
        self._chapters: list[str] = []
        self._sources: list[str] = []
        self._files: dict[str, str] = {}

    def settings(self, url: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read all that is shared."""
        return {"base_url": url}, {"integration_token": TOKEN}

    # -- what people do -------------------------------------------------------------------------

    def populate(self, items: int) -> None:
        """One chapter for each fifty pages; both databases lie in the first."""
        pages, files = items * 3 // 10, items // 100
        self._chapters = [
            self.world.page(f"Chapter {self.token()}", blocks=self._blocks())
            for _ in range(pages // _CHAPTER_PAGES)
        ]
        for number in range(pages - len(self._chapters)):
            self.world.clock.advance(60)
            chapter = self._chapters[number % len(self._chapters)]
            self._page(chapter, nested=number % 20 == 0, has_file=number < files)
        for _ in range(2):
            schema = {"Remark": "rich_text", "Count": "number"}
            _, source = self.world.database(f"Tasks {self.token()}", self._chapters[0], schema=schema)
            self._sources.append(source)
        for number in range(items - pages - files - len(self._sources)):
            self.world.clock.advance(60)
            self._row(self._sources[number % 2])
        self.world.clock.advance(3600)

    def _blocks(self, *, nested: bool = False, has_file: bool = False) -> list[Spec]:
        below = [block("bulleted_list_item", self.text())] if nested else []
        return [
            *([self._file()] if has_file else []),
            heading(2, f"Gauge {self.token()}"),
            paragraph(self.text()),
            block("bulleted_list_item", self.text(), *below),
        ]

    def _file(self) -> Spec:
        token = self.token()
        told = self.world.upload("readings.txt", token.encode(), "text/plain")
        self._files[told["file"]["url"]] = token
        return block("file", caption=[], **told)

    def _page(self, parent: str, **blocks: bool) -> str:
        return self.world.page(f"Page {self.token()}", parent, blocks=self._blocks(**blocks))

    def _row(self, source: str) -> str:
        remark = {"Remark": {"rich_text": rich(self.token())}, "Count": {"number": 7}}
        return self.world.page(
            f"Row {self.token()}", source, properties=remark, blocks=[paragraph(self.text())]
        )

    def pass_a_day(self) -> int:
        """Edits, new pages and rows, new values; pages renamed and moved, chapters with all below them."""
        self.world.clock.advance(86_400)
        begun = self.world.clock.now()
        before = self.shown()
        for thing in self.rng.sample(self._pages(), 80):
            blocks = [each for each in thing.children if isinstance(self.world.things[each], Block)]
            self.world.edit(blocks[-1], self.text())
        rows = [thing.id for thing in self._pages() if thing.parent in self._sources]
        for row in self.rng.sample(rows, 40):
            self.world.set_property(row, "Remark", {"rich_text": rich(self.token())})
        others = [thing.id for thing in self._pages() if thing.parent in self._chapters]
        for page in self.rng.sample(others, 20):
            self.world.move(page, self.rng.choice(self._chapters))
        for page in [*self.rng.sample(others, 10), self._chapters[3]]:
            self.world.rename(page, f"Renamed {self.token()}")
        for _ in range(40):
            self._row(self.rng.choice(self._sources))
            self._page(self.rng.choice(self._chapters[:10]), has_file=True)
        after = self.shown()
        touched = [each for each, thing in self.world.living().items() if thing.edited >= begun]
        self.world.clock.advance(3600)
        # Where a page was put into another, that one counts as edited, and so does what was moved.
        return sum(each in before and before[each].tokens == after[each].tokens for each in touched)

    def take_away(self) -> int:
        """Pages and rows into the trash, and for good."""
        self.world.clock.advance(86_400)
        leaves = [thing.id for thing in self._pages() if thing.id not in self._chapters]
        chosen = self.rng.sample(leaves, 60)
        for each in chosen[:40]:
            self.world.trash(each)
        for each in chosen[40:]:
            self.world.erase(each)
        self.world.clock.advance(3600)
        return 0

    def _pages(self) -> list[Page]:
        return [thing for thing in self.world.living().values() if isinstance(thing, Page)]

    # -- what the index must hold ---------------------------------------------------------------

    def shown(self) -> dict[str, Shown]:
        """Pages and data sources that can be read, and the files in pages."""
        found: dict[str, Shown] = {}
        for each, thing in self.world.living().items():
            path = "/".join(self._path(thing))
            found[each] = Shown(path, self._tokens_of(thing))
            for inner in map(self.world.things.get, thing.children):
                if isinstance(inner, Block) and inner.type == "file":
                    token = self._files[inner.payload["file"]["url"]]
                    found[f"file:{inner.id}"] = Shown(f"{path}/readings.txt", (token,))
        return found

    def _path(self, thing: Thing) -> list[str]:
        way = [each for each in self.world.lies_in(thing.id) if isinstance(each, Page | DataSource)]
        return [each.title for each in reversed(way)]

    def _tokens_of(self, thing: Page | DataSource) -> tuple[str, ...]:
        values = [
            piece["plain_text"]
            for value in (thing.properties.values() if isinstance(thing, Page) else ())
            for piece in value.get("rich_text") or ()
        ]
        return tokens_in(thing.title, *values, *self._said(thing))

    def _said(self, thing: Thing) -> list[str]:
        said: list[str] = []
        for each in thing.children:
            inner = self.world.things.get(each)
            if isinstance(inner, Block) and not inner.in_trash:
                said += [piece["plain_text"] for piece in inner.payload.get("rich_text", ())]
                said += self._said(inner)
        return said
