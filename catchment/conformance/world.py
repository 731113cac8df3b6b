"""The vendor's side of a connector, under the control of the kit.

Things have names that the kit makes up, such as ``river0``; what the key of a thing is, and where it lies, is
the world's to say. A method that stands here without a body is an ability: a world either does it, or says in
`World.cannot` why its vendor has no such thing. Faults last until `World.mend`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from catchment.conformance.abilities import (
    BY_WEBHOOK,
    OVER_HTTP,
    SIGNED_IN,
    WITH_MARKS,
    Ability,
)
from catchment.core.clock import PassingClock
from catchment.kit.connector import Acl, ChangeFeed, Connector, Kind
from catchment.kit.registry import AnyConnector

if TYPE_CHECKING:
    from catchment.kit.oauth import Client

SETTLED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Setup:
    """Settings and credentials of a connector; None stands for those of the world."""

    config: Mapping[str, Any] | None = None
    credentials: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as the vendor sends it."""

    headers: Mapping[str, str]
    body: bytes


class World(ABC):
    """See the module.

    Class attributes:
        connector: The class under test.
        cannot: Why the vendor has no such thing, by ability; every skip prints it.
        unseen: Acts that no change feed tells of, and why; the next complete listing must catch them.
        not_http: Why the source is not read over HTTP; empty where it is.
        unsigned_body: Why the signature of a delivery does not cover its body; empty where it does.
        long_listing: How many things make a listing that names positions in it, where it can go on.
        no_positions: Why listings of this world name none, though others of the connector do; or empty.
        old_configs: Settings as older versions of the connector saved them.

    Args:
        folder: A folder of this world's own.
        clock: Everybody's time, the vendor's too. Waits of the connector pass at once and move it.
    """

    connector: ClassVar[type[AnyConnector]]
    cannot: ClassVar[Mapping[Ability, str]] = {}
    unseen: ClassVar[Mapping[Ability, str]] = {}
    not_http: ClassVar[str] = ""
    unsigned_body: ClassVar[str] = ""
    long_listing: ClassVar[int] = 7
    no_positions: ClassVar[str] = ""
    old_configs: ClassVar[Sequence[Mapping[str, Any]]] = ()

    def __init__(self, folder: Path, clock: PassingClock) -> None:
        self.folder = folder
        self.clock = clock

    def close(self) -> None:  # noqa: B027 - many have nothing to do
        """Leave nothing behind."""

    # -- the connector --------------------------------------------------------------------------

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """Return the settings that lead to this world."""

    def credentials(self) -> dict[str, Any] | None:
        """Return what signs in to it; every secret has a value of its own that nothing else contains."""
        return None

    def oauth_client(self, _provider: str) -> Client | None:
        """Return what the vendor knows this installation by, where tokens are renewed."""
        return None

    # -- what is true ---------------------------------------------------------------------------

    @abstractmethod
    def truth(self) -> dict[str, str]:
        """Return everything that a sync should have indexed: key, and words that its text must contain."""

    @abstractmethod
    def key(self, name: str) -> str:
        """Return the key of a thing as it is now."""

    # -- what people do -------------------------------------------------------------------------

    @abstractmethod
    def put(self, name: str, text: str) -> None:
        """Make a thing with a text of a few words."""

    @abstractmethod
    def edit(self, name: str, text: str) -> None:
        """Give a thing another text."""

    def remove(self, name: str) -> None:
        """Delete a thing, as people do it most often."""
        raise NotImplementedError

    def restore(self, name: str) -> None:
        """Bring back what was removed."""
        raise NotImplementedError

    def rename(self, name: str, new: str) -> None:
        """Call a thing otherwise; the kit uses the new name from then on."""
        raise NotImplementedError

    def move(self, name: str) -> None:
        """Put a thing elsewhere within what the connector reads."""
        raise NotImplementedError

    def restrict(self, name: str, who: str) -> None:
        """Let only this person read a thing; `who` is the subject that access lists show."""
        raise NotImplementedError

    def late(self, name: str, text: str) -> None:
        """Make a thing whose time of change lies a moment back, as vendors do that commit late."""
        raise NotImplementedError

    def many(self, count: int, begin: int = 0) -> None:
        """Make many small things, as fast as that goes, with numbers from `begin` on in their names."""
        for number in range(begin, begin + count):
            self.put(f"many{number:05}", f"word of {number}")

    def big(self, size: int) -> None:
        """Make one thing whose body has so many bytes, without reading its text."""
        raise NotImplementedError

    def settle(self) -> None:
        """Let so much time pass that what was done has a time of its own, and everybody tells of it."""
        self.clock.advance(SETTLED_SECONDS)

    # -- how it is read -------------------------------------------------------------------------

    def page_size(self, size: int) -> None:
        """Give so many things in one answer of a listing, or as many as the vendor gives at most."""
        raise NotImplementedError

    def least_requests(self, listed: int, read: int) -> int:
        """Return the fewest requests that list so many things and read so many bodies; see `requests`."""
        raise NotImplementedError

    def requests(self) -> int:
        """Return how many requests were made so far; only with `least_requests`."""
        raise NotImplementedError

    def meanwhile(self, act: Callable[[], object]) -> None:
        """Let something happen once, after the next listing began and before it ends."""
        raise NotImplementedError

    # -- setups that do not work ----------------------------------------------------------------

    def bad_token(self) -> Setup:
        """Return a setup whose credentials the vendor refuses."""
        raise NotImplementedError

    def unreachable(self) -> Setup:
        """Return a setup that leads to nobody who answers."""
        raise NotImplementedError

    def missing_scope(self) -> Setup:
        """Return a setup whose good credentials may not read what they should; may change the world."""
        raise NotImplementedError

    def wrong_setting(self) -> Setup:
        """Return a setup that names something that does not exist."""
        raise NotImplementedError

    # -- what goes wrong ------------------------------------------------------------------------

    @abstractmethod
    def mend(self) -> None:
        """Let everything go well again."""

    def fail_listing(self, after_pages: int) -> None:
        """Let listings fail for good after so many pages."""
        raise NotImplementedError

    def fail_body(self, name: str) -> None:
        """Let one thing be unreadable for good, though it is listed."""
        raise NotImplementedError

    def repeat_cursor(self) -> None:
        """Let every page of a listing name itself as the next one."""
        raise NotImplementedError

    def empty_page(self) -> None:
        """Let the second page of the next listing be empty, though more pages follow."""
        raise NotImplementedError

    def drop_next(self) -> None:
        """Let the first page of listings not say that there is a next one."""
        raise NotImplementedError

    def error_with_200(self) -> None:
        """Let listings be answered by an error under status 200, in the vendor's words, after one page."""
        raise NotImplementedError

    def rate_limit(self, form: str | None, after: int = 0) -> None:
        """Refuse one request, after so many that go well.

        Args:
            form: Value of the header Retry-After; None sends none.
            after: Requests that go well before.
        """
        raise NotImplementedError

    def expire_token(self, after: int) -> None:
        """Let the token end after so many requests; whoever renews it gets another."""
        raise NotImplementedError

    def revoke_token(self, after: int) -> None:
        """Let the token be refused for good after so many requests."""
        raise NotImplementedError

    def expire_cursors(self) -> None:
        """Let every change mark that was handed out so far be refused, as the vendor refuses old ones."""
        raise NotImplementedError

    def future_cursor(self) -> str:
        """Return a change mark as the connector writes it, of a moment that has not come."""
        raise NotImplementedError

    # -- webhooks -------------------------------------------------------------------------------

    def webhook_secret(self) -> str:
        """Return what deliveries are signed with; only with `delivery`."""
        raise NotImplementedError

    def delivery(self, name: str) -> Delivery:
        """Return a delivery that tells of a change of a thing, well signed, as if sent just now.

        Just now is by the machine's own time: `Connector.webhook` is handed no clock.
        """
        raise NotImplementedError

    def stale_delivery(self, name: str) -> Delivery:
        """Return one that was signed a day ago; longer ago where the vendor itself tries for a day."""
        raise NotImplementedError

    def unknown_delivery(self) -> Delivery:
        """Return a well signed one of a kind that the connector does not know."""
        raise NotImplementedError


def does(world: World, ability: Ability) -> bool:
    """Tell whether a world has an ability."""
    return getattr(type(world), ability.value) is not getattr(World, ability.value)


def shortcoming(world: World, ability: Ability) -> str:
    """Return why an ability does not apply; empty where the world must have it."""
    return world.cannot.get(ability, "") or _not_of(world.connector, ability) or _not_http(world, ability)


def _not_http(world: World, ability: Ability) -> str:
    return world.not_http if ability in OVER_HTTP else ""


def _not_of(connector: type[AnyConnector], ability: Ability) -> str:
    """Return why an ability has no meaning for a connector, whatever its vendor can do."""
    if ability in SIGNED_IN and connector.credentials_model is None:
        return "nothing is signed in to"
    if ability is Ability.RESTRICT and connector.acl is Acl.NONE:
        return "the source has no access lists"
    if ability in BY_WEBHOOK and connector.webhook is Connector.webhook:
        return "the connector takes no webhooks"
    if ability in WITH_MARKS and connector.change_feed is ChangeFeed.NONE and connector.kind is not Kind.FEED:
        return "the source has no change feed"
    return ""
