"""A quick look at the elements of an XML text, before it is read: its nesting, and what a feed takes away."""

from __future__ import annotations

import re
from xml.parsers import expat

from msgspec import Struct, field

from connectors.rss.model import NoFeed

MOST_DEPTH = 250
MOST_BASES = 16
"""Bases inside of each other. Each is resolved against all around it, so that many fill the memory."""
_MOST_BASE_CHARACTERS = 2048
_XML_BASE = "http://www.w3.org/XML/1998/namespace base"
_TOMBSTONE = "http://purl.org/atompub/tombstones/1.0 deleted-entry"
_BASES = re.compile(r"""\bxml:base\s*=\s*(?:"[^"<]*"|'[^'<]*'|[^\s>]*)""", re.IGNORECASE)


class Outline(Struct):
    """What the elements of a feed tell.

    Attributes:
        removed: What the tombstones of an Atom feed name; texts may hold what only looks like one.
    """

    removed: list[str] = field(default_factory=list)


def outline_of(text: str) -> Outline | None:
    """Return the outline of an XML text; None where it is not well-formed.

    Raises:
        NoFeed: It is nested so that reading it would take all memory.
    """
    outline = Outline()
    bases: list[bool] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        base = attributes.get(_XML_BASE)
        bases.append(base is not None)
        if (
            len(bases) > MOST_DEPTH
            or (base is not None and len(base) > _MOST_BASE_CHARACTERS)
            or (base is not None and sum(bases) > MOST_BASES)
        ):
            raise NoFeed("XML that is nested too deeply")
        if len(bases) == 2 and name == _TOMBSTONE and attributes.get("ref"):
            outline.removed.append(attributes["ref"].strip())

    def end(_name: str) -> None:
        bases.pop()

    parser = expat.ParserCreate("utf-8", " ")
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError:
        return None
    return outline


def without_bases(text: str) -> str:
    """Leave ``xml:base`` out of a text whose nesting nobody can tell."""
    return _BASES.sub("", text)
