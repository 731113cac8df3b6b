"""A source in memory: what it holds, how it is listed, what goes wrong with it, and what it was asked.

`World` is the vendor's side; `provider` makes the connector class that reads it. Everything goes page by
page in the order of the keys, reads the world as it is at that moment, and is the same each time.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from catchment.core.errors import CursorExpired, ItemUnreadable, SourceDown
from catchment.core.items import Changed, Checkpoint, Complete, Content, Deleted, Found, Item, Scope
from catchment.kit.config import SourceConfig, SourceCredentials
from catchment.kit.connector import BrowsePage, ChangeFeed, Connector, FeedEvent, Kind, ListingEvent
from catchment.kit.health import Capability, Health
from catchment.kit.registry import AnyConnector

SLUG = "scripted"
Hook = Callable[[], None]


@dataclass(slots=True)
class Thing:
    """One thing at the source."""

    key: str
    path: str
    text: str | bytes
    version: str | None
    move_hint: str | None = None
    refusal: str | None = None
    url: str | None = None
    size: int | None = None
    modified_at: float | None = None

    @property
    def body(self) -> bytes:
        """The bytes that a fetch returns."""
        return self.text.encode() if isinstance(self.text, str) else self.text

    def item(self) -> Item:
        """What a listing says of it."""
        return Item(
            key=self.key,
            path=self.path,
            version=self.version,
            size=self.size if self.size is not None else len(self.body),
            modified_at=self.modified_at,
            move_hint=self.move_hint,
            refusal=self.refusal,
            url=self.url,
        )


@dataclass
class World:
    """The vendor's side of a scripted source.

    Attributes:
        scopes: Things by scope and key.
        log: What a change feed reports, by scope; a cursor is a position in it.
        page: Items or events in one answer; a checkpoint follows each.
        compact: The feed tells only the last word about each key, as most vendors' do.
        marks: Whether items carry a version mark.
        list_errors: Per scope: before which item (from 1) a listing fails, and how.
        feed_errors: The same for the change feed.
        fetch_errors: Per key: how a fetch fails.
        find_error: How looking up named entries fails.
        missed: Keys that a listing leaves out though they are there.
        untold: Keys of which looking up says only that nothing can be told.
        cut_short: Scopes whose listing ends without a word.
        expired_below: Cursors below this position are refused.
        resume_refused: Positions in the middle of a listing are refused.
        before_item: Called before a listing yields item `n` (from 1) of a scope.
        before_event: The same for the change feed.
        before_fetch: Called with the key before a body is read.
        repeat: Keys that a listing yields again as its very last items.
        streams: Bodies come as streams.
        requests: How often each kind of request was made.
        fetched: Keys in the order they were fetched.
    """

    scopes: dict[str, dict[str, Thing]] = field(default_factory=lambda: {"main": {}})
    log: dict[str, list[FeedEvent]] = field(default_factory=dict)
    page: int = 3
    compact: bool = False
    marks: bool = True
    list_errors: dict[str, tuple[int, Exception]] = field(default_factory=dict)
    feed_errors: dict[str, tuple[int, Exception]] = field(default_factory=dict)
    fetch_errors: dict[str, Exception] = field(default_factory=dict)
    find_error: Exception | None = None
    missed: set[str] = field(default_factory=set)
    untold: set[str] = field(default_factory=set)
    cut_short: set[str] = field(default_factory=set)
    expired_below: int = 0
    resume_refused: bool = False
    before_item: dict[tuple[str, int], Hook] = field(default_factory=dict)
    before_event: dict[tuple[str, int], Hook] = field(default_factory=dict)
    before_fetch: Callable[[str], None] | None = None
    repeat: list[str] = field(default_factory=list)
    streams: bool = False
    requests: Counter[str] = field(default_factory=Counter)
    fetched: list[str] = field(default_factory=list)
    stamp: int = 0

    def put(self, key: str, text: str | bytes, *, scope: str = "main", **facts: object) -> Thing:
        """Make or change a thing; its version mark moves."""
        self.stamp += 1
        before = self.scopes.setdefault(scope, {}).get(key)
        version = f"v{self.stamp}" if self.marks else None
        thing = replace(before, text=text) if before else Thing(key, key, text, version)
        thing = replace(thing, version=version)
        for name, value in facts.items():
            setattr(thing, name, value)
        self.scopes[scope][key] = thing
        self.tell(scope, Changed(thing.item()))
        return thing

    def fill(self, count: int, *, scope: str = "main", head: str = "doc") -> list[str]:
        """Put `count` things with a word of their own each, and return the keys."""
        keys = [f"{head}{number:03}" for number in range(count)]
        for key in keys:
            self.put(key, f"text of {key}", scope=scope)
        return keys

    def remove(self, key: str, *, scope: str = "main") -> Thing:
        """Take a thing away."""
        thing = self.scopes[scope].pop(key)
        self.tell(scope, Deleted(key))
        return thing

    def move(self, key: str, to: str, *, scope: str = "main") -> None:
        """Give a thing another key and path in its scope; its version and its hint stay."""
        thing = self.remove(key, scope=scope)
        thing.key = thing.path = to
        self.scopes[scope][to] = thing
        self.tell(scope, Changed(thing.item()))

    def rename(self, key: str, path: str, *, scope: str = "main", new_version: bool = False) -> None:
        """Give a thing another path; the key stays."""
        self.stamp += 1
        thing = self.scopes[scope][key]
        version = f"v{self.stamp}" if new_version and self.marks else thing.version
        self.scopes[scope][key] = replace(thing, path=path, version=version)
        self.tell(scope, Changed(self.scopes[scope][key].item()))

    def transfer(self, key: str, source: str, target: str) -> None:
        """Move a thing to another scope as it is: same key, same version."""
        thing = self.remove(key, scope=source)
        self.scopes.setdefault(target, {})[key] = thing
        self.tell(target, Changed(thing.item()))

    def tell(self, scope: str, event: FeedEvent) -> None:
        """Let the change feed report something."""
        self.log.setdefault(scope, []).append(event)

    def texts(self) -> dict[str, str]:
        """Return what an index of everything would hold, by key."""
        return {
            thing.key: thing.body.decode()
            for things in self.scopes.values()
            for thing in things.values()
            if thing.refusal is None
        }


class ScriptedConfig(SourceConfig):
    """Settings of a scripted source."""

    scopes: list[str] | None = None
    prefix: str = ""


class Scripted(Connector[ScriptedConfig, SourceCredentials | None]):
    """Reads a `World`."""

    slug = SLUG
    display_name = "Scripted"
    config_model = ScriptedConfig
    world: World

    def check(self) -> list[Capability]:
        """Everything works."""
        return [Capability("read", Health.OK, "The world is there.")]

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:
        """Nothing can be chosen."""
        return BrowsePage()

    def scopes(self) -> list[Scope]:
        """Return the configured scopes, else those of the world."""
        names = self.config.scopes if self.config.scopes is not None else list(self.world.scopes)
        return [Scope(name, name.title()) for name in names]

    def admits(self, path: str) -> bool:
        """Whether the path begins with the prefix."""
        return path.startswith(self.config.prefix)

    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        """List by key, page by page, each page as the world is then."""
        world = self.world
        after, number = "", 0
        mark = str(len(world.log.get(scope.key, [])))
        if resume is not None:
            if world.resume_refused:
                raise CursorExpired("This position is too old.")
            place = json.loads(resume)
            after, number, mark = place["after"], place["number"], place["mark"]
        while True:
            world.requests["list"] += 1
            things = world.scopes.get(scope.key, {})
            page = [things[key] for key in sorted(things) if key > after][: world.page]
            for thing in page:
                number += 1
                self._trip(world.before_item, world.list_errors, scope.key, number)
                after = thing.key
                if thing.path.startswith(self.config.prefix) and thing.key not in world.missed:
                    yield thing.item()
            if len(page) < world.page:
                break
            yield Checkpoint(json.dumps({"after": after, "number": number, "mark": mark}))
        self._trip(world.before_item, world.list_errors, scope.key, number + 1)
        if scope.key in world.cut_short:
            return
        for key in world.repeat:
            if key in world.scopes[scope.key]:
                yield world.scopes[scope.key][key].item()
        yield Complete(mark if self.change_feed is not ChangeFeed.NONE else None)

    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        """Report the log from the cursor on."""
        world = self.world
        position = int(cursor or 0)
        if cursor is not None and position < world.expired_below:
            raise CursorExpired(f"The cursor {cursor} is too old.")
        number = 0
        while True:
            world.requests["changes"] += 1
            log = world.log.get(scope.key, [])
            events = log[position : position + world.page]
            last = {_key_of(event): at for at, event in enumerate(log)} if world.compact else {}
            for event in events:
                number += 1
                self._trip(world.before_event, world.feed_errors, scope.key, number)
                position += 1
                if not world.compact or last[_key_of(event)] == position - 1:
                    yield event
            if len(events) < world.page:
                break
            yield Checkpoint(str(position))
        self._trip(world.before_event, world.feed_errors, scope.key, number + 1)
        yield Complete(str(position))

    def _trip(
        self,
        hooks: dict[tuple[str, int], Hook],
        errors: dict[str, tuple[int, Exception]],
        scope: str,
        number: int,
    ) -> None:
        self.session.check_stop()
        hook = hooks.get((scope, number))
        if hook is not None:
            hook()
        at, error = errors.get(scope, (0, SourceDown("")))
        if at == number:
            raise error

    def fetch(self, item: Item) -> Content:
        """Return the body as it is now."""
        world = self.world
        world.requests["fetch"] += 1
        world.fetched.append(item.key)
        if world.before_fetch is not None:
            world.before_fetch(item.key)
        if item.key in world.fetch_errors:
            raise world.fetch_errors[item.key]
        for things in world.scopes.values():
            if item.key in things:
                body = things[item.key].body
                return Content(io.BytesIO(body) if world.streams else body, "text/plain; charset=utf-8")
        raise ItemUnreadable(item.key, "gone")

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        """Look each name up as a key, else as a path."""
        world = self.world
        world.requests["find"] += 1
        if world.find_error is not None:
            raise world.find_error
        for name in names:
            if name in world.untold:
                yield Found(name, None, unknown="Only the newest are shown.")
            else:
                yield self._find_one([scope.key for scope in scopes], name)

    def _find_one(self, scopes: Sequence[str], name: str) -> Found:
        for by in ("key", "path"):
            for scope in scopes:
                for thing in self.world.scopes.get(scope, {}).values():
                    if getattr(thing, by) == name:
                        return Found(name, thing.item(), scope)
        return Found(name, None)


def _key_of(event: FeedEvent) -> str:
    """Return the key that an event of the log is about."""
    if isinstance(event, Changed):
        return event.item.key
    assert isinstance(event, Deleted)
    return event.key


def provider(
    world: World,
    *,
    kind: Kind = Kind.LISTING,
    feed: ChangeFeed = ChangeFeed.NONE,
    resumable: bool = False,
    fetches: int = 1,
    together: int = 1,
    version: int = 1,
    confirms: bool = False,
) -> type[AnyConnector]:
    """Make the connector class of a world."""
    facts = {
        "world": world,
        "kind": kind,
        "change_feed": feed,
        "resumable": resumable,
        "fetches": fetches,
        "fetches_together": together,
        "version": version,
        "confirms_absence": confirms,
    }
    return type("ScriptedSource", (Scripted,), facts)
