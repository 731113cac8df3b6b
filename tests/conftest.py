"""Fixtures for every group: one real stack for the whole session, and places to work in."""

from __future__ import annotations

import gc
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catchment.core.home import home_settings
from catchment.kit import governor, registry
from tests.support.journey import VENDORS, Journey, Place

# As often as the interpreter looks for garbage by itself, it takes a tenth of the suite's time.
gc.set_threshold(50_000, 20, 100)


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later search for garbage: it lives as long as the session."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def listening() -> None:
    """Ctrl-C reaches the commands that tests start, also where a shell runs the suite in the background."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def home_of_no_person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for what asks for none of its own: no test writes into that of the person who runs it."""
    home = tmp_path_factory.mktemp("nobody")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CATCHMENT_HOME", str(home))
        home_settings.cache_clear()
        yield home
    home_settings.cache_clear()


@pytest.fixture(autouse=True)
def unhurried(home_of_no_person: Path) -> Iterator[None]:
    """No test waits for what a vendor asked of another."""
    yield
    if governor._governors:
        governor._governors.clear()
        shutil.rmtree(home_of_no_person / governor.FOLDER, ignore_errors=True)


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
