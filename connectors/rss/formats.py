"""The body of an answer as a feed: which format it is, and what stands in it."""

from __future__ import annotations

import re

from connectors.rss.decoding import decode, legal, root_of
from connectors.rss.discovery import feeds_of
from connectors.rss.json_feed import read_json
from connectors.rss.model import BrokenFeed, Document, NoFeed
from connectors.rss.xml_feed import read_xml

_BEFORE = re.compile(r"<\?xml|<rss\b|<feed\b|<rdf:RDF\b", re.IGNORECASE)
_HEAD_CHARACTERS = 4096
_TAIL_CHARACTERS = 4096


def read_document(body: bytes, content_type: str, base: str) -> Document:
    """Return one page of a feed.

    Args:
        body: The answer's body.
        content_type: As the server declares it; only its charset is of use.
        base: Address that it came from, for relative links.

    Raises:
        BrokenFeed: It ends before it is complete.
        NoFeed: It is something else.
    """
    text = legal(decode(body, content_type)).removeprefix("\ufeff").lstrip()
    if not text:
        raise BrokenFeed("The feed is empty, not even without entries.")
    if text.startswith("{"):
        return read_json(text, base)
    if not text.startswith("<"):
        # Errors of the program that makes the feed may stand in front of it.
        begin = _BEFORE.search(text, 0, _HEAD_CHARACTERS)
        if begin is None:
            raise NoFeed("neither XML nor JSON")
        text = text[begin.start() :]
    root, at = root_of(text)
    local = root.rpartition(":")[2].lower()
    if local == "html":
        raise NoFeed("a web page", feeds_of(text, base))
    if local not in ("rss", "feed", "rdf", "channel"):
        raise NoFeed(f"XML of another kind ({root[:40]})" if root else "no XML")
    if re.search(rf"</\s*{re.escape(root)}\s*>", text[-_TAIL_CHARACTERS:]) is None and not _is_bare(text, at):
        raise BrokenFeed("The feed breaks off before its end.")
    return read_xml(text[at:], base)


def _is_bare(text: str, at: int) -> bool:
    """Whether the outermost element is written as an empty one."""
    return text.find("/>", at) == text.find(">", at) - 1
