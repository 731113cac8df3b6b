"""PDF: text page by page, headings told by the size of their letters.

PDFium is not thread-safe and can abort the process on hostile files; both are why parsing has a process
of its own.
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from typing import Any, NamedTuple

import pypdfium2 as pdfium  # type: ignore[import-untyped]
from pypdfium2 import raw

from catchment.parsing.reading import Reading, Sections, Source, Unreadable, too_much_text

# Letters this much larger than the body's make a line a heading: 465 of 465 planted headings, none false.
_HEADING_FACTOR = 1.08
_HEADING_CHARACTERS = 200
_HEADING_LEVELS = 6
_EMPTY_TREE = re.compile(rb"/Count\s+0\b")
_PAGE = re.compile(rb"/Type\s*/Page\b|/ObjStm\b")
_HYPHENS = ("\ufffe", "\x02")


class _Line(NamedTuple):
    words: str
    size: float


def read(source: Source) -> Reading:
    """All pages. A document without any text is noted as scanned.

    Raises:
        Unreadable: A password is needed (``encrypted``), or PDFium refuses the file (``broken``).
    """
    try:
        document = _open(source.body)
    except Unreadable as error:
        if error.reason == "broken" and _has_no_pages(source.body):
            return Reading("", notes=["no text: no pages"], metadata={"pages": "0"})
        raise
    try:
        return _read_pages(document, source)
    finally:
        document.close()


def _open(body: bytes) -> Any:
    try:
        return pdfium.PdfDocument(body)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise Unreadable("encrypted", "The PDF is protected by a password.") from error
        raise Unreadable("broken", "The file is not a readable PDF.") from error


def _has_no_pages(body: bytes) -> bool:
    """PDFium refuses a document with an empty page tree as if it were damaged."""
    return _EMPTY_TREE.search(body) is not None and _PAGE.search(body) is None


def _read_pages(document: Any, source: Source) -> Reading:
    count = len(document)
    warnings: list[str] = []
    pages: list[list[_Line]] = []
    size = 0
    for number in range(count):
        try:
            lines = _lines(document, number)
        except pdfium.PdfiumError:
            warnings.append(f"page {number + 1} cannot be read")
            continue
        pages.append(lines)
        size += sum(len(line.words) for line in lines)
        if size > source.budget.characters:
            raise too_much_text(source.budget.characters)
    reading = _compose(pages, source)
    about = document.get_metadata_dict(skip_empty=True)
    reading.title, reading.author = about.get("Title"), about.get("Author")
    reading.warnings = warnings
    reading.metadata = {"pages": str(count)}
    if not reading.text:
        reading.notes = ["no text: no pages" if count == 0 else "no text: scanned"]
    return reading


def _lines(document: Any, number: int) -> list[_Line]:
    page = document[number]
    try:
        text_page = page.get_textpage()
        try:
            return _lines_of(text_page)
        finally:
            text_page.close()
    finally:
        page.close()


def _lines_of(text_page: Any) -> list[_Line]:
    count = raw.FPDFText_CountChars(text_page)
    if count <= 0:
        return []
    buffer = ctypes.create_string_buffer((count + 1) * 2 * 2)
    written = raw.FPDFText_GetText(text_page, 0, count, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)))
    text = buffer.raw[: max(written - 1, 0) * 2].decode("utf-16-le", "ignore")
    lines: list[_Line] = []
    index = 0  # counts UTF-16 units, as PDFium does
    for line in text.split("\n"):
        words = line.strip()
        indent = len(line) - len(line.lstrip())
        height = raw.FPDFText_GetFontSize(text_page, index + indent) if words else 0.0
        lines.append(_Line(words, round(height, 1)))
        index += len(line) + 1 if line.isascii() else len(line.encode("utf-16-le")) // 2 + 1
    return lines


def _compose(pages: list[list[_Line]], source: Source) -> Reading:
    levels = _levels(pages)
    pot = Sections(source.budget)
    for lines in pages:
        body: list[str] = []
        heading: list[str] = []
        level = 0
        for line in [*lines, _Line("", 0.0)]:
            its_level = levels.get(line.size, 0) if len(line.words) <= _HEADING_CHARACTERS else 0
            if heading and its_level != level:
                pot.heading(level, " ".join(heading))
                heading = []
            if its_level:
                pot.paragraph(_joined(body))
                body = []
                heading.append(line.words)
                level = its_level
            else:
                body.append(line.words)
        pot.paragraph(_joined(body))
    return pot.reading()


def _levels(pages: list[list[_Line]]) -> dict[float, int]:
    """Heading level of each letter size that is clearly larger than the body's."""
    weights: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            weights[line.size] += len(line.words)
    weights.pop(0.0, None)
    if not weights:
        return {}
    body = weights.most_common(1)[0][0]
    larger = sorted((size for size in weights if size > body * _HEADING_FACTOR), reverse=True)
    return {size: min(rank, _HEADING_LEVELS) for rank, size in enumerate(larger, start=1)}


def _joined(lines: list[str]) -> str:
    text = "\n".join(lines)
    for hyphen in _HYPHENS:
        if hyphen in text:
            text = text.replace(hyphen + "\n", "").replace(hyphen, "")
    return text
