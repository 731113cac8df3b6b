"""One feed from its server: conditional requests, redirects, and answers that are no feed."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from queue import Empty, Queue
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from catchment.core.errors import SourceError
from catchment.core.secrets import without_secrets
from catchment.kit import AuthRejected, ConfigRejected, Session, SourceBusy, SourceDown
from connectors.rss.addresses import Place
from connectors.rss.formats import read_document
from connectors.rss.mark import Mark
from connectors.rss.model import BrokenFeed, Document, NoFeed
from connectors.rss.web import BadAddress, Web

MOST_BYTES = 8 * 1024 * 1024
"""Longest feed: reading it takes up to seven seconds of processor time and 150 MiB."""
DAY_SECONDS = 86_400.0
_LARGE_BYTES = 256 * 1024
_TICK_SECONDS = 0.2
_TRIES = 3
_PAUSE_SECONDS = 2.0
_FORMATS = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, */*;q=0.5"
)
_ABSENT = frozenset({404, 410})
_FOR_GOOD = (301, 308)


class Read(Struct):
    """A page of a feed that was read.

    Attributes:
        document: What stands in it.
        moved: Address to read it at from now on; empty for the one that was asked.
        etag: The server's mark, where it may be sent along next time.
        modified: The server's time, as it wrote it; likewise.
        digest: Hash of the bytes.
        whole: Whether it was asked for without a condition.
    """

    document: Document
    moved: str = ""
    etag: str = ""
    modified: str = ""
    digest: str = ""
    whole: bool = True


class Gone(ConfigRejected):
    """The server has no such feed."""


class NotAFeed(ConfigRejected):
    """What the server answers is something else; `feeds` are address and title of feeds that it names."""

    def __init__(
        self, message: str, *, feeds: tuple[tuple[str, str], ...], setting: str, remedy: str
    ) -> None:
        super().__init__(message, setting=setting, remedy=remedy)
        self.feeds = feeds


class Reader:
    """Reads feeds; used by many threads at once."""

    def __init__(self, web: Web, session: Session) -> None:
        self._web = web
        self._session = session

    def first(
        self, place: Place, mark: Mark | None, *, whole_after_seconds: float = DAY_SECONDS
    ) -> Read | None:
        """Return the first page of a feed, or None where nothing changed since the mark.

        Once a day it is asked for whatever the server says of changes: some never tell of any.

        Raises:
            ConfigRejected: There is no feed at this address.
            SourceError: It cannot be read.
        """
        if mark is None:
            return self._page(place, place.url, None)
        # A clock that was ahead for a while has left a time that has not come.
        asks_whole = not 0 <= self._session.clock.now() - mark.whole_at < whole_after_seconds
        condition = None if asks_whole else mark
        if not mark.url:
            return self._page(place, place.url, condition)
        try:
            read = self._page(place, mark.url, condition)
        except (SourceBusy, AuthRejected):
            raise
        except SourceError:
            # What once moved for good may have moved back, or its new server have ended.
            return self._page(place, place.url, None)
        if read is not None and not read.moved:
            read.moved = mark.url
        return read

    def older(self, place: Place, url: str) -> Document | None:
        """Return a further page of a feed, or None where there is none.

        Raises:
            SourceError: It cannot be read.
        """
        try:
            read = self._page(place, url, None)
        except (Gone, BadAddress):
            return None
        return read.document if read is not None else None

    def _page(self, place: Place, url: str, mark: Mark | None) -> Read | None:
        for left in range(_TRIES - 1, -1, -1):
            try:
                return self._once(place, url, mark)
            except BrokenFeed as error:
                if not left:
                    raise SourceDown(f"{place.shown}: {error.message}") from error
                self._session.wait(_PAUSE_SECONDS, f"{place.host}: the feed came incomplete")
            except NoFeed as error:
                raise _no_feed(place, error) from error
        raise AssertionError

    def _once(self, place: Place, url: str, mark: Mark | None) -> Read | None:
        headers = {"Accept": _FORMATS, **_conditions(mark)}
        response = self._web.get(url, accept=_ABSENT, headers=headers, most_bytes=MOST_BYTES)
        if response.status_code in _ABSENT:
            raise _absent(place, response.status_code)
        if response.status_code == httpx.codes.NOT_MODIFIED:
            if mark is None:
                raise BrokenFeed("The server says that nothing changed, though it was not asked that.")
            return None
        body = response.content
        digest = hashlib.sha256(body).hexdigest()[:32]
        if mark is not None and mark.digest == digest:
            return None
        kind, at = response.headers.get("content-type", ""), str(response.url)
        document = _aside(self._session, len(body), lambda: read_document(body, kind, at))
        return Read(
            document,
            moved=_moved(url, response),
            # Of what is not sound a part may be missing, so it is read again whole.
            etag=response.headers.get("etag", "") if document.sound else "",
            modified=response.headers.get("last-modified", "") if document.sound else "",
            digest=digest,
            whole=mark is None,
        )


def _aside(session: Session, size: int, act: Callable[[], Document]) -> Document:
    """Read a large feed in a thread of its own: it takes seconds, and a run that must end leaves it."""
    if size <= _LARGE_BYTES:
        return act()
    line: Queue[Document | Exception] = Queue()

    def work() -> None:
        try:
            line.put(act())
        except Exception as error:
            line.put(error)

    threading.Thread(target=work, name="feed", daemon=True).start()
    while True:
        session.check_stop()
        try:
            result = line.get(timeout=_TICK_SECONDS)
        except Empty:
            continue
        if isinstance(result, Exception):
            raise result
        return result


def _conditions(mark: Mark | None) -> dict[str, str]:
    if mark is None:
        return {}
    told = {"If-None-Match": mark.etag, "If-Modified-Since": mark.modified}
    return {name: value for name, value in told.items() if value}


def _moved(url: str, response: httpx.Response) -> str:
    """Return where redirects that hold for good lead; what holds a secret is not kept."""
    moved = ""
    for hop in response.history:
        if hop.status_code not in _FOR_GOOD or hop.next_request is None:
            break
        moved = str(hop.next_request.url)
    if moved == url or without_secrets(moved) != moved or urlsplit(moved).scheme not in ("http", "https"):
        return ""
    return moved


def _absent(place: Place, status: int) -> Gone:
    if status == httpx.codes.GONE:
        return Gone(
            f"The feed {place.shown} is gone for good: the server answered 410.",
            setting=place.setting,
            remedy="Take it out of the settings. Its documents stay until then.",
        )
    return Gone(
        f"There is no feed at {place.shown}: the server answered 404.",
        setting=place.setting,
        remedy="Check the address.",
    )


def _no_feed(place: Place, error: NoFeed) -> NotAFeed:
    remedy = "Check the address."
    if error.feeds:
        named = ", ".join(without_secrets(url) for url, _ in error.feeds[:5])
        remedy = f"Its page names these feeds: {named}."
    return NotAFeed(
        f"What {place.shown} answers is no feed, but {error.what}.",
        feeds=error.feeds,
        setting=place.setting,
        remedy=remedy,
    )
