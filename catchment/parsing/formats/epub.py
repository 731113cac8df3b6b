"""Electronic books: the chapters of the spine in their order."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote

from catchment.parsing.charset import declared_in_html, decode
from catchment.parsing.formats.html import to_markdown
from catchment.parsing.package import Package
from catchment.parsing.reading import Reading, Sections, Source, Unreadable
from catchment.parsing.xmltree import parse_xml

_DUBLIN = "{http://purl.org/dc/elements/1.1/}"


def read(source: Source) -> Reading:
    """All chapters; one that is missing or damaged is a warning.

    Raises:
        Unreadable: No book in there (``broken``).
    """
    package = Package(source.body, source.budget)
    container, _ = parse_xml(package.read("META-INF/container.xml"), what="The book's container")
    rootfile = next(iter(container.iter("{*}rootfile")), None)
    if rootfile is None:
        raise Unreadable("broken", "The book names no content.")
    part = rootfile.get("full-path") or ""
    book, _ = parse_xml(package.read(part), what="The book's content list")
    folder = posixpath.dirname(part)
    manifest = {item.get("id"): item.get("href") or "" for item in book.iter("{*}item")}
    pot = Sections(source.budget)
    warnings: list[str] = []
    for reference in book.iter("{*}itemref"):
        href = manifest.get(reference.get("idref"))
        if href is None:
            continue
        chapter = posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0])))
        try:
            page = package.read(chapter)
        except Unreadable as error:
            if error.reason == "bomb":
                raise
            warnings.append(f"chapter {chapter} cannot be read")
            continue
        pot.include(Reading(to_markdown(decode(page, declared_in_html(page))), is_markdown=True), below=0)
    reading = pot.reading(
        title=book.findtext(f".//{_DUBLIN}title"), author=book.findtext(f".//{_DUBLIN}creator")
    )
    reading.warnings = warnings
    return reading
