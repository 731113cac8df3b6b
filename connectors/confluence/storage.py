"""Storage format, in which Confluence keeps texts, as Markdown.

It is XHTML with elements of its own for macros, layouts, tasks, links and pictures. What is not known keeps
its text; what has no text of its own (lists of recent pages, tables of contents) leaves nothing behind.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from lxml import etree

from connectors.confluence.blocks import blocks_of
from connectors.confluence.elements import Element, attribute, name_of
from connectors.confluence.lines import BREAK, SHOWN

_NAMESPACES = 'xmlns:ac="ac" xmlns:ri="ri" xmlns:at="at"'
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TAG = re.compile(r"<!\[CDATA\[(.*?)\]\]>|<[^>]*>", re.DOTALL)
_MENTION = re.compile(r"""ri:account-id\s*=\s*(["'])([^"'<>]+)\1""")


def markdown(storage: str, names: Mapping[str, str] | None = None) -> str:
    """Return a text in storage format as Markdown; of one that is broken, as much as can be read.

    Args:
        storage: The text.
        names: Of people, by account id; others are mentioned by what the text has.
    """
    if not storage.strip():
        return ""
    root, is_whole = _parsed(storage)
    if root is not None and names:
        _name_people(root, names)
    text = "\n\n".join(blocks_of(root)).replace(BREAK, " ") if root is not None else ""
    if is_whole:
        return text
    # What a parser gives up on still has its words.
    bare = _words(storage)
    return text if len(text) * 2 >= len(bare) else bare


def mentioned(storage: str) -> Iterator[str]:
    """Yield the account ids of those whom a text mentions."""
    return (found[2] for found in _MENTION.finditer(storage))


def _name_people(root: Element, names: Mapping[str, str]) -> None:
    for element in root.iter():
        if name_of(element) == "user" and (name := names.get(attribute(element, "account-id"))):
            element.set(SHOWN, name)


def _parsed(storage: str) -> tuple[Element | None, bool]:
    """Parse without entities from outside; libxml2 refuses depths and lengths that are meant to hurt."""
    source = _NO_XML.sub("", _ENTITY.sub(_character, storage))
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    data = f"<body {_NAMESPACES}>{source}</body>".encode("utf-8", "replace")
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None, False
    return root, root is not None and not parser.error_log


def _character(found: re.Match[str]) -> str:
    """Write a character that HTML has a name for as itself; names that nobody knows stay text."""
    return found[0] if found[1] in _OF_XML else escape(html.unescape(found[0]))


def _words(storage: str) -> str:
    bare = _TAG.sub(lambda found: f" {found[1] or ''} ", storage)
    return " ".join(html.unescape(bare).split())
