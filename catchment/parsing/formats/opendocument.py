"""OpenDocument texts and presentations: headings, paragraphs, lists, tables, notes, slides."""

from __future__ import annotations

from typing import Final

from catchment.parsing import kinds
from catchment.parsing.package import Package
from catchment.parsing.reading import Reading, Sections, Source, Unreadable, table_row
from catchment.parsing.xmltree import Element, parse_xml, parse_xml_or_none

_TEXT: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DRAW: Final = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_OFFICE: Final = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_PRESENTATION: Final = "{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}"
_DUBLIN: Final = "{http://purl.org/dc/elements/1.1/}"
_META: Final = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
_SKIPPED: Final = frozenset(
    {
        _TEXT + "tracked-changes",
        _TEXT + "sequence-decls",
        _OFFICE + "forms",
        _OFFICE + "annotation-end",
        _TEXT + "bibliography-mark",
    }
)
_SPACES_AT_MOST = 100  # one attribute may ask for two billion


def read(source: Source) -> Reading:
    """The text or the slides.

    Raises:
        Unreadable: Protected by a password (``encrypted``), or no OpenDocument (``broken``).
    """
    package = Package(source.body, source.budget)
    refuse_encrypted(package)
    root, is_whole = parse_xml(package.read("content.xml"), what="The document")
    pot = Sections(source.budget)
    writer = _Writer(pot, is_presentation=source.kind == kinds.ODP)
    body = root.find(_OFFICE + "body")
    writer.blocks(body if body is not None else root)
    writer.finish()
    title, author = _about(package)
    reading = pot.reading(title=title, author=author)
    if not is_whole:
        reading.warnings.append("the document is damaged: parts of the text can be missing")
    return reading


def refuse_encrypted(package: Package) -> None:
    """Raise Unreadable (``encrypted``) when the package's manifest says that its parts are encrypted."""
    manifest = package.read_or_none("META-INF/manifest.xml") or b""
    if b"encryption-data" in manifest:
        raise Unreadable("encrypted", "The document is protected by a password.")


def _about(package: Package) -> tuple[str | None, str | None]:
    root = parse_xml_or_none(package.read_or_none("meta.xml"))
    if root is None:
        return None, None
    author = root.findtext(f".//{_META}initial-creator") or root.findtext(f".//{_DUBLIN}creator")
    return root.findtext(f".//{_DUBLIN}title"), author


class _Writer:
    """Walks the body in order; notes are collected and written at the end."""

    def __init__(self, pot: Sections, *, is_presentation: bool) -> None:
        self._pot = pot
        self._is_presentation = is_presentation
        self._notes: list[str] = []
        self._slide = 0

    def blocks(self, parent: Element, prefix: str = "") -> None:
        """Write everything below `parent`; `prefix` marks items of a list."""
        for element in parent:
            tag = element.tag
            if tag == _TEXT + "p":
                self._paragraph(element, prefix)
            elif tag == _TEXT + "h":
                self._heading(element)
            elif tag == _TABLE + "table":
                self._table(element)
            elif tag == _TEXT + "list-item":
                self.blocks(element, "- ")
            elif tag == _DRAW + "page":
                self._page(element)
            elif tag not in _SKIPPED and len(element):
                self.blocks(element, prefix)

    def finish(self) -> None:
        """Write the notes."""
        self._pot.paragraph("\n".join(self._notes))

    def _paragraph(self, element: Element, prefix: str) -> None:
        words = self._words(element)
        if words:
            self._pot.paragraph(prefix + words)

    def _heading(self, element: Element) -> None:
        level = element.get(_TEXT + "outline-level") or "1"
        words = self._words(element)
        if self._is_presentation:
            self._pot.paragraph(words)
        else:
            self._pot.heading(int(level) if level.isdecimal() and len(level) < 3 else 1, words)

    def _page(self, page: Element) -> None:
        self._slide += 1
        title = next(
            (self._words(frame) for frame in page if frame.get(_PRESENTATION + "class") == "title"), ""
        )
        self._pot.heading(1, title or f"Slide {self._slide}")
        for frame in page:
            if frame.get(_PRESENTATION + "class") != "title":
                self.blocks([frame])  # type: ignore[arg-type]

    def _table(self, table: Element) -> None:
        rows: list[str] = []
        for row in table.iter(_TABLE + "table-row"):
            cells = [self._words(cell) for cell in row if cell.tag == _TABLE + "table-cell"]
            if any(cells):
                rows.append(table_row(cells))
                if len(rows) == 1:
                    rows.append("|" + " --- |" * len(cells))
        self._pot.paragraph("\n".join(rows))

    def _words(self, element: Element) -> str:
        parts: list[str] = []
        self._collect(element, parts)
        return "".join(parts).strip()

    def _collect(self, element: Element, parts: list[str]) -> None:
        if element.text:
            parts.append(element.text)
        for child in element:
            tag = child.tag
            if tag == _TEXT + "s":
                count = child.get(_TEXT + "c") or "1"
                parts.append(
                    " " * (min(int(count), _SPACES_AT_MOST) if count.isdecimal() and len(count) < 12 else 1)
                )
            elif tag == _TEXT + "tab":
                parts.append("\t")
            elif tag == _TEXT + "line-break":
                parts.append("\n")
            elif tag == _TEXT + "note":
                parts.append(self._note(child))
            elif tag == _OFFICE + "annotation":
                self._notes.append(" ".join(self._words(p) for p in child.iter(_TEXT + "p")))
            elif tag not in _SKIPPED:
                self._collect(child, parts)
                if tag == _TEXT + "p":
                    parts.append("\n")
            if child.tail:
                parts.append(child.tail)

    def _note(self, note: Element) -> str:
        citation = note.findtext(_TEXT + "note-citation") or str(len(self._notes) + 1)
        body = note.find(_TEXT + "note-body")
        if body is not None:
            self._notes.append(f"[^{citation}] {self._words(body)}")
        return f"[^{citation}]"
