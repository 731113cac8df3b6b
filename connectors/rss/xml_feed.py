"""RSS and Atom of all versions, read by feedparser."""

from __future__ import annotations

import calendar
import io
from typing import Any
from urllib.parse import urljoin, urlsplit

from connectors.rss.model import BrokenFeed, Document, Enclosure, Entry, NoFeed
from connectors.rss.outline import outline_of, without_bases
from connectors.rss.text import paragraphs, title_text

_RELATIVE = "http://relative.invalid"
"""Stands in for the server. What begins so was relative; a relative guid must not change with the server."""


def read_xml(text: str, base: str) -> Document:
    """Return a page of a feed.

    Args:
        text: From the outermost element on: without any declaration of entities.
        base: Address that it came from.

    Raises:
        BrokenFeed: Nothing can be made of it.
        NoFeed: It has no entries and is no feed, or it is a trap.
    """
    import feedparser  # type: ignore[import-untyped]

    outline = outline_of(text)
    if outline is None:
        text = without_bases(text)
    headers = {
        "content-type": "application/xml; charset=utf-8",
        "content-location": f"{_RELATIVE}{urlsplit(base).path or '/'}",
    }
    try:
        # Given as a stream: a text that looks like an address would be opened.
        parsed = feedparser.parse(
            io.BytesIO(text.encode("utf-8", "replace")),
            response_headers=headers,
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception as error:
        raise BrokenFeed(f"The feed cannot be read ({type(error).__name__}).") from error
    if not parsed.version and not parsed.entries:
        raise NoFeed("XML that is no feed")
    sound = not parsed.bozo
    return Document(
        title=title_text(_plain(parsed.feed.get("title"))),
        entries=[_entry(raw, base) for raw in parsed.entries],
        removed=outline.removed if outline is not None and sound else [],
        older=next((_address(one.get("href"), base) for one in _links(parsed.feed, "next")), ""),
        sound=sound,
    )


def _entry(raw: Any, base: str) -> Entry:
    guid = _guid(_plain(dict.get(raw, "id")), base)
    own = next((_address(one.get("href"), base) for one in _links(raw, "alternate")), "")
    if not own and not _plain(dict.get(raw, "id")).startswith(_RELATIVE):
        # feedparser takes a guid that is an address for the link; a bare number is none.
        own = _address(dict.get(raw, "link"), base)
    return Entry(
        guid=guid,
        link=own,
        title=title_text(_plain(dict.get(raw, "title"))),
        html=_html(raw),
        author=title_text(_plain(dict.get(raw, "author"))),
        tags=tuple(
            dict.fromkeys(
                name for tag in raw.get("tags") or () if (name := _plain(tag.get("label") or tag.get("term")))
            )
        ),
        published=_seconds(dict.get(raw, "published_parsed")),
        updated=_seconds(dict.get(raw, "updated_parsed")),
        enclosures=[
            Enclosure(url, _plain(one.get("type")))
            for one in _links(raw, "enclosure")
            if (url := _address(one.get("href"), base))
        ],
    )


def _plain(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _links(raw: Any, rel: str) -> list[Any]:
    return [one for one in raw.get("links") or () if one.get("rel") == rel and one.get("href")]


def _guid(guid: str, base: str) -> str:
    """Return a guid as it was written, where it was written without a server."""
    if not guid.startswith(_RELATIVE):
        return guid
    folder = (urlsplit(base).path or "/").rpartition("/")[0] + "/"
    return guid.removeprefix(_RELATIVE).removeprefix(folder)


def _address(value: Any, base: str) -> str:
    """Return a whole web address; empty for everything else."""
    text = _plain(value)
    try:
        if text.startswith(_RELATIVE):
            text = text.removeprefix(_RELATIVE) or "/"
        url = urljoin(base, text) if text else ""
    except ValueError:
        return ""
    return url if url.startswith(("http://", "https://")) else ""


def _html(raw: Any) -> str:
    """Return the longest text that the entry has: its content, or what it calls a summary."""
    found = [
        _markup(one)
        for one in (*(raw.get("content") or ()), dict.get(raw, "summary_detail"))
        if one is not None and not one.get("src")
    ]
    return max(found, key=len, default="") or _plain(dict.get(raw, "summary"))


def _markup(detail: Any) -> str:
    kind, value = _plain(detail.get("type")).lower(), _plain(detail.get("value"))
    if kind in ("text/html", "application/xhtml+xml", "html", "xhtml", ""):
        return value
    return paragraphs(value) if kind.startswith("text/") else ""


def _seconds(moment: Any) -> float | None:
    try:
        return float(calendar.timegm(moment)) if moment is not None else None
    except (ValueError, OverflowError, TypeError):
        return None
