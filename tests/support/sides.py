"""The other side of a sync: what people and accidents do to a source, and what is true of it meanwhile.

The machine of `tests.support.model` plays with a `Side` and never looks at the source by itself. It names
things by slots, `k0` to `k6`; what the key of a slot's item is, and whether that changes with a move, is the
side's to say. `ScriptedSide` is the source in memory; real ones have files of their own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from catchment.core.errors import SourceDown
from catchment.kit.connector import ChangeFeed, Kind
from catchment.kit.registry import AnyConnector
from tests.support import scripted
from tests.support.scripted import World, provider
from tests.support.vault import Vault

SCOPES = ("a", "b")
DRAFTS = "drafts/"
"""What an excluding configuration leaves out."""


@dataclass(frozen=True)
class Seen:
    """One thing at the source, as an index should know it.

    Attributes:
        key: Of its item.
        scope: `a` or `b`.
        path: Within the scope.
        text: What it says.
        refused: The source does not hand it out.
    """

    key: str
    scope: str
    path: str
    text: str
    refused: bool


@dataclass(frozen=True)
class Manner:
    """How the source of one example is made; see the rule that builds it.

    Attributes:
        shape: One of the side's shapes.
        page: Items in one answer.
        marks: Whether items carry a version mark, where that can be chosen.
        fetches: Bodies read at a time, where that can be chosen.
        together: Bodies read with one request, where that can be chosen.
    """

    shape: Any
    page: int
    marks: bool
    fetches: int
    together: int


class Side(ABC):
    """See the module.

    Attributes:
        shapes: Kinds of sources to choose from.
        troubles: What `trouble` can do to a scope.
        page_fails: The trouble of a page of a listing that fails for good.
        failures: What `fail` can do to one thing.
        unreadable: The failure of a thing that cannot be read however often it is tried.
        provider: The class that reads this source.
        slug: Its name.
        credentials: What it signs in with.
        kind: What the shape makes it.
        feed: The same.
        moves_are_told: A hint tells that a thing has another key.
    """

    shapes: ClassVar[Sequence[Any]]
    troubles: ClassVar[Sequence[str]]
    page_fails: ClassVar[str]
    failures: ClassVar[Sequence[str]]
    unreadable: ClassVar[str]
    slug: ClassVar[str]
    provider: type[AnyConnector]
    credentials: Mapping[str, Any] | None = None
    kind = Kind.LISTING
    feed = ChangeFeed.NONE
    moves_are_told = False

    @abstractmethod
    def __init__(self, manner: Manner, ground: Any) -> None:
        """Make a source of this manner, on what those of all examples share."""

    # -- what is true ---------------------------------------------------------------------------

    @abstractmethod
    def find(self, slot: str) -> Seen | None:
        """Return the thing of a slot, wherever it lies."""

    @abstractmethod
    def things(self) -> list[Seen]:
        """Return everything."""

    @abstractmethod
    def name(self, slot: str) -> str:
        """Return a name that a person would sync the slot's thing by, also where there is none."""

    @abstractmethod
    def settings(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Return the connector's settings for one of the machine's configurations."""

    # -- what people do -------------------------------------------------------------------------

    @abstractmethod
    def put(self, slot: str, scope: str, text: str) -> None:
        """Make a thing, or change its text where it lies."""

    @abstractmethod
    def remove(self, slot: str) -> None:
        """Take a thing away."""

    @abstractmethod
    def transfer(self, slot: str) -> None:
        """Move a thing to the other scope."""

    @abstractmethod
    def rename(self, slot: str, folder: str) -> None:
        """Give a thing another path in its scope."""

    @abstractmethod
    def refuse(self, slot: str, refused: bool) -> None:
        """Hand a thing out no longer, or again."""

    def move(self, slot: str, other: str, house: Vault) -> None:
        """Give a thing the key of another slot, with a hint; only where `moves_are_told`."""
        raise NotImplementedError

    # -- what goes wrong ------------------------------------------------------------------------

    @abstractmethod
    def fail(self, slot: str, how: str) -> None:
        """Let one thing be unreadable; `up` ends that for all things."""

    @abstractmethod
    def trouble(self, scope: str, at: int, what: str) -> None:
        """Let the source answer badly from now on, in place of what was wrong before."""

    @abstractmethod
    def hook(self, at: int, act: Callable[[], None]) -> None:
        """Let something happen once, at some moment while the source is read."""

    @abstractmethod
    def unhook(self) -> None:
        """Let nothing more happen by itself."""

    @abstractmethod
    def mend(self) -> None:
        """Let the source answer well again."""

    def close(self) -> None:  # noqa: B027 - many have nothing to do
        """Leave nothing behind."""


class ScriptedSide(Side):
    """The source in memory, which can be of every kind."""

    shapes = (
        (Kind.LISTING, ChangeFeed.NONE, False),
        (Kind.LISTING, ChangeFeed.NONE, True),
        (Kind.LISTING, ChangeFeed.PARTIAL, False),
        (Kind.LISTING, ChangeFeed.COMPLETE, False),
        (Kind.LISTING, ChangeFeed.COMPLETE, True),
        (Kind.FEED, ChangeFeed.PARTIAL, False),
    )
    troubles = ("list", "find", "position", "cursor", "nothing")
    page_fails = "list"
    failures = ("down", "up")
    unreadable = "down"
    slug = scripted.SLUG

    def __init__(self, manner: Manner, ground: None = None) -> None:
        self.kind, self.feed, resumable = manner.shape
        self.moves_are_told = self.kind is Kind.LISTING and self.feed is not ChangeFeed.COMPLETE
        scopes: dict[str, dict[str, scripted.Thing]] = {scope: {} for scope in SCOPES}
        self.world = World(scopes=scopes, marks=manner.marks, page=manner.page, compact=True)
        self.provider = provider(
            self.world,
            kind=self.kind,
            feed=self.feed,
            resumable=resumable,
            fetches=manner.fetches,
            together=manner.together,
        )

    def find(self, slot: str) -> Seen | None:
        return next((seen for seen in self.things() if seen.key == slot), None)

    def things(self) -> list[Seen]:
        return [
            Seen(thing.key, scope, thing.path, thing.body.decode(), thing.refusal is not None)
            for scope in SCOPES
            for thing in self.world.scopes[scope].values()
        ]

    def name(self, slot: str) -> str:
        return slot

    def settings(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        return dict(wanted)

    def put(self, slot: str, scope: str, text: str) -> None:
        here = self.find(slot)
        if here is None:
            self.world.put(slot, text, scope=scope, path=slot)
        else:
            self.world.put(slot, text, scope=here.scope)

    def remove(self, slot: str) -> None:
        self.world.remove(slot, scope=self._scope(slot))

    def transfer(self, slot: str) -> None:
        here = self._scope(slot)
        self.world.transfer(slot, here, other_scope(here))

    def rename(self, slot: str, folder: str) -> None:
        self.world.rename(slot, folder + slot, scope=self._scope(slot))

    def refuse(self, slot: str, refused: bool) -> None:
        scope = self._scope(slot)
        text = self.world.scopes[scope][slot].text
        self.world.put(slot, text, scope=scope, refusal="storage_class: GLACIER" if refused else None)

    def move(self, slot: str, other: str, house: Vault) -> None:
        things = self.world.scopes[self._scope(slot)]
        thing = things.pop(slot)
        thing.move_hint = f"inode of {thing.key}"
        house.hint(slot, thing.move_hint)
        thing.key, thing.path = other, other
        things[other] = thing

    def fail(self, slot: str, how: str) -> None:
        if how == "down":
            self.world.fetch_errors[slot] = SourceDown("500")
        else:
            self.world.fetch_errors.clear()

    def trouble(self, scope: str, at: int, what: str) -> None:
        world = self.world
        world.list_errors.clear()
        world.feed_errors.clear()
        world.find_error, world.resume_refused = None, what == "position"
        if what == "list":
            world.list_errors[scope] = world.feed_errors[scope] = (at, SourceDown("500"))
        elif what == "find":
            world.find_error = SourceDown("500")
        elif what == "cursor":
            world.expired_below = max(len(log) for log in [*world.log.values(), []])

    def hook(self, at: int, act: Callable[[], None]) -> None:
        scope = "a" if at % 2 else "b"

        def once() -> None:
            self.unhook()
            act()

        self.world.before_item[scope, at // 2 + 1] = once
        self.world.before_event[scope, at // 2 + 1] = once

    def unhook(self) -> None:
        self.world.before_item.clear()
        self.world.before_event.clear()

    def mend(self) -> None:
        world = self.world
        world.list_errors.clear()
        world.feed_errors.clear()
        world.fetch_errors.clear()
        world.find_error = None

    def _scope(self, slot: str) -> str:
        here = self.find(slot)
        assert here is not None
        return here.scope


def other_scope(scope: str) -> str:
    """Return the scope that this one is not."""
    return "b" if scope == "a" else "a"
