"""The feeds that a web page names."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

_MOST_CHARACTERS = 256 * 1024
_MOST_FEEDS = 20
_LINK = re.compile(r"<link\s[^<>]{1,1000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w-]{1,40})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"}
)


def feeds_of(page: str, base: str) -> tuple[tuple[str, str], ...]:
    """Return address and title of each feed that the page's head links to."""
    found: dict[str, str] = {}
    for tag in _LINK.findall(page[:_MOST_CHARACTERS]):
        told = {
            match[1].lower(): html.unescape(match[2] or match[3] or match[4] or "")
            for match in _ATTRIBUTE.finditer(tag)
        }
        kind = told.get("type", "").partition(";")[0].strip().lower()
        if "alternate" not in told.get("rel", "").lower().split() or kind not in _TYPES:
            continue
        try:
            url = urljoin(base, told.get("href", "").strip())
        except ValueError:
            continue
        if url.startswith(("http://", "https://")) and len(found) < _MOST_FEEDS:
            found.setdefault(url, told.get("title", "").strip())
    return tuple(found.items())
