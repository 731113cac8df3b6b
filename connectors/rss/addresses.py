"""Addresses of feeds: how they are written, shown and recognised."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from msgspec import Struct

from catchment.core.secrets import without_secrets
from catchment.kit import ConfigRejected, SourceAddress

_PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile(r"(?:feed|rss):(?://)?", re.IGNORECASE)
_WEB = re.compile(r"https?://", re.IGNORECASE)
# What people call feeds; a page of any other name is left to other providers.
_FEED_NAME = re.compile(
    r"(?:^|/)(?:feeds?|rss2?|atom|index\.xml|[^/]*\.(?:rss|atom|rdf)|[^/]*(?:feed|rss|atom)[^/]*\.(?:xml|json))/?$",
    re.IGNORECASE,
)
_FEED_QUERY = re.compile(r"(?:^|&)(?:feed|format|type|alt)=(?:feed|rss2?|atom|json)(?:&|$)", re.IGNORECASE)


class Place(Struct, frozen=True, dict=True):
    """One feed as it is configured.

    Attributes:
        url: Its address; may hold a secret, and is not shown.
        setting: The setting that it stands in.
    """

    url: str
    setting: str = "feed_url"

    @cached_property
    def id(self) -> str:
        """A short name of the feed that begins the keys of its entries."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:12]

    @cached_property
    def shown(self) -> str:
        """The address without secrets."""
        return without_secrets(self.url)

    @cached_property
    def scope(self) -> str:
        """The name of the feed's scope: its address; two that differ only in a secret differ here, too."""
        return self.shown if self.shown == self.url else f"{self.shown}#{self.id}"

    @property
    def host(self) -> str:
        """The host of the feed."""
        return urlsplit(self.url).hostname or ""


def tidy(text: str) -> str:
    """Write the address of a feed in one way.

    Raises:
        ValueError: It is no address of a web server, or holds a password.
    """
    parts = _parts(text)
    if parts.username or parts.password:
        raise ValueError("the address of a feed has no user name and password; they are credentials")
    return _written(parts)


def _parts(text: str) -> SplitResult:
    text = text.strip()
    if (named := _SCHEME.match(text)) is not None:
        rest = text[named.end() :]
        text = rest if _WEB.match(rest) else f"http://{rest}"
    if not _WEB.match(text):
        raise ValueError("the address of a feed begins with https:// or http://")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("the address of the feed cannot be read") from None
    if not parts.hostname or re.search(r"[\s\x00-\x1f]", text) or port == 0:
        raise ValueError("the address of the feed cannot be read")
    return parts


def _written(parts: SplitResult) -> str:
    scheme = parts.scheme.lower()
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _PORTS[scheme]) else f":{parts.port}"
    return urlunsplit((scheme, f"{host}{port}", parts.path or "/", parts.query, ""))


def address(text: str) -> SourceAddress | None:
    """Recognise ``feed:`` addresses, and web addresses that are called like a feed.

    Raises:
        ConfigRejected: It is one, and cannot work.
    """
    text = text.strip()
    is_named = _SCHEME.match(text) is not None
    if not is_named and not _WEB.match(text):
        return None
    try:
        parts = _parts(text)
    except ValueError as error:
        if not is_named:
            return None
        raise ConfigRejected(
            f"This address cannot be used: {error}.",
            setting="feed_url",
            remedy="Write it as https://example.org/feed.xml.",
        ) from None
    if not is_named and not _FEED_NAME.search(parts.path) and not _FEED_QUERY.search(parts.query):
        return None
    place = Place(_written(parts))
    credentials = {
        name: unquote(value)
        for name, value in (("username", parts.username), ("password", parts.password))
        if value
    }
    return SourceAddress(
        name=f"{place.host}{parts.path}".rstrip("/"),
        config={"feed_url": place.url},
        identity=identity({"feed_url": place.url}),
        display=place.shown,
        credentials=credentials,
    )


def identity(config: Mapping[str, Any]) -> str:
    """Return a text that is equal for two configurations of the same feeds."""
    urls = {tidy(url) for url in (config["feed_url"], *(config.get("feed_urls") or ()))}
    return f"rss:{' '.join(sorted(urls))}"


def origin(url: str) -> str:
    """Return scheme, host and port of an address."""
    parts = _parts(url)
    return _written(parts._replace(path="", query="")).rstrip("/")
