"""XML without surprises: no entities, no network, limits on depth and on the length of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from catchment.parsing.reading import Unreadable

if TYPE_CHECKING:
    from lxml.etree import _Element as Element
else:
    Element = etree._Element

__all__ = ["Element", "parse_xml", "parse_xml_or_none"]


def parse_xml(data: bytes, *, what: str) -> tuple[Element, bool]:
    """Parse as much as can be parsed.

    Entities are never expanded and nothing outside is ever read. libxml2 refuses more than 256 levels and
    texts beyond 10 MB; what comes before is kept.

    Args:
        data: The XML.
        what: What it is, for the error.

    Returns:
        The root, and whether all of it was well-formed.

    Raises:
        Unreadable: There is no root at all (``broken``).
    """
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("broken", f"{what} is not XML.") from error
    if root is None:
        raise Unreadable("broken", f"{what} is not XML.")
    return root, not parser.error_log


def parse_xml_or_none(data: bytes | None) -> Element | None:
    """The same for side parts (properties, relations) that a document can do without."""
    if not data:
        return None
    try:
        return parse_xml(data, what="A part")[0]
    except Unreadable:
        return None
