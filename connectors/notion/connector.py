"""The connector: what the platform asks of a Notion workspace."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from catchment.kit import (
    BrowsePage,
    Capability,
    ChangeFeed,
    Complete,
    Connector,
    Content,
    FeedEvent,
    Found,
    Handshake,
    Item,
    Kind,
    ListingEvent,
    Scope,
    Session,
    SourceAddress,
)
from catchment.kit.selection import Selection
from connectors.notion import config as settings
from connectors.notion.api import Api
from connectors.notion.attached import NO_LIMIT, Attached
from connectors.notion.body import RecentBodies
from connectors.notion.browse import browse_level
from connectors.notion.changes import Changes, mark_at, since_of
from connectors.notion.config import NotionConfig
from connectors.notion.credentials import NotionCredentials
from connectors.notion.downloads import Downloads
from connectors.notion.file_reading import FileReader
from connectors.notion.files import PREFIX, Wanted
from connectors.notion.finding import Finder
from connectors.notion.health import nothing_shared, probe
from connectors.notion.items import RecentRows
from connectors.notion.listing import Listing, Within
from connectors.notion.people import People
from connectors.notion.reading import Reader
from connectors.notion.webhook import read_delivery, read_handshake
from connectors.notion.words import dashed

WORKSPACE = "workspace"
"""Key of the scope that is all that is shared."""


class Notion(Connector[NotionConfig, NotionCredentials]):
    """What is shared with an integration in one workspace.

    A listing is made anew when it breaks off: it costs a request for a hundred pages, reading them costs two
    each, and what is in the index is not read again.
    """

    slug: ClassVar[str] = "notion"
    display_name: ClassVar[str] = "Notion"
    kind: ClassVar[Kind] = Kind.LISTING
    config_model = NotionConfig
    credentials_model = NotionCredentials
    change_feed: ClassVar[ChangeFeed] = ChangeFeed.PARTIAL
    fetches: ClassVar[int] = 6
    scopes_needed: ClassVar[tuple[str, ...]] = (
        "Read content",
        "Read comments (optional)",
        "Read user information without email addresses (optional)",
    )
    confirms_absence: ClassVar[bool] = True
    blind_spots: ClassVar[tuple[str, ...]] = (
        "Who may read a page in Notion is not told by its API. Whoever has a role on the collection sees "
        "the documents.",
        "Only what is shared with the integration exists for it; what is shared no more looks deleted.",
        "Search may leave pages out, or tell of them late: a new page that it passes over comes with a later "
        "listing. None goes on its word alone; each is asked for first.",
        "A comment does not count as an edit: comments on a page that is not edited come with a webhook, or "
        "with the page's next edit. Comments on single blocks, and settled ones, are not told.",
        "Files in comments, covers and icons are not read, nor more than a thousand in a page, nor those in "
        "pages that include, exclude or the age limit leave out; those that lie elsewhere are read only if "
        "the settings say so.",
        "A change of a database's own title or description is seen when its data source changes.",
        "Rollups and formulas that change because other pages do, and renamed people, are seen with the "
        "next edit of the page itself.",
        "A rollup shows at most what Notion puts into the page.",
        "Types of blocks that the API does not tell are noted in the text, without their content.",
        "incremental runs see edits and what went into the trash; what was deleted for good, moved out of "
        "the chosen pages or is shared no more is seen by the next complete listing.",
    )

    def __init__(
        self, config: NotionConfig, credentials: NotionCredentials, session: Session | None = None
    ) -> None:
        super().__init__(config, credentials, session)
        self.api = Api(config, credentials, self.session)
        self._rows = RecentRows()
        self._people = People(self.api)
        self._wanted = Wanted(hosted=config.files, external=config.external_files)
        bodies = RecentBodies()
        self._attached = Attached(
            self.api,
            bodies,
            self._people,
            self.session,
            wanted=self._wanted,
            selection=Selection.of(config, max_file_bytes=NO_LIMIT),
        )
        clock = self.session.clock
        self._reader = Reader(
            self.api,
            self._rows,
            bodies,
            self._attached,
            clock,
            wanted=self._wanted,
            comments=config.comments,
        )
        self._downloads = Downloads(self.session)
        self._files = FileReader(self.api, self._people, self._downloads, clock, wanted=self._wanted)

    @classmethod
    def address(cls, text: str) -> SourceAddress | None:
        """Recognise ``notion://`` and the address of a page at notion.so, notion.site or app.notion.com."""
        return settings.address(text)

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        """Return the address of the API and the chosen pages."""
        return settings.identity(config)

    def check(self) -> list[Capability]:
        """Try the sign-in, a listing, a page, its comments, and the names of people."""
        return probe(self)

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:
        """Return what lies below a page, database or data source, a hundred at a time.

        Raises:
            SourceError: It cannot be read.
        """
        return browse_level(self.api, parent_id, page)

    def scopes(self) -> list[Scope]:
        """Return one scope for each chosen page or database, or one for all that is shared."""
        if not self.config.roots:
            return [Scope(WORKSPACE, "Workspace")]
        return [Scope(root, root) for root in self.config.roots]

    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:  # noqa: ARG002
        """Yield every page, row and data source of a scope; last `Complete`.

        Raises:
            SourceError: Not everything could be listed; what was before was yielded.
            RunCancelled: The run was asked to stop.
        """
        return self._listing(scope, anew=False)

    def listing_with_content(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:  # noqa: ARG002
        """Yield what `listing` does, having read every page for its files: each will be read anyway.

        Raises:
            SourceError: As `listing`.
        """
        return self._listing(scope, anew=True)

    def _listing(self, scope: Scope, *, anew: bool) -> Iterator[ListingEvent]:
        now = self.session.clock.now()
        root = None if scope.key == WORKSPACE else scope.key
        listing = Listing(self.api, self._rows, self._people, self._attached, now=now)
        items = listing.items(_within(scope), root)
        yield from self._attached.with_files(items, self._finder(now).file, now=now, anew=anew)
        yield Complete(mark_at(now))

    def _finder(self, now: float) -> Finder:
        return Finder(self.api, self._rows, self._people, wanted=self._wanted, now=now)

    def doubt_empty(self, scope: Scope) -> None:
        """Refuse a scope in which nothing is shared: it is how a forgotten connection looks.

        Raises:
            ConfigRejected: Nothing is shared.
        """
        raise nothing_shared(None if scope.key == WORKSPACE else scope.key)

    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        """Yield what was edited since the cursor and what went into the trash, then `Complete`.

        Raises:
            CursorExpired: The cursor is none of this connector's.
            SourceError: Notion does not answer.
        """
        now = self.session.clock.now()
        since = since_of(cursor, now=now) if cursor is not None else 0.0
        finder = self._finder(now)
        looked = Changes(self.api, self._rows, self._people, self._attached, finder, now=now)
        yield from looked.events(since, _within(scope))
        yield Complete(mark_at(now))

    def fetch(self, item: Item) -> Content:
        """Return a page or data source as one Markdown document, read at once, or a file as it is.

        Raises:
            ItemUnreadable: gone; of a file also permission or bad_address.
            SourceError: Notion, or the host of a file, does not answer.
        """
        if item.key.startswith(PREFIX):
            return self._files.content(item)
        return self._reader.content(item)

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        """Look up pages, data sources and files by key; names that are no ids are paths, and cost a listing.

        Raises:
            SourceError: Notion does not answer, so that nothing can be said about absence.
        """
        finder = self._finder(self.session.clock.now())
        paths = [name for name in names if not _is_key(name)]
        for name in names:
            if not _is_key(name):
                continue
            found = finder.find(name)
            if found is None:
                yield Found(name, None)
                continue
            item, way = found
            scope = next((each.key for each in scopes if _within(each)(way.ids)), None)
            yield Found(name, self._attached.recognised(item) if scope is not None else None, scope)
        if paths:
            yield from super().find(scopes, paths)

    def is_there(self, key: str) -> bool:
        """Whether a page, database or data source can be seen, and is not in the trash.

        Raises:
            SourceError: Notion does not answer.
        """
        return self._finder(0.0).sees(key)

    @staticmethod
    def handshake(headers: Mapping[str, str], body: bytes, secret: str) -> Handshake | None:
        """Take the verification token that a new subscription tells.

        Raises:
            PermissionMissing: Another one is stored already.
        """
        return read_handshake(headers, body, secret)

    @staticmethod
    def webhook(
        headers: Mapping[str, str], body: bytes, secret: str, *, now: float | None = None
    ) -> list[FeedEvent]:
        """Verify a delivery and return what it reports: what to look at, or what went into the trash.

        Raises:
            PermissionMissing: The signature is absent or wrong, or the delivery is old.
        """
        return read_delivery(headers, body, secret, now=time.time() if now is None else now)

    def close(self) -> None:
        """Let go of connections."""
        self._downloads.close()
        self.api.close()


def _is_key(name: str) -> bool:
    return dashed(name) == name or name.startswith(PREFIX)


def _within(scope: Scope) -> Within:
    return lambda ids: scope.key == WORKSPACE or scope.key in ids
