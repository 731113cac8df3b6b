"""The page that an entry links to, in place of what the feed brings of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx
from msgspec import Struct

from catchment.core.errors import SourceError
from catchment.kit import ConfigRejected, Content, Item, PermissionMissing
from catchment.kit.http import Missing, TooLong
from connectors.rss.decoding import decode
from connectors.rss.entries import BODY_TYPE
from connectors.rss.text import visible
from connectors.rss.web import Web

MOST_BYTES = 8 * 1024 * 1024
_HEADERS: Mapping[str, str] = {"Accept": "text/html, application/xhtml+xml, text/plain;q=0.8, */*;q=0.5"}
_REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 406, 410, 451})
_PAGES = ("text/html", "application/xhtml+xml")
_FILES = ("text/plain", "text/markdown", "application/pdf")


class Unread(Struct, frozen=True):
    """Why a page takes nobody's place."""

    reason: str


def read_article(web: Web, item: Item, feed_body: bytes, *, most_bytes: int | None) -> Content | Unread:
    """Return the page of an entry, or why what the feed brings is the better text.

    Raises:
        SourceError: The server does not answer now; another time it may.
    """
    if not (item.url or "").startswith(("http://", "https://")):
        return Unread("the entry has no link")
    most = min(most_bytes or MOST_BYTES, MOST_BYTES)
    try:
        response = _ask(web, item, most)
        if _breaks_off(response):
            response = _ask(web, item, most)
    except TooLong:
        return Unread("the page is too long")
    except (ConfigRejected, PermissionMissing, Missing) as error:
        return Unread(_lower(error))
    if response.status_code in _REFUSALS:
        return Unread(f"the server answered {response.status_code}")
    return _content(response, item, feed_body)


def _ask(web: Web, item: Item, most_bytes: int) -> httpx.Response:
    return web.get(item.url or "", accept=_REFUSALS, headers=_HEADERS, most_bytes=most_bytes)


def _breaks_off(response: httpx.Response) -> bool:
    """Whether a page ends inside of its article, whose end nobody may leave out."""
    page = response.content.lower()
    return response.is_success and page.count(b"<article") > page.count(b"</article")


def _lower(error: SourceError) -> str:
    """Return an error's sentence as a part of another one."""
    return error.message.rstrip(".")


def _content(response: httpx.Response, item: Item, feed_body: bytes) -> Content | Unread:
    declared = response.headers.get("content-type", "")
    kind = declared.partition(";")[0].strip().lower()
    if kind in _FILES:
        return Content(response.content, declared)
    if kind and kind not in _PAGES:
        return Unread(f"the link leads to {kind}")
    page = decode(response.content, declared)
    text = main_part(page)
    told = feed_body.decode("utf-8", "replace").partition("<body>")[2]
    if len(visible(text)) < len(visible(told)):
        # Pages that are made in the browser, or ask for a payment, have less than the feed.
        return Unread("the page has less text than the feed")
    title = f"<title>{_escaped(item.title)}</title>" if item.title else ""
    whole = f"<html><head>{title}</head><body>{text}</body></html>"
    return Content(whole.encode("utf-8", "replace"), BODY_TYPE)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def main_part(page: str) -> str:
    """Return the one article of a page, else its main part, else its body."""
    for name in ("article", "main"):
        begins = [found.start() for found in re.finditer(rf"<{name}[\s>]", page, re.IGNORECASE)]
        ends = [found.end() for found in re.finditer(rf"</{name}\s*>", page, re.IGNORECASE)]
        if len(begins) == 1 and ends and ends[-1] > begins[0]:
            return page[begins[0] : ends[-1]]
    body = re.search(r"<body[\s>]", page, re.IGNORECASE)
    return page[body.start() :] if body else page
