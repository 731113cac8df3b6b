"""A scripted source, registered for one test, and a store to sync it into."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catchment.core.clock import SetClock
from catchment.kit import registry
from catchment.kit.connector import ChangeFeed, Kind
from catchment.kit.registry import AnyConnector
from catchment.sync import lanes
from catchment.sync.collect import collect
from catchment.sync.index import index
from catchment.sync.parse import parse
from catchment.sync.run import Run
from tests.support.scripted import SLUG, World, provider
from tests.support.vault import Vault

Register = Callable[..., type[AnyConnector]]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch, world: World) -> Register:
    """Say what the scripted source can do; called again it replaces what was said."""
    known: dict[str, type[AnyConnector]] = {}
    real = registry.provider

    def look_up(slug: str) -> type[AnyConnector]:
        return known[slug] if slug in known else real(slug)

    def say(**facts: Any) -> type[AnyConnector]:
        known[SLUG] = provider(facts.pop("world", world), **facts)
        return known[SLUG]

    monkeypatch.setattr(registry, "provider", look_up)
    say()
    return say


@pytest.fixture
def house(tmp_path: Path, clock: SetClock, register: Register) -> Iterator[Vault]:
    """A store with one connector, `docs`, to the scripted source."""
    vault = Vault(tmp_path, clock=clock)
    vault.add(SLUG, {})
    yield vault
    vault.engine.dispose()


@pytest.fixture
def lagging(monkeypatch: pytest.MonkeyPatch, house: Vault) -> None:
    """The index lane begins when all is collected, so that collect never sees what the run itself wrote."""
    house.tune(queue_batches=16)
    read = threading.Event()

    def collect_whole(run: Run) -> None:
        read.clear()
        try:
            collect(run)
        finally:
            read.set()

    def index_late(run: Run) -> None:
        assert read.wait(60)
        read.clear()  # for the next run, whose lanes may begin in any order
        index(run)

    monkeypatch.setattr(lanes, "LANES", (collect_whole, parse, index_late))


@pytest.fixture
def with_feed(register: Register) -> None:
    """The source has a complete change feed."""
    register(feed=ChangeFeed.COMPLETE)


@pytest.fixture
def as_feed(register: Register) -> None:
    """The source shows only what is new."""
    register(kind=Kind.FEED, feed=ChangeFeed.PARTIAL)
