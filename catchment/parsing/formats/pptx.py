"""Presentations: slides in their order, each with its title, boxes, tables, diagrams and speaker notes."""

from __future__ import annotations

import posixpath
from typing import Final

from lxml import etree

from catchment.parsing.formats.docx import properties
from catchment.parsing.package import Package
from catchment.parsing.reading import Reading, Sections, Source, Unreadable, table_row
from catchment.parsing.xmltree import Element, parse_xml, parse_xml_or_none

_TITLES: Final = frozenset({"title", "ctrTitle"})
_FURNITURE: Final = frozenset({"sldNum", "dt", "ftr", "hdr", "sldImg"})
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


def read(source: Source) -> Reading:
    """All slides; one that is damaged is a warning.

    Raises:
        Unreadable: Not a presentation (``broken``).
    """
    package = Package(source.body, source.budget)
    slides = _slides(package)
    pot = Sections(source.budget)
    warnings: list[str] = []
    for number, part in enumerate(slides, start=1):
        try:
            _slide(package, part, number, pot)
        except Unreadable as error:
            if error.reason in ("bomb", "too_much_text"):
                raise
            warnings.append(f"slide {number} cannot be read")
    title, author = properties(package)
    reading = pot.reading(title=title, author=author)
    reading.warnings = warnings
    reading.metadata = {"slides": str(len(slides))}
    return reading


def relations(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """Related parts of a part, by relation id: (last word of the relation's type, path in the package)."""
    folder, name = posixpath.split(part)
    root = parse_xml_or_none(package.read_or_none(f"{folder}/_rels/{name}.rels"))
    found: dict[str, tuple[str, str]] = {}
    if root is None:
        return found
    for relation in root:
        target = relation.get("Target") or ""
        if relation.get("TargetMode") == "External" or not target:
            continue
        path = (
            target.lstrip("/")
            if target.startswith("/")
            else posixpath.normpath(posixpath.join(folder, target))
        )
        found[relation.get("Id") or ""] = ((relation.get("Type") or "").rpartition("/")[2], path)
    return found


def _slides(package: Package) -> list[str]:
    root, _ = parse_xml(package.read("ppt/presentation.xml"), what="The presentation")
    related = relations(package, "ppt/presentation.xml")
    slides: list[str] = []
    for slide in root.iter("{*}sldId"):
        for name, value in slide.attrib.items():
            if str(name).endswith("}id") and str(value) in related:
                slides.append(related[str(value)][1])
    return slides


def _slide(package: Package, part: str, number: int, pot: Sections) -> None:
    root, _ = parse_xml(package.read(part), what="The slide")
    etree.strip_elements(root, _FALLBACK, with_tail=False)
    title, bodies = _shapes(root)
    pot.heading(1, title or f"Slide {number}")
    for body in bodies:
        pot.paragraph(body)
    for kind, path in relations(package, part).values():
        if kind == "diagramData":
            pot.paragraph(_paragraphs(parse_xml_or_none(package.read_or_none(path))))
        elif kind in ("notesSlide", "comments"):
            side = parse_xml_or_none(package.read_or_none(path))
            if side is not None:
                _, bodies = _shapes(side)
                words = (
                    "\n".join(bodies)
                    if kind == "notesSlide"
                    else "\n".join(map(str, side.itertext("{*}text", with_tail=False)))
                )
                pot.paragraph(f"Notes: {words}" if words.strip() else "")


def _shapes(root: Element) -> tuple[str, list[str]]:
    """The title and the other texts, groups included, in drawing order."""
    title = ""
    bodies: list[str] = []
    for shape in root.iter("{*}sp", "{*}tbl"):
        if etree.QName(shape).localname == "tbl":
            bodies.append(_table(shape))
            continue
        place = shape.find("{*}nvSpPr/{*}nvPr/{*}ph")
        role = place.get("type") if place is not None else None
        if role in _FURNITURE:
            continue
        words = _paragraphs(shape)
        if role in _TITLES and not title:
            title = words
        else:
            bodies.append(words)
    return title, bodies


def _paragraphs(root: Element | None) -> str:
    if root is None:
        return ""
    return "\n".join(filter(None, (_words(paragraph) for paragraph in root.iter("{*}p"))))


def _words(paragraph: Element) -> str:
    parts = [
        "\n" if etree.QName(run).localname == "br" else run.text or ""
        for run in paragraph.iter("{*}t", "{*}br")
    ]
    return "".join(parts).strip()


def _table(table: Element) -> str:
    rows: list[str] = []
    for row in table.iter("{*}tr"):
        cells = [_paragraphs(cell) for cell in row.iter("{*}tc")]
        rows.append(table_row(cells))
        if len(rows) == 1:
            rows.append("|" + " --- |" * len(cells))
    return "\n".join(rows)
