"""Fixtures for every group: one real stack for the whole session, and places to work in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catchment.kit import registry
from tests.support.journey import VENDORS, Journey, Place


@pytest.fixture(scope="session")
def journey_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """One stack for the session; it starts when the first test asks for it."""
    journey = Journey(tmp_path_factory.mktemp("journey") / "home")
    journey.up()
    yield journey
    journey.down()


@pytest.fixture
def journey(journey_of_session: Journey) -> Journey:
    """The session's stack, up: a test before may have killed it."""
    journey_of_session.up()
    return journey_of_session


@pytest.fixture
def make_place(journey: Journey, tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """Makes folders with connectors of this test's own; at its end they come to rest."""
    made: list[Place] = []

    def make(name: str = "docs", **config: Any) -> Place:
        made.append(journey.place(tmp_path / name, **config))
        return made[-1]

    yield make
    journey.up()
    for place in made:
        place.retire()


@pytest.fixture
def place(make_place: Callable[..., Place]) -> Place:
    """One folder with its connector."""
    return make_place()


@pytest.fixture
def ledger(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journey]:
    """A stack beside which a third party's source is installed, for this process, too."""
    monkeypatch.syspath_prepend(str(VENDORS))
    for cached in (registry._points, registry.provider):
        cached.cache_clear()
    yield journey
    for cached in (registry._points, registry.provider):
        cached.cache_clear()
