"""The body of a page: its blocks, read level by level to any depth, as one Markdown text."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock

from msgspec import Struct, field

from catchment.core.errors import PermissionMissing
from catchment.kit.http import Missing
from connectors.notion.api import Api
from connectors.notion.blocks import FILES, OTHER_ITEMS, Place, show, show_table
from connectors.notion.words import Raw

MOST_BLOCKS = 20_000
"""Blocks of one page that are read; a page beyond that is a database in disguise."""
MOST_INDENTS = 6
"""Levels of lists that are shown; what lies deeper stands on the deepest one."""
MOST_KEPT_CHARACTERS = 4 * 1024 * 1024
"""Bodies kept between finding files in them and reading their pages; those beyond are asked for again."""
MOST_KEPT = 1200
"""Of bodies that are short, or empty, so many."""
CUT = f"[The page goes on: only its first {MOST_BLOCKS} blocks are read.]"
NOT_SHARED = "[A synced block whose original is not shared with the integration]"


class _Level(Struct):
    """Blocks side by side, as far as they are read."""

    blocks: Iterator[Raw]
    identity: str
    is_copy: bool = False
    indents: int = 0
    number: int = 0


class _Text(Struct):
    parts: list[str] = field(default_factory=list)
    was_item: bool = False

    def add(self, text: str, place: Place, indents: int) -> None:
        """Add what a block shows, with the empty line that Markdown wants before it."""
        if not text:
            return
        is_item = place is Place.ITEM
        if self.parts:
            self.parts.append("\n" if is_item and self.was_item else "\n\n")
        margin = "" if place is Place.HEADING else "  " * min(indents, MOST_INDENTS)
        self.parts.append("\n".join(f"{margin}{line}" if line else "" for line in text.split("\n")))
        self.was_item = is_item


class Body(Struct, frozen=True):
    """The body of a page: its Markdown, and its blocks with files, those in copies left out."""

    text: str
    files: tuple[Raw, ...] = ()


def read_body(api: Api, page: str) -> Body:
    """Return the body of a page; pages and databases in it are not part of it.

    No level calls the next one, so that no depth is too deep. A synced block whose copies lie in each other
    is read once on each way down.

    Raises:
        Missing: The page is not there.
        SourceError: Notion does not answer.
    """
    text = _Text()
    levels = [_Level(api.children(page), page)]
    files: list[Raw] = []
    count = 0
    while levels:
        level = levels[-1]
        try:
            block = next(level.blocks, None)
        except Missing:
            if len(levels) == 1:
                raise
            # It was taken away meanwhile, which is an edit, or it is a copy of what is not shared.
            if level.is_copy:
                text.add(NOT_SHARED, Place.ALONE, level.indents)
            block = None
        if block is None:
            levels.pop()
            continue
        count += 1
        if count > MOST_BLOCKS:
            text.add(CUT, Place.ALONE, 0)
            break
        if block.get("type") in FILES and not any(each.is_copy for each in levels):
            files.append(block)
        below = _take(api, block, level, text)
        if below is not None and below.identity not in {each.identity for each in levels}:
            levels.append(below)
    return Body("".join(text.parts), tuple(files))


def _take(api: Api, block: Raw, level: _Level, text: _Text) -> _Level | None:
    """Add a block to the text, and return what lies in it."""
    kind = block.get("type")
    level.number = level.number + 1 if kind == "numbered_list_item" else 0
    place = Place.ALONE
    if kind == "table":
        text.add(_table(api, block), place, level.indents)
        return None
    shown, place = show(block, level.number)
    text.add(shown, place, level.indents)
    if not block.get("has_children") or kind in OTHER_ITEMS:
        return None
    own = str(block["id"])
    origin = ((block.get("synced_block") or {}).get("synced_from") or {}).get("block_id")
    indents = level.indents + (1 if place is Place.ITEM and shown else 0)
    return _Level(api.children(own), origin or own, is_copy=origin is not None, indents=indents)


def _table(api: Api, block: Raw) -> str:
    try:
        rows = list(api.children(str(block["id"]))) if block.get("has_children") else []
    except Missing:
        return ""
    return show_table(rows, has_header=bool((block.get("table") or {}).get("has_column_header")))


class RecentBodies:
    """Bodies that a listing read to find files in: reading a page does not ask for its blocks again."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[str, tuple[str, Body]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def keep(self, page: str, edited: str, body: Body) -> None:
        """Keep the body of a page as of an edit, and forget those that were kept longest."""
        with self._lock:
            self._drop(page)
            self._bodies[page] = edited, body
            self._size += len(body.text)
            while self._size > MOST_KEPT_CHARACTERS or len(self._bodies) > MOST_KEPT:
                self._drop(next(iter(self._bodies)))

    def take(self, page: str, edited: str) -> Body | None:
        """Return the body that is kept of a page as of an edit, and forget it."""
        with self._lock:
            found = self._drop(page)
        return found[1] if found is not None and found[0] == edited else None

    def _drop(self, page: str) -> tuple[str, Body] | None:
        found = self._bodies.pop(page, None)
        if found is not None:
            self._size -= len(found[1].text)
        return found


class Comments:
    """The remarks on pages, as long as the integration may read them."""

    def __init__(self, api: Api, *, wanted: bool) -> None:
        self._api = api
        self._wanted = wanted

    def read(self, page: str) -> str:
        """Return the comments on a page under a heading; nothing where there are none, or none are allowed.

        Raises:
            Missing: The page is not there.
            SourceError: Notion does not answer.
        """
        if not self._wanted:
            return ""
        try:
            lines = [show_comment(comment) for comment in self._api.comments(page)]
        except PermissionMissing:
            # The integration has no such capability: `check` says so, and no other page is asked about.
            self._wanted = False
            return ""
        told = [line for line in lines if line]
        return "\n".join(("## Comments", "", *told)) if told else ""


def show_comment(comment: Raw) -> str:
    """Return one comment as an item of a list, with who wrote it where that is told."""
    said = show({"type": "paragraph", "paragraph": {"rich_text": comment.get("rich_text")}}).text
    name = (comment.get("display_name") or {}).get("resolved_name")
    hung = said.replace("\n", "\n  ")
    if not said:
        return ""
    return f"- {name}: {hung}" if name else f"- {hung}"
