"""The connector: what the platform asks of feeds."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from msgspec.structs import replace

from catchment.core.errors import AuthRejected, SourceError
from catchment.kit import (
    BrowsePage,
    Capability,
    ChangeFeed,
    Complete,
    Connector,
    Content,
    FeedEvent,
    Found,
    Item,
    ItemUnreadable,
    Kind,
    OutOfScope,
    Scope,
    Session,
    SourceAddress,
)
from connectors.rss import addresses
from connectors.rss.addresses import Place
from connectors.rss.articles import read_article
from connectors.rss.browse import browse_entries, browse_feeds, browse_named
from connectors.rss.config import RSSConfig
from connectors.rss.credentials import RSSCredentials
from connectors.rss.entries import BODY_TYPE, Told, told_of
from connectors.rss.following import Following
from connectors.rss.health import probe
from connectors.rss.mark import Mark
from connectors.rss.model import Document
from connectors.rss.reading import DAY_SECONDS, NotAFeed, Read, Reader
from connectors.rss.shelf import Shelf
from connectors.rss.web import Web


class RSS(Connector[RSSConfig, RSSCredentials | None]):
    """The entries of feeds.

    Each feed is a scope. Its mark holds the server's validators and a hash of each entry shown, so that a
    feed that did not change costs one request without a body.
    """

    slug: ClassVar[str] = "rss"
    display_name: ClassVar[str] = "RSS and Atom"
    kind: ClassVar[Kind] = Kind.FEED
    config_model = RSSConfig
    credentials_model = RSSCredentials
    credentials_required: ClassVar[bool] = False
    change_feed: ClassVar[ChangeFeed] = ChangeFeed.PARTIAL
    fetches: ClassVar[int] = 4
    blind_spots: ClassVar[tuple[str, ...]] = (
        "A feed shows only its newest entries: what came and went between two runs is not seen, unless the "
        "feed links to its older pages.",
        "An entry that disappears from a feed stays as a document; only a tombstone of Atom removes it.",
        "A page that changes while its entry stays as it is is not read again; a full run does.",
        "A change of links, pictures or dates alone is not seen.",
        "An entry without guid and link is known by its text, so an edit makes a new document of it.",
        "The same article in two feeds is two documents.",
        "A feed at a new address is another feed, unless its server redirects there for good.",
    )

    def __init__(
        self, config: RSSConfig, credentials: RSSCredentials | None = None, session: Session | None = None
    ) -> None:
        super().__init__(config, credentials, session)
        self.web = Web(config.places, credentials, self.session)
        self._reader = Reader(self.web, self.session)
        self._shelf = Shelf()
        self._refilling = threading.Lock()

    @classmethod
    def address(cls, text: str) -> SourceAddress | None:
        """Recognise ``feed:`` addresses, and web addresses that are called like a feed.

        Raises:
            ConfigRejected: It is one, and cannot work.
        """
        return addresses.address(text)

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        """Return the addresses of the feeds."""
        return addresses.identity(config)

    def check(self) -> list[Capability]:
        """Try to read each feed (list), and the page of one entry where full texts are wanted (read)."""
        return probe(self)

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:
        """Return the feeds, or the entries of one; of an address that is a web page, the feeds it names.

        Raises:
            OutOfScope: There is no such feed.
            SourceError: The feed cannot be read.
        """
        if parent_id is None:
            return browse_feeds(self.config.places)
        place = next((one for one in self.config.places if parent_id in (one.shown, one.url)), None)
        if place is None:
            raise OutOfScope(f"{parent_id!r} is none of the feeds that are set.")
        try:
            return browse_entries(self.told(place), page)
        except NotAFeed as error:
            if not error.feeds:
                raise
            return browse_named(error.feeds)

    def scopes(self) -> list[Scope]:
        """Return one scope for each feed."""
        return [Scope(place.scope, place.shown) for place in self.config.places]

    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        """Yield the entries that are new or different, and those that the feed says were taken away.

        Older pages are followed to their end once, and later until a page shows something as it was known.

        Raises:
            CursorExpired: The mark is none of ours.
            ConfigRejected: There is no feed at the address.
            SourceError: The feed cannot be read.
        """
        place = next(one for one in self.config.places if one.scope == scope.key)
        mark = Mark.read(cursor) if cursor is not None else None
        if mark is not None and mark.meaning != self.config.meaning:
            mark = replace(mark, etag="", modified="", digest="", whole_at=0.0, entries={})
        read = self._reader.first(place, mark, whole_after_seconds=self._whole_after_seconds)
        if read is None:
            yield Complete(cursor)
            return
        now = self._fresh_mark(read, mark)
        following = Following(
            self._reader,
            place,
            before=mark,
            after=now,
            tell=lambda document: self._told(place, document),
            take=self._with_content,
        )
        yield from following.events(read.document, history=self.config.history)
        yield Complete(now.text())

    def fetch(self, item: Item) -> Content:
        """Return the page that an entry links to where it is wanted and readable, else the feed's text.

        Raises:
            ItemUnreadable: The feed shows the entry no longer.
            SourceError: The server does not answer now.
        """
        body = self._shelf.get(item.key) or self._refill(item.key)
        reason = ""
        if self.config.full_text:
            got = read_article(self.web, item, body, most_bytes=self.config.max_file_bytes)
            if isinstance(got, Content):
                return got
            reason = got.reason
        return Content(body, BODY_TYPE, _noted(item, reason))

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        """Look entries up by key, path or link, in what the feeds show now; absence there proves nothing.

        Raises:
            SourceError: None of the feeds in question can be read.
        """
        known: dict[str, tuple[Item, str]] = {}
        errors: dict[str, SourceError] = {}
        asked = self._places_of(scopes, names)
        for place in asked:
            try:
                told = self.told(place)
            except AuthRejected:
                raise
            except SourceError as error:
                errors[place.id] = error
                continue
            for one in told:
                item = self._with_content(one)
                for name in (item.key, item.path, item.url):
                    if name:
                        known.setdefault(name, (item, place.scope))
        if errors and len(errors) == len(asked):
            raise next(iter(errors.values()))
        for name in names:
            if name in known:
                yield Found(name, known[name][0], known[name][1])
            else:
                failed = errors.get(name.partition(":")[0])
                yield Found(name, None, unknown=str(failed or "The feed shows it no longer, or never did."))

    def close(self) -> None:
        """Let go of connections."""
        self.web.close()

    def told(self, place: Place) -> list[Told]:
        """Return what a feed shows now, the oldest first.

        Raises:
            ConfigRejected: There is no feed at the address.
            SourceError: It cannot be read.
        """
        read = self._reader.first(place, None)
        return list(self._told(place, read.document)) if read is not None else []

    @property
    def _whole_after_seconds(self) -> float:
        """After how long a feed is read whole, whatever its server says of changes."""
        seconds = self.config.reconcile_seconds
        return DAY_SECONDS if seconds is None else float(seconds)

    def _fresh_mark(self, read: Read, mark: Mark | None) -> Mark:
        whole_at = self.session.clock.now() if read.whole or mark is None else mark.whole_at
        return Mark(self.config.meaning, read.moved, read.etag, read.modified, read.digest, whole_at)

    def _told(self, place: Place, document: Document) -> Iterator[Told]:
        return told_of(place, document, full_text=self.config.full_text, now=self.session.clock.now())

    def _with_content(self, one: Told) -> Item:
        """Return the item with what the feed brings, where that is all that is wanted."""
        self._shelf.put(one.item.key, one.body)
        if self.config.full_text:
            return one.item
        return replace(one.item, content=Content(one.body, BODY_TYPE))

    def _refill(self, key: str) -> bytes:
        """Read the feed of an entry once more, and return what it has of it.

        Raises:
            ItemUnreadable: It shows the entry no longer.
        """
        place = next((one for one in self.config.places if key.startswith(f"{one.id}:")), None)
        if place is None:
            raise ItemUnreadable(key, "out_of_scope", "It belongs to a feed that is not set.")
        with self._refilling:
            if self._shelf.get(key) is None:
                for one in self.told(place):
                    self._shelf.put(one.item.key, one.body)
        body = self._shelf.get(key)
        if body is None:
            raise ItemUnreadable(key, "not_shown", "The feed shows this entry no longer.")
        return body

    def _places_of(self, scopes: Sequence[Scope], names: Sequence[str]) -> list[Place]:
        """Return the feeds that could have one of the names: keys tell theirs, paths and links do not."""
        wanted = {scope.key for scope in scopes}
        places = [place for place in self.config.places if place.scope in wanted]
        ids = {place.id for place in places}
        named = {name.partition(":")[0] for name in names}
        return [place for place in places if place.id in named] if named <= ids else places


def _noted(item: Item, reason: str) -> Item | None:
    """Return the item with a remark why its page was not read; None where there is none."""
    if not reason:
        return None
    return replace(item, metadata={**item.metadata, "full_text": f"no: {reason}"[:200]})
