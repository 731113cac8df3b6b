"""XML: the texts between its tags in their order, or the source itself where there are none."""

from __future__ import annotations

from catchment.parsing.charset import clean, declared_in_xml, decode
from catchment.parsing.reading import Reading, Source, Unreadable, too_much_text
from catchment.parsing.xmltree import Element, parse_xml


def read(source: Source) -> Reading:
    """Texts one per line; entities are left out, external ones are never read."""
    try:
        root, is_whole = parse_xml(source.body, what="The file")
    except Unreadable:
        text = clean(decode(source.body, declared_in_xml(source.body)))
        return Reading(text, warnings=["the XML is damaged and was taken as plain text"])
    text = _texts(root, source.budget.characters)
    if not text:
        # Settings that live in attributes only: the source is what people search.
        text = clean(decode(source.body, declared_in_xml(source.body)))
    warnings = [] if is_whole else ["the XML is damaged or uses entities: parts of the text can be missing"]
    return Reading(text, title=_title(root), warnings=warnings)


def _texts(root: Element, limit: int) -> str:
    parts: list[str] = []
    size = 0
    for piece in root.itertext():
        words = str(piece).strip()
        if words:
            parts.append(words)
            size += len(words) + 1
            if size > limit:
                raise too_much_text(limit)
    return clean("\n".join(parts))


def _title(root: Element) -> str | None:
    for element in root.iter("{*}title"):
        words = "".join(map(str, element.itertext())).strip()
        return words or None
    return None
