"""From entries to items: identity, version, dates, and the body that the feed brings."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from msgspec import Struct

from catchment.core.secrets import without_secrets
from catchment.kit import Item
from connectors.rss.addresses import Place
from connectors.rss.model import Document, Entry
from connectors.rss.text import visible

BODY_TYPE = "text/html; charset=utf-8"
DAY_SECONDS = 86_400.0
_OLDEST = 315_532_800.0
"""1980: feeds that do not know a date write the beginning of some epoch."""
_CAMPAIGN = re.compile(r"(?:^|&)(?:utm_\w+|fbclid|gclid|mc_[ce]id)=[^&]*")


class Told(Struct, frozen=True):
    """One entry of a feed as an item, and the body that the feed has of it."""

    item: Item
    body: bytes

    @property
    def version(self) -> str:
        """The version of the item."""
        return self.item.version or ""


def told_of(place: Place, document: Document, *, full_text: bool, now: float) -> Iterator[Told]:
    """Yield each entry once, the last in the feed first: most feeds have the newest in front.

    Of several that are the same entry the first in the feed counts.
    """
    shared = _shared_guids(document)
    newest = {key_of(place, entry, shared): entry for entry in reversed(document.entries)}
    for key, entry in newest.items():
        yield _told(place, document, key, entry, full_text=full_text, now=now)


def key_of(place: Place, entry: Entry, shared: frozenset[str] = frozenset()) -> str:
    """Return the identity of an entry: its guid, else its link, else a hash of its text.

    Args:
        place: The feed: guids are unique within one only.
        entry: The entry.
        shared: Guids that this feed gives to different things; they identify nothing.
    """
    name = entry.guid if entry.guid not in shared else ""
    name = name or tidy_link(entry.link) or f"text-{_hash(entry.title, visible(entry.html))}"
    return f"{place.id}:{without_secrets(name)}"


def key_of_guid(place: Place, guid: str) -> str:
    """Return the identity of the entry with this guid."""
    return f"{place.id}:{without_secrets(guid)}"


def _shared_guids(document: Document) -> frozenset[str]:
    """Return the guids that stand at entries with different links: some feeds repeat the site's address."""
    links: dict[str, set[str]] = {}
    for entry in document.entries:
        if entry.guid and entry.link:
            links.setdefault(entry.guid, set()).add(tidy_link(entry.link))
    repeated = Counter(entry.guid for entry in document.entries)
    return frozenset(guid for guid, different in links.items() if len(different) > 1 and repeated[guid] > 1)


def tidy_link(link: str) -> str:
    """Return a link without what tells only from where it is followed."""
    before, mark, query = link.partition("?")
    if not mark:
        return link
    kept = _CAMPAIGN.sub("", query).lstrip("&")
    return f"{before}?{kept}" if kept else before


def _told(place: Place, document: Document, key: str, entry: Entry, *, full_text: bool, now: float) -> Told:
    link = without_secrets(tidy_link(entry.link))
    first = next((without_secrets(one.url) for one in entry.enclosures), "")
    published, updated = _believed(entry.published, now), _believed(entry.updated, now)
    metadata = {"feed": document.title or place.shown}
    if first:
        metadata["enclosure"] = first
    body = body_of(entry)
    item = Item(
        key=key,
        path=_path(place, key, link),
        version=_version(entry, link, full_text=full_text),
        size=None if full_text else len(body),
        content_type="text/html",
        modified_at=max(filter(None, (published, updated)), default=None),
        created_at=published,
        title=entry.title or None,
        url=link or first or None,
        author=entry.author or None,
        tags=entry.tags,
        metadata=metadata,
    )
    return Told(item, body)


def _path(place: Place, key: str, link: str) -> str:
    """Return where the entry is found: host and path of its link, else the feed's host and its identity."""
    if not link:
        return f"{place.host}/{key.partition(':')[2]}"
    parts = urlsplit(link)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}{query}"


def _version(entry: Entry, link: str, *, full_text: bool) -> str:
    """Return a hash of what people read; dates, markup and the parameters of files change by themselves."""
    files = [one.url.partition("?")[0] for one in entry.enclosures]
    rest = json.dumps([sorted(entry.tags), files, full_text])
    return _hash(entry.title, entry.author, link, visible(entry.html), rest)


def _hash(*parts: str) -> str:
    told = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(told).hexdigest()[:16]


def _believed(seconds: float | None, now: float) -> float | None:
    """Return a date that can be true: a little ahead of the clock is now, others of the future are none."""
    if seconds is None or seconds < _OLDEST or seconds > now + DAY_SECONDS:
        return None
    return min(seconds, now)


def body_of(entry: Entry) -> bytes:
    """Return title, text and files of an entry as a page of HTML."""
    title = html.escape(entry.title, quote=False)
    files = "".join(f"<li>{html.escape(_file_name(one.url))}</li>" for one in entry.enclosures)
    page = (
        f"<html><head><title>{title}</title></head><body>"
        + (f"<h1>{title}</h1>\n" if title else "")
        + entry.html
        + (f"\n<p>Files:</p><ul>{files}</ul>" if files else "")
        + "</body></html>"
    )
    return page.encode("utf-8", "replace")


def _file_name(url: str) -> str:
    parts = urlsplit(url)
    return parts.path.rstrip("/").rpartition("/")[2] or parts.netloc
