"""The protocol of a connector: it states what it saw, and never decides what to do about it.

A connector is a class with plain generators. It knows its vendor and nothing else: no store, no
Prefect, no web framework. What is skipped, deleted or tried again is the sync's business.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from msgspec import Struct, field

from catchment.core.errors import ItemUnreadable
from catchment.core.items import Changed, Checkpoint, Complete, Content, Deleted, Found, Item, Scope
from catchment.kit.config import SourceConfig, SourceCredentials
from catchment.kit.health import Capability
from catchment.kit.session import Session
from catchment.kit.url import SourceAddress
from catchment.kit.webhook import Handshake

ConfigT = TypeVar("ConfigT", bound=SourceConfig)
CredentialsT = TypeVar("CredentialsT", bound=SourceCredentials | None)

ListingEvent = Item | Checkpoint | Complete
FeedEvent = Changed | Deleted | Checkpoint | Complete


class Kind(StrEnum):
    """What a source can tell about itself."""

    LISTING = "listing"
    """It can enumerate everything in scope, so what is absent is gone."""
    FEED = "feed"
    """It shows only what is new, by scope; absence means nothing."""
    PUSH = "push"
    """Nothing is fetched: the other side sends."""


class ChangeFeed(StrEnum):
    """How much `Connector.changes` reports."""

    NONE = "none"
    PARTIAL = "partial"
    """New and changed items, but not everything that disappears."""
    COMPLETE = "complete"
    """Deletions, moves and restores too, so that it can stand in for a listing."""


class Acl(StrEnum):
    """Who may see the documents."""

    NONE = "none"
    """The source has no access lists: whoever has a role on the collection."""
    SOURCE = "source"
    """Only those whom the source's own access lists name."""


class AccessEntry(Struct, frozen=True):
    """One who may read: kind is user, group, team or domain; subject is the source's name for them."""

    kind: str
    subject: str


class AccessList(Struct, frozen=True):
    """Who may read one item. `public` only on positive proof."""

    entries: tuple[AccessEntry, ...] = ()
    public: bool = False


class Resource(Struct, frozen=True):
    """Something that can be chosen in a picker.

    Attributes:
        id: What the configuration takes, and what `browse` takes as parent.
        name: What a person calls it.
        kind: folder, file, bucket, table, channel, repository, ...
        has_children: Whether browsing into it makes sense.
        size: Bytes, for files.
    """

    id: str
    name: str
    kind: str
    has_children: bool = False
    size: int | None = None


class BrowsePage(Struct, frozen=True):
    """One page of resources; `next_page` is None on the last."""

    resources: list[Resource] = field(default_factory=list)
    next_page: str | None = None


class Connector(ABC, Generic[ConfigT, CredentialsT]):
    """One configured source.

    Class attributes:
        slug: Identity of the provider, in kebab-case.
        display_name: What a person calls it.
        kind: See `Kind`.
        config_model: What a person fills in.
        credentials_model: What it signs in with; None where there is nothing to sign in to.
        credentials_required: Whether it works with stored credentials only; False where a sign-in may also
            come from the machine, or none is needed. Without any the connector is given None.
        change_feed: See `ChangeFeed`.
        acl: See `Acl`.
        version: Raised when the meaning of its cursors changes; older cursors are then dropped.
        fetches: Most bodies to fetch at a time; 1 reads them one after the other.
        fetches_together: Most items that one call of `fetch_many` takes. More than 1 is right where one
            request brings many small bodies (rows of a table); `fetch` is then not called by a run.
        resumable: Whether `listing` accepts a position in the middle. Right for listings that cost
            requests; where listing is cheap the ledger is checkpoint enough.
        confirms_absence: Whether what a complete listing did not name is looked up by `find` before it goes.
            Right where a listing may miss what is there, such as a search that lags.
        scopes_needed: Permissions to grant at the vendor.
        blind_spots: What this source cannot tell, in words for people.
        installed: False of what only stands in for code that is not there.
    """

    slug: ClassVar[str]
    display_name: ClassVar[str]
    kind: ClassVar[Kind] = Kind.LISTING
    config_model: ClassVar[type[SourceConfig]]
    credentials_model: ClassVar[type[SourceCredentials] | None] = None
    credentials_required: ClassVar[bool] = True
    change_feed: ClassVar[ChangeFeed] = ChangeFeed.NONE
    acl: ClassVar[Acl] = Acl.NONE
    version: ClassVar[int] = 1
    fetches: ClassVar[int] = 8
    fetches_together: ClassVar[int] = 1
    resumable: ClassVar[bool] = False
    confirms_absence: ClassVar[bool] = False
    scopes_needed: ClassVar[tuple[str, ...]] = ()
    blind_spots: ClassVar[tuple[str, ...]] = ()
    installed: ClassVar[bool] = True

    def __init__(self, config: ConfigT, credentials: CredentialsT, session: Session | None = None) -> None:
        self.config = config
        self.credentials = credentials
        self.session = session or Session()

    @classmethod
    def address(cls, text: str) -> SourceAddress | None:
        """Take a path or URL apart, or return None when it is not one of this provider's.

        Raises:
            ConfigRejected: It is one of this provider's, and cannot work.
        """
        return None

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        """Return a text that is equal for two configurations of the same source."""
        return ""

    @abstractmethod
    def check(self) -> list[Capability]:
        """Try each thing that a sync needs and say how it stands. Raises nothing about the source."""

    @abstractmethod
    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:
        """Return what can be chosen below `parent_id`; None is the top.

        Raises:
            SourceError: The source cannot be read.
        """

    @abstractmethod
    def scopes(self) -> list[Scope]:
        """Return the units that can be complete by themselves, as the configuration stands."""

    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        """Yield every item in scope, and `Checkpoint` where the listing could go on; last `Complete`.

        Ending without `Complete`, or raising, makes the scope incomplete: nothing is removed and
        its mark stays, but what was yielded before is synced. The same key twice counts once. A
        position must carry the mark that was taken before the listing began, so that a listing
        that is resumed ends in the same mark.

        Raises:
            SourceError: The scope cannot be listed (to its end).
        """
        raise NotImplementedError

    def listing_with_content(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        """Yield what `listing` does, for a run that will read every body.

        A source that can bring bodies along for less than fetching costs puts them into `Item.content`:
        bytes of the very state that the version marks, and only small ones, since the run holds a
        thousand items at a time. All others are fetched as ever.

        Raises:
            SourceError: The scope cannot be listed (to its end).
        """
        return self.listing(scope, resume)

    def doubt_empty(self, scope: Scope) -> None:
        """Look again at a scope whose first complete listing named nothing, and of which nothing is known.

        A misspelt setting looks just like that. Raising makes the scope incomplete, so that the person
        hears of it and nothing goes on the evidence of the slip; by default an empty scope is as good as any.

        Raises:
            ConfigRejected: Most likely a setting is wrong.
            SourceError: The source cannot be read.
        """

    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        """Yield what happened since the cursor, oldest first, ending in `Complete`.

        A closed lower bound is right: the sync drops what it already has.

        Raises:
            CursorExpired: The source no longer accepts the cursor.
            SourceError: The feed cannot be read.
        """
        raise NotImplementedError

    @abstractmethod
    def fetch(self, item: Item) -> Content:
        """Return the content of one item; anything that may be large as a stream.

        Raises:
            ItemUnreadable: This item cannot be read; reason ``gone`` when it no longer exists.
            SourceError: The source cannot be read at all.
        """

    def fetch_many(self, items: Sequence[Item]) -> Iterator[tuple[str, Content | ItemUnreadable]]:
        """Yield the content of each item, or why it cannot be read, by key and in any order.

        Only the body that was yielded last is held by whoever asks, so a generator that reads on as it
        is asked keeps memory flat. Keys are unique within one call.

        Raises:
            SourceError: The source cannot be read; what was yielded before counts.
        """
        for item in items:
            try:
                yield item.key, self.fetch(item)
            except ItemUnreadable as error:
                yield item.key, error

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        """Look up entries by exact key or path, in any order, one answer each.

        The default reads complete listings, which is right for any source and slow for most.

        Raises:
            SourceError: The source cannot be read, so that nothing can be said about absence.
        """
        wanted = set(names)
        for scope in scopes:
            for event in self.listing(scope):
                if not isinstance(event, Item):
                    continue
                for name in {event.key, event.path} & wanted:
                    wanted.discard(name)
                    yield Found(name, event, scope.key)
        for name in names:
            if name in wanted:
                yield Found(name, None)

    def admits(self, path: str) -> bool:
        """Tell whether the path lies within this configuration, beyond include and exclude.

        A document whose path no longer does goes because the configuration says so, not because
        the source lost it; the guard against mass deletion does not count it.
        """
        return True

    def in_scope(self, name: str) -> bool:
        """Tell whether a named entry could lie within this configuration at all."""
        return self.admits(name)

    def permissions(self, items: Sequence[Item]) -> dict[str, AccessList]:
        """Return who may read each item, by key: effective and inherited.

        Raises:
            SourceError: The access lists cannot be read; the documents stay hidden.
        """
        raise NotImplementedError

    @staticmethod
    def handshake(headers: Mapping[str, str], body: bytes, secret: str) -> Handshake | None:
        """Return what to answer, and to keep, when a vendor only makes the acquaintance of this address.

        Pure, and signature first, as `webhook`. None for every other delivery, and for vendors that do no
        such thing.

        Raises:
            PermissionMissing: It is a greeting whose signature is absent or wrong.
        """
        return None

    @staticmethod
    def webhook(
        headers: Mapping[str, str], body: bytes, secret: str, *, now: float | None = None
    ) -> list[FeedEvent]:
        """Verify a delivery (signature first, in constant time) and return what it reports.

        Args:
            headers: Of the request; ``:method`` and ``:path``, with the query, are its first line, which some
                vendors sign.
            body: As it came.
            secret: What the vendor signs with.
            now: When it came, POSIX seconds; None is this moment. Where the vendor tells when it was sent,
                an old one is refused.

        Raises:
            PermissionMissing: The signature is absent or wrong, or the delivery is old.
        """
        raise NotImplementedError

    def forget(self) -> None:
        """Let go of what this connector made at the source; called when the connector is removed.

        Raises:
            SourceError: The source does not let it go.
        """

    def close(self) -> None:
        """Let go of connections; called once, when the run ends."""
