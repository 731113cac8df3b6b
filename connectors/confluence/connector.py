"""The connector: what the platform asks of a site."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from msgspec.structs import replace

from catchment.kit import (
    AccessList,
    Acl,
    BrowsePage,
    Capability,
    ChangeFeed,
    Complete,
    ConfigRejected,
    Connector,
    Content,
    FeedEvent,
    Found,
    Item,
    Kind,
    ListingEvent,
    Scope,
    Session,
    SourceAddress,
)
from connectors.confluence import address as addresses
from connectors.confluence import config as settings
from connectors.confluence import webhook as webhooks
from connectors.confluence.access import Access, Rights
from connectors.confluence.browse import browse
from connectors.confluence.changes import MOST_SEEN, Cursor, changes, is_young, mark_after
from connectors.confluence.client import Client
from connectors.confluence.cloud import Cloud
from connectors.confluence.config import ConfluenceConfig, ConfluenceCredentials
from connectors.confluence.datacenter import DataCenter
from connectors.confluence.datacenter_reading import DataCenterReading
from connectors.confluence.datacenter_rights import DataCenterRights
from connectors.confluence.fetching import fetch, text_of
from connectors.confluence.health import probe
from connectors.confluence.people import People
from connectors.confluence.reading import CloudReading, Reading
from connectors.confluence.records import Space, item_of
from connectors.confluence.rights import CloudRights
from connectors.confluence.storage import mentioned

WHOLE_SITE = "*"
"""Key of the scope that is the whole site; no space can be called so."""
_ID = re.compile(r"(att)?\d{1,18}")


class Confluence(Connector[ConfluenceConfig, ConfluenceCredentials | None]):
    """Pages, blog posts, comments and attachments of chosen spaces, or of all.

    A listing reads 250 at a time, the first one with the texts, so it has no positions to resume at: one that
    was cut off is made again, and what the ledger has is not fetched again.
    """

    slug: ClassVar[str] = "confluence"
    display_name: ClassVar[str] = "Confluence"
    kind: ClassVar[Kind] = Kind.LISTING
    config_model = ConfluenceConfig
    credentials_model = ConfluenceCredentials
    change_feed: ClassVar[ChangeFeed] = ChangeFeed.PARTIAL
    acl: ClassVar[Acl] = Acl.SOURCE
    fetches: ClassVar[int] = 8
    scopes_needed: ClassVar[tuple[str, ...]] = (
        "offline_access",
        "read:space:confluence",
        "read:page:confluence",
        "read:folder:confluence",
        "read:attachment:confluence",
        "read:comment:confluence",
        "read:label:confluence",
        "read:user:confluence",
        "read:space.permission:confluence",
        "readonly:content.attachment:confluence",
        "read:confluence-content.all",
        "read:confluence-groups",
    )
    blind_spots: ClassVar[tuple[str, ...]] = (
        "What was deleted, archived or moved is not reported: a complete listing finds it, which every "
        "automatic run makes.",
        "Labels that are added or taken away make no version: they are seen when the page is read again.",
        "Resolving a comment makes no version and is not seen.",
        "Who may read is asked by a refresh of permissions; a change of restrictions makes no version.",
        "People whom texts mention, and authors of texts, have the names that the site tells at the time of "
        "reading; authors of files, and whoever hides his profile, are told by account id. A name that is "
        "changed is seen with the next version of the text.",
        "Macros that are put together when a page is viewed (lists of pages, included pages, Jira queries) "
        "leave only the names that their settings have.",
        "Whiteboards, databases and drafts are not read; pages below them are, without the names above.",
        "An incremental run asks by the clock of this machine: one that differs from the site's by more than "
        "ten minutes can miss changes until the next complete listing.",
        "Cloud delivers webhooks to apps alone, not to tokens and sign-ins: without an app of one's own it "
        "is polled.",
    )

    def __init__(
        self,
        config: ConfluenceConfig,
        credentials: ConfluenceCredentials | None = None,
        session: Session | None = None,
    ) -> None:
        super().__init__(config, credentials, session)
        self.client = Client(config, credentials, self.session)
        self.api: Cloud | DataCenter
        self.reading: Reading
        self.rights: Rights
        if self.client.is_data_center:
            server = DataCenter(self.client, include_archived=config.include_archived)
            self.api, self.reading = server, DataCenterReading(server, config)
            self.rights = DataCenterRights(self.client, server)
        else:
            cloud = Cloud(self.client, include_archived=config.include_archived)
            self.api, self.reading = cloud, CloudReading(cloud, config)
            self.rights = CloudRights(self.client, cloud)
        self._access = Access(self.rights)
        self._people = People(self.client)
        self._spaces: dict[str, Space] = {}

    @classmethod
    def address(cls, text: str) -> SourceAddress | None:
        """Recognise the address of a site, space or page in Cloud."""
        return addresses.address(text)

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        """Return site and spaces."""
        return settings.identity(config)

    def check(self) -> list[Capability]:
        """Try the sign-in, each space, each kind of content, and the access lists."""
        return probe(self)

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:
        """Return spaces, the pages at the top of a space, or those below a page.

        Raises:
            SourceError: The site cannot be read.
        """
        return browse(self, parent_id, page)

    def scopes(self) -> list[Scope]:
        """Return one scope for each space that is named, or the whole site."""
        keys = self.config.space_keys
        return [Scope(key, key) for key in keys] or [Scope(WHOLE_SITE, self.config.instance_url)]

    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:  # noqa: ARG002
        """Yield everything in a scope; last `Complete`.

        Raises:
            SourceError: A page of a list cannot be had; all before it was yielded.
            RunCancelled: The run was asked to stop.
        """
        return self._listing(scope, with_bodies=False)

    def listing_with_content(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:  # noqa: ARG002
        """Yield everything in a scope; in Cloud with the texts, which come 250 at a time.

        Raises:
            SourceError: As `listing`.
        """
        return self._listing(scope, with_bodies=True)

    def _listing(self, scope: Scope, *, with_bodies: bool) -> Iterator[ListingEvent]:
        began = self.session.clock.now()
        young: list[Item] = []
        walked = self.reading.walk(self.space_of(scope), with_bodies=with_bodies)
        for located in self._people.known_before(walked) if with_bodies else walked:
            item, record = item_of(located), located.record
            if record.body is not None:
                names = self._people.names([*mentioned(record.body), *filter(None, [record.author])])
                item.author = names.get(item.author or "", item.author)
                item.content = Content.text(text_of(record, names))
            if len(young) <= MOST_SEEN and is_young(item, now=began):
                young.append(replace(item, content=None))
            yield item
        yield Complete(mark_after(young, now=began))

    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        """Yield what had a new version since the cursor, oldest first.

        Raises:
            CursorExpired: The cursor cannot be read, or too much was changed.
            SourceError: The site cannot be read.
        """
        now = self.session.clock.now()
        return changes(self.reading, self.space_of(scope), Cursor.read(cursor, now=now), now=now)

    def fetch(self, item: Item) -> Content:
        """Return a text as Markdown, or a file; larger files as a stream.

        Raises:
            ItemUnreadable: gone, or permission.
            SourceError: The site cannot be read.
        """
        return fetch(self.client, self.api, self._people, item)

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        """Look up content by id; paths are found by listing.

        Raises:
            SourceError: The site cannot be read, so that nothing can be said about absence.
        """
        wanted = {scope.key for scope in scopes}
        ids = [name for name in names if _ID.fullmatch(name)]
        for id_, located in self.reading.look_up(ids):
            key = WHOLE_SITE if WHOLE_SITE in wanted else (located.space_key if located is not None else "")
            if located is None or key not in wanted:
                yield Found(id_, None)
            else:
                yield Found(id_, item_of(located), key)
        paths = [name for name in names if not _ID.fullmatch(name)]
        if paths:
            yield from super().find(scopes, paths)

    def admits(self, path: str) -> bool:
        """Tell whether a path lies in one of the spaces that are named."""
        keys = self.config.space_keys
        return not keys or path.partition("/")[0] in keys or _ID.fullmatch(path) is not None

    def permissions(self, items: Sequence[Item]) -> dict[str, AccessList]:
        """Return who may read each item: whom the space lets in, and every restriction above it.

        What cannot be found has no entry, and is seen by nobody.

        Raises:
            SourceError: Something that decides about it cannot be read.
        """
        return self._access.lists([item.key for item in items])

    @staticmethod
    def webhook(
        headers: Mapping[str, str], body: bytes, secret: str, *, now: float | None = None
    ) -> list[FeedEvent]:
        """Verify a delivery of Data Center, or of Cloud to an app, and return what it reports.

        Raises:
            PermissionMissing: The signature is absent or wrong, or the delivery is old.
        """
        return webhooks.events(headers, body, secret, now=time.time() if now is None else now)

    def close(self) -> None:
        """Let go of connections."""
        self.client.close()

    def space_of(self, scope: Scope) -> Space | None:
        """Return the space of a scope; None for the whole site.

        Raises:
            ConfigRejected: There is no such space, or not for this account.
            SourceError: The site cannot be read.
        """
        if scope.key == WHOLE_SITE:
            return None
        if scope.key not in self._spaces:
            found = {space.key: space for space in self.reading.spaces(self.config.space_keys)}
            self._spaces.update(found)
        if scope.key not in self._spaces:
            raise ConfigRejected(
                f"The site has no space {scope.key}, or does not show it to this account.",
                setting="space_keys",
                remedy="Check the key, and that the account may view the space.",
            )
        return self._spaces[scope.key]
