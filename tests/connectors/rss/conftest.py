"""A simulated site of each test's own, connectors that read its feeds, and a house that syncs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catchment.core.clock import SetClock
from catchment.core.home import home_settings
from catchment.kit import Session, governor, http, registry
from catchment.kit.registry import AnyConnector
from catchment.simulators.rss import Simulation
from connectors.rss import RSS, reading
from tests.support.rss import MakeSource, source_of
from tests.support.vault import Vault


@pytest.fixture(autouse=True)
def _a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What servers asked for in one test keeps nobody waiting in another."""
    monkeypatch.setenv("CATCHMENT_HOME", str(tmp_path / "pace"))
    home_settings.cache_clear()
    monkeypatch.setattr(governor, "_governors", {})
    yield
    home_settings.cache_clear()


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits before another try are the product's, a thousand times shorter."""
    monkeypatch.setattr(http, "_pause", lambda _failures: 0.001)
    monkeypatch.setattr(reading, "_PAUSE_SECONDS", 0.001)


@pytest.fixture
def site() -> Simulation:
    return Simulation(seed=7)


@pytest.fixture
def url(site: Simulation) -> Iterator[str]:
    with site.serve() as address:
        yield address


@pytest.fixture
def clock(site: Simulation) -> SetClock:
    """One time for the site and for whoever reads it."""
    shared = SetClock(site.clock.now())
    site.clock = shared  # type: ignore[assignment]
    return shared


@pytest.fixture
def make_source(url: str, clock: SetClock) -> Iterator[MakeSource]:
    """Make connectors to feeds of the site, by their paths."""
    made: list[RSS] = []

    def make(*paths: str, **more: Any) -> RSS:
        more.setdefault("session", Session(clock=clock))
        made.append(source_of(url, *paths, **more))
        return made[-1]

    yield make
    for source in made:
        source.close()


@pytest.fixture
def house(tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """A store without connectors that knows RSS."""
    real = registry.provider

    def look_up(slug: str) -> type[AnyConnector]:
        return RSS if slug == "rss" else real(slug)

    monkeypatch.setattr(registry, "provider", look_up)
    home = tmp_path / "home"
    home.mkdir()
    vault = Vault(home, clock=clock)
    yield vault
    vault.engine.dispose()


@pytest.fixture
def news(site: Simulation, url: str) -> Simulation:
    """A site with a feed of three articles."""
    site.add_feed("news")
    for number in range(3):
        site.publish("news", f"Article {number}", f"<p>The gauge read {number}.</p>")
    return site
