"""Word documents: paragraphs, lists and tables in reading order, notes and comments at the end.

Tracked insertions belong to the text, deletions do not. A reader of our own because python-docx loses
insertions, footnotes and comments, and needs ten times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from lxml import etree

from catchment.parsing.package import Package
from catchment.parsing.reading import Reading, Sections, Source, table_row
from catchment.parsing.xmltree import Element, parse_xml, parse_xml_or_none

_NAMESPACES: Final = (
    "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}",
    "{http://purl.oclc.org/ooxml/wordprocessingml/main}",
)
_COMPATIBLE: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DUBLIN: Final = "{http://purl.org/dc/elements/1.1/}"
_MAIN_PART: Final = "word/document.xml"


class _Tags:
    """The tags of one namespace (transitional or strict), so that lxml can filter by them in C."""

    def __init__(self, w: str) -> None:
        self.w = w
        self.body, self.paragraph, self.table = w + "body", w + "p", w + "tbl"
        self.row, self.cell, self.style = w + "tr", w + "tc", w + "style"
        self.text, self.tab, self.line_break, self.carriage = w + "t", w + "tab", w + "br", w + "cr"
        self.hyphen, self.footnote, self.endnote = (
            w + "noBreakHyphen",
            w + "footnoteReference",
            w + "endnoteReference",
        )
        self.runs = (
            self.text,
            self.tab,
            self.line_break,
            self.carriage,
            self.hyphen,
            self.footnote,
            self.endnote,
        )
        self.dropped = (w + "del", w + "moveFrom", w + "tabs", _COMPATIBLE + "Fallback")


_TAGS: Final = {w: _Tags(w) for w in _NAMESPACES}


def read(source: Source) -> Reading:
    """The document, with the title and author of its properties."""
    package = Package(source.body, source.budget)
    root, is_whole = parse_xml(package.read(_main_part(package)), what="The document")
    tags = _TAGS.get(root.tag[: root.tag.find("}") + 1], _TAGS[_NAMESPACES[0]])
    levels = _heading_levels(package.read_or_none("word/styles.xml") or b"")
    pot = Sections(source.budget)
    etree.strip_elements(root, *tags.dropped, with_tail=False)
    body = root.find(tags.body)
    writer = _Writer(pot, tags, levels)
    writer.blocks(body if body is not None else root)
    writer.finish()
    _side_parts(package, pot, tags)
    reading = pot.reading()
    reading.title, reading.author = properties(package)
    if not is_whole:
        reading.warnings.append("the document is damaged: parts of the text can be missing")
    return reading


def _main_part(package: Package) -> str:
    """Some programs number the main part (``word/document2.xml``)."""
    if _MAIN_PART in package.names:
        return _MAIN_PART
    others = sorted(
        name for name in package.names if name.startswith("word/document") and name.endswith(".xml")
    )
    return others[0] if others else _MAIN_PART


def properties(package: Package) -> tuple[str | None, str | None]:
    """Title and author of an office package, from ``docProps/core.xml``."""
    root = parse_xml_or_none(package.read_or_none("docProps/core.xml"))
    if root is None:
        return None, None
    return root.findtext(_DUBLIN + "title"), root.findtext(_DUBLIN + "creator")


class _Writer:
    """Walks blocks in order; consecutive plain paragraphs are joined before they reach the pot."""

    def __init__(self, pot: Sections, tags: _Tags, levels: dict[str, int]) -> None:
        self._pot = pot
        self._tags = tags
        self._levels = levels
        self._rows: list[str] = []

    def blocks(self, parent: Element) -> None:
        """Write every paragraph and table below `parent`."""
        tags = self._tags
        for element in parent:
            if element.tag == tags.paragraph:
                self._paragraph(element)
            elif element.tag == tags.table:
                self._table(element)
            elif len(element):  # content controls, block-level insertions, custom XML
                self.blocks(element)

    def finish(self) -> None:
        """Hand over the list that is still open."""
        if self._rows:
            self._pot.paragraph("\n".join(self._rows))
            self._rows = []

    def _paragraph(self, element: Element) -> None:
        words = paragraph_text(element, self._tags)
        if not words:
            return
        level, is_list = self._nature(element)
        if level:
            self.finish()
            self._pot.heading(level, words)
        elif is_list:
            self._rows.append("- " + words)
        else:
            self.finish()
            self._pot.paragraph(words)

    def _nature(self, element: Element) -> tuple[int, bool]:
        w = self._tags.w
        properties = element.find(w + "pPr")
        if properties is None:
            return 0, False
        outline = properties.find(w + "outlineLvl")
        level = _outline(outline.get(w + "val")) if outline is not None else 0
        style = properties.find(w + "pStyle")
        if not level and style is not None:
            level = self._levels.get(style.get(w + "val") or "", 0)
        return level, properties.find(w + "numPr") is not None

    def _table(self, table: Element) -> None:
        self.finish()
        tags = self._tags
        rows: list[str] = []
        for row in _own(table, tags.row, tags.table):
            cells = [self._cell(cell) for cell in _own(row, tags.cell, tags.table)]
            if any(cells):
                rows.append(table_row(cells))
                if len(rows) == 1:
                    rows.append("|" + " --- |" * len(cells))
        self._pot.paragraph("\n".join(rows))

    def _cell(self, cell: Element) -> str:
        return " ".join(
            filter(None, (paragraph_text(p, self._tags) for p in cell.iter(self._tags.paragraph)))
        )


def paragraph_text(paragraph: Element, tags: _Tags) -> str:
    """The words of one paragraph; deleted ones have a tag of their own and are left out."""
    parts: list[str] = []
    for run in paragraph.iter(*tags.runs):
        tag = run.tag
        if tag == tags.text:
            parts.append(run.text or "")
        elif tag == tags.tab:
            parts.append("\t")
        elif tag == tags.hyphen:
            parts.append("-")
        elif tag in (tags.footnote, tags.endnote):
            parts.append(f"[^{run.get(tags.w + 'id')}]")
        else:
            parts.append("\n")
    return "".join(parts).strip()


def _own(parent: Element, wanted: str, boundary: str) -> Iterator[Element]:
    """Descendants with the tag `wanted` that do not belong to a nested table."""
    for element in parent:
        if element.tag == wanted:
            yield element
        elif element.tag != boundary and len(element):
            yield from _own(element, wanted, boundary)


def _side_parts(package: Package, pot: Sections, tags: _Tags) -> None:
    for part, item in (("footnotes", "footnote"), ("endnotes", "endnote"), ("comments", "comment")):
        root = parse_xml_or_none(package.read_or_none(f"word/{part}.xml"))
        if root is None:
            continue
        etree.strip_elements(root, *tags.dropped, with_tail=False)
        lines = []
        for note in root.iter(tags.w + item):
            words = " ".join(filter(None, (paragraph_text(p, tags) for p in note.iter(tags.paragraph))))
            if words:
                author = note.get(tags.w + "author")
                lines.append(
                    f"{author or ''}: {words}"
                    if item == "comment"
                    else f"[^{note.get(tags.w + 'id')}] {words}"
                )
        pot.paragraph("\n".join(lines))


@lru_cache(maxsize=16)
def _heading_levels(styles: bytes) -> dict[str, int]:
    """Heading level by style id; documents of one house share their styles, hence the cache."""
    root = parse_xml_or_none(styles)
    if root is None:
        return {}
    tags = _TAGS.get(root.tag[: root.tag.find("}") + 1], _TAGS[_NAMESPACES[0]])
    levels: dict[str, int] = {}
    bases: dict[str, str] = {}
    for style in root.iter(tags.style):
        name = style.get(tags.w + "styleId") or ""
        levels[name] = _style_level(style, tags)
        based_on = style.find(tags.w + "basedOn")
        if based_on is not None:
            bases[name] = based_on.get(tags.w + "val") or ""
    for name, base in bases.items():
        ancestor, seen = base, {name}
        while not levels[name] and ancestor in levels and ancestor not in seen:
            levels[name] = levels[ancestor]
            seen.add(ancestor)
            ancestor = bases.get(ancestor, "")
    return {name: level for name, level in levels.items() if level}


def _style_level(style: Element, tags: _Tags) -> int:
    outline = style.find(f"{tags.w}pPr/{tags.w}outlineLvl")
    level = _outline(outline.get(tags.w + "val")) if outline is not None else 0
    if level:
        return level
    element = style.find(tags.w + "name")
    name = (element.get(tags.w + "val") or "").lower() if element is not None else ""
    if name == "title":
        return 1
    number = name.removeprefix("heading ")
    return _outline(str(int(number) - 1)) if name != number and number.isdecimal() and int(number) < 10 else 0


def _outline(value: str | None) -> int:
    """Word counts outline levels from 0; 9 means body text."""
    return int(value) + 1 if value and value.isdecimal() and int(value) < 9 else 0
