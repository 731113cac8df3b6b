"""JSON Feed, versions 1 and 1.1."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from connectors.rss.model import BrokenFeed, Document, Enclosure, Entry, NoFeed
from connectors.rss.text import paragraphs

_VERSION = "https://jsonfeed.org/version/"


def read_json(text: str, base: str) -> Document:
    """Return a page of a JSON Feed.

    Raises:
        BrokenFeed: It is no JSON, most likely cut off.
        NoFeed: It is JSON of another kind.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenFeed("The feed is no valid JSON.") from error
    items = raw.get("items") if isinstance(raw, dict) else None
    if not isinstance(items, list) or not _text(raw.get("version")).replace("http:", "https:").startswith(
        _VERSION
    ):
        raise NoFeed("JSON of another kind")
    return Document(
        title=_text(raw.get("title")),
        entries=[_entry(item, base) for item in items if isinstance(item, dict)],
        older=_address(raw.get("next_url"), base),
    )


def _entry(raw: dict[str, Any], base: str) -> Entry:
    markup = _text(raw.get("content_html"))
    plain = _text(raw.get("content_text")) or _text(raw.get("summary"))
    authors = raw.get("authors") if isinstance(raw.get("authors"), list) else [raw.get("author")]
    names = [_text(author.get("name")) for author in authors or () if isinstance(author, dict)]
    tags = raw.get("tags")
    attachments = raw.get("attachments")
    return Entry(
        # Old feeds have numbers as identities; the version of 2020 asks for them to be taken as text.
        guid=str(raw["id"]) if isinstance(raw.get("id"), str | int | float) else "",
        link=_address(raw.get("url"), base) or _address(raw.get("external_url"), base),
        title=_text(raw.get("title")),
        html=markup or paragraphs(plain),
        author=", ".join(filter(None, names)),
        tags=tuple(_text(tag) for tag in tags if _text(tag)) if isinstance(tags, list) else (),
        published=_seconds(raw.get("date_published")),
        updated=_seconds(raw.get("date_modified")),
        enclosures=[
            Enclosure(url, _text(one.get("mime_type")))
            for one in (attachments if isinstance(attachments, list) else ())
            if isinstance(one, dict) and (url := _address(one.get("url"), base))
        ],
    )


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _address(value: Any, base: str) -> str:
    try:
        url = urljoin(base, _text(value)) if _text(value) else ""
    except ValueError:
        return ""
    return url if url.startswith(("http://", "https://")) else ""


def _seconds(value: Any) -> float | None:
    try:
        moment = datetime.fromisoformat(_text(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
