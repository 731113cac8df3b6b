"""Plain text, Markdown, source code, JSON, YAML and lines of JSON: indexed as they are written.

Structured data is never loaded and written again: an alias bomb in YAML costs nothing as text and explodes
when flattened, and a person searches for what the file says.
"""

from __future__ import annotations

import re

from catchment.parsing import kinds
from catchment.parsing.charset import clean, decode
from catchment.parsing.headings import Heading, front_matter_end
from catchment.parsing.reading import Reading, Source

_FRONT_TITLE = re.compile(r"^title:[ \t]*(.+)$", re.MULTILINE)
_FRONT_AUTHOR = re.compile(r"^author:[ \t]*(.+)$", re.MULTILINE)


def read(source: Source) -> Reading:
    """The text itself; Markdown brings its headings, lines of JSON are sections by number."""
    text = clean(decode(source.body, _declared(source.content_type)))
    if source.kind == kinds.MARKDOWN:
        return _markdown(text)
    if source.kind == kinds.LINES:
        return Reading(text, headings=_lines(text))
    return Reading(text)


def _markdown(text: str) -> Reading:
    reading = Reading(text, is_markdown=True)
    end = front_matter_end(text)
    if end:
        front = text[:end]
        title, author = _FRONT_TITLE.search(front), _FRONT_AUTHOR.search(front)
        reading.title = title.group(1).strip().strip("\"'") if title else None
        reading.author = author.group(1).strip().strip("\"'") if author else None
    return reading


def _lines(text: str) -> list[Heading]:
    headings: list[Heading] = []
    offset = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            headings.append(Heading(offset, 1, f"line {number}"))
        offset += len(line) + 1
    return headings


def _declared(content_type: str | None) -> str | None:
    if not content_type or "charset=" not in content_type.lower():
        return None
    return content_type.lower().partition("charset=")[2].partition(";")[0].strip(" \"'") or None
