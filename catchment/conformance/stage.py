"""What a check plays on: a fresh world, a fresh house, and a few ways to look at both."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from catchment.conformance.abilities import Ability
from catchment.conformance.check import Broken
from catchment.conformance.house import House
from catchment.conformance.world import Setup, World, does
from catchment.core.clock import PassingClock
from catchment.core.errors import RunCancelled
from catchment.core.items import Changed, Item
from catchment.core.settings import SyncSettings
from catchment.kit.config import SourceConfig, SourceCredentials
from catchment.kit.connector import ChangeFeed, Kind
from catchment.kit.registry import AnyConnector
from catchment.kit.session import Session
from catchment.store.rows import RunRow
from catchment.sync.run import Run

T = TypeVar("T")
LIMIT_SECONDS = 20.0
"""Longest time of one run; one that takes longer does not end."""
CANCEL_SECONDS = 5.0
"""Longest time in which a run that was cancelled comes to its end."""
UNHURRIED_SECONDS = 3600.0
WORDS = ("river", "meadow", "lantern", "harbour", "copper", "willow", "saffron", "glacier")
DAY_SECONDS = 86_400.0


class Stage:
    """See the module.

    Attributes:
        world: The vendor.
        house: A store with one connector, ``docs``, to the world.
        clock: Everybody's time.
        running: Every run that was begun so far, the newest last.
    """

    def __init__(
        self, world: World, folder: Path, clock: PassingClock, *, limit_seconds: float = LIMIT_SECONDS
    ) -> None:
        self.world = world
        self.clock = clock
        self.limit_seconds = limit_seconds
        self._folder = folder
        self._leaving = ExitStack()
        self._houses = 0
        self.running: list[Run] = []
        self.house = self.fresh_house()

    def close(self) -> None:
        """Let go of everything."""
        self._leaving.close()

    @property
    def connector(self) -> type[AnyConnector]:
        """The class under test."""
        return self.world.connector

    @property
    def has_feed(self) -> bool:
        """Whether the source reports changes, all or some of them."""
        return self.connector.kind is Kind.FEED or self.connector.change_feed is not ChangeFeed.NONE

    # -- houses and connectors ------------------------------------------------------------------

    def fresh_house(self) -> House:
        """Make another store with a connector to the world."""
        self._houses += 1
        home = self._folder / f"house{self._houses}"
        home.mkdir(parents=True)
        # The pulse of a run that lasts milliseconds would only be in the way.
        house = House(home, clock=self.clock, sync=SyncSettings(poll_seconds=UNHURRIED_SECONDS))
        self._leaving.callback(self._leave, house)
        credentials = self.world.credentials()
        house.credentials = dict(credentials) if credentials is not None else None
        house.oauth_client = self.world.oauth_client
        house.on_begin = self.running.append
        house.add(self.connector.slug, self.world.config())
        return house

    def _leave(self, house: House) -> None:
        house.engine.dispose()
        shutil.rmtree(house.home, ignore_errors=True)

    def read_config(self, config: Mapping[str, Any]) -> SourceConfig:
        """Read settings as the connector does."""
        return self.connector.config_model.model_validate(dict(config))

    def read_credentials(self, values: Mapping[str, Any] | None) -> SourceCredentials | None:
        """Read credentials as the connector does."""
        model = self.connector.credentials_model
        return model.model_validate(dict(values)) if model is not None and values is not None else None

    def source(self, setup: Setup | None = None, **session: Any) -> AnyConnector:
        """Make a connector object, outside of any run; it is closed at the end of the check."""
        setup = setup or Setup()
        config = setup.config if setup.config is not None else self.world.config()
        credentials = setup.credentials if setup.credentials is not None else self.house.credentials
        surroundings = Session(clock=self.clock, oauth_client=self.world.oauth_client, **session)
        made = self.connector(self.read_config(config), self.read_credentials(credentials), surroundings)
        self._leaving.callback(made.close)
        return made

    def everything(self, source: AnyConnector) -> list[Item]:
        """Return every item that a connector names, scope by scope."""
        return self.within(lambda: list(_items(source)))

    # -- runs -----------------------------------------------------------------------------------

    def sync(self, house: House | None = None, **parameters: Any) -> RunRow:
        """Sync once, and return the run's row, however it ended.

        Raises:
            Broken: It did not come to an end.
        """
        chosen = house or self.house
        return self.within(lambda: chosen.sync(**parameters))

    def succeed(self, house: House | None = None, **parameters: Any) -> RunRow:
        """Sync once, and return the row of a run that succeeded.

        Raises:
            Broken: It did not.
        """
        run = self.sync(house, **parameters)
        self.expect(run.state == "SUCCEEDED", f"the run ended {told(run)}")
        return run

    def notice(self) -> RunRow:
        """Sync as cheaply as the source allows: by its change feed where it has one."""
        self.world.settle()
        return self.succeed(mode="incremental" if self.has_feed else "auto")

    def list_all(self) -> RunRow:
        """Let things settle, and sync by complete listings."""
        self.world.settle()
        return self.list_again()

    def list_again(self) -> RunRow:
        """Sync by complete listings, whatever the source reports; of a mere feed, what is new."""
        self.clock.advance(self.house.sync_settings.reconcile_seconds + DAY_SECONDS)
        return self.succeed()

    def crash(self, **parameters: Any) -> bool:
        """Sync until the process dies, and tell whether it did."""
        return self.within(lambda: self.house.crash(**parameters))

    def cancel(self) -> None:
        """Have the newest run stop, as a person would."""
        self.running[-1].stop.set(RunCancelled("Enough."))

    def within(self, act: Callable[[], T]) -> T:
        """Do something that must come to an end.

        Raises:
            Broken: It did not, within the limit.
        """
        begun = len(self.running)
        results: list[T] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                results.append(act())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=work, name="check", daemon=True)
        thread.start()
        thread.join(self.limit_seconds)
        if thread.is_alive():
            for run in self.running[begun:]:
                run.stop.set(RunCancelled("It took too long."))
            thread.join(CANCEL_SECONDS)
            raise Broken(f"it did not come to an end within {self.limit_seconds:g} s")
        if errors:
            raise errors[0]
        return results[0]

    # -- the world ------------------------------------------------------------------------------

    def fill(self, count: int = 6) -> list[str]:
        """Make things with words of their own, let them settle, and return their names."""
        names = [f"{WORDS[number % len(WORDS)]}{number}" for number in range(count)]
        for name in names:
            self.world.put(name, f"the {name} flows")
        self.world.settle()
        return names

    def pages_of(self, size: int, house: House | None = None) -> None:
        """Read in pages of so many things, at the vendor where it can, and in the run."""
        if does(self.world, Ability.PAGE_SIZE):
            self.world.page_size(size)
        (house or self.house).tune(page_items=size)

    # -- judging --------------------------------------------------------------------------------

    def expect(self, holds: object, otherwise: str) -> None:
        """Raise `Broken` with this sentence unless something holds."""
        if not holds:
            raise Broken(otherwise)

    def agree(self, house: House | None = None) -> None:
        """Compare the index with the world: the same keys, and each text with its words.

        Raises:
            Broken: They differ.
        """
        trouble = self.difference(house)
        self.expect(not trouble, trouble)

    def difference(self, house: House | None = None) -> str:
        """Say how index and world differ; empty where they do not."""
        texts, truth = (house or self.house).texts(), self.world.truth()
        if missing := truth.keys() - texts.keys():
            return f"not in the index: {shown(missing)}"
        if surplus := texts.keys() - truth.keys():
            return f"in the index, and not at the source: {shown(surplus)}"
        old = [key for key, words in truth.items() if not all(w in texts[key] for w in words.split())]
        return f"with another text than at the source: {shown(old)}" if old else ""


def _items(source: AnyConnector) -> Iterable[Item]:
    for scope in source.scopes():
        if source.kind is Kind.FEED:
            for event in source.changes(scope, None):
                if isinstance(event, Changed):
                    yield event.item
        else:
            for told_of in source.listing(scope):
                if isinstance(told_of, Item):
                    yield told_of


def told(run: RunRow) -> str:
    """Say how a run ended."""
    return f"{run.state} {run.error_code or ''} {run.error_message or ''}".strip()


def shown(keys: Iterable[str]) -> str:
    """Name a few keys."""
    listed = sorted(map(repr, keys))
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")
