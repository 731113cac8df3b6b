"""A small site, served for each test, and a house that syncs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catchment.core.clock import SetClock
from catchment.kit import Session, http, oauth, registry
from catchment.kit.governor import Governor
from catchment.kit.registry import AnyConnector
from catchment.simulators.confluence import Confluence as Site
from catchment.simulators.confluence import signin
from connectors.confluence import Confluence, client
from tests.support.confluence import Bench, Relay, basic
from tests.support.vault import Vault

REAL_WAIT = Session.wait


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(autouse=True)
def _waits_pass_at_once(monkeypatch: pytest.MonkeyPatch, clock: SetClock) -> None:
    """Waits move the clock; nobody shares a pace with another test."""

    def wait(session: Session, seconds: float, reason: str) -> None:
        session.on_wait(reason, seconds)
        clock.advance(seconds)
        session.on_wait("", 0.0)
        session.check_stop()

    monkeypatch.setattr(Session, "wait", wait)
    monkeypatch.setattr(http, "_pause", lambda _failures: 0.001)
    paces: dict[str, Governor] = {}
    monkeypatch.setattr(
        client, "governor_for", lambda _slug, credential: paces.setdefault(credential, Governor())
    )


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Relay, str]]:
    relay = Relay()
    with relay.serve() as url:
        yield relay, url


@pytest.fixture
def bench(clock: SetClock, served: tuple[Relay, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A site with one space; Atlassian's sign-in is the site's own."""
    relay, url = served
    relay.site = site = Site()
    site.clock = clock  # type: ignore[assignment]
    site.world.add_space("ENG", "Engineering")
    for name, value in (
        ("client_id", signin.CLIENT_ID),
        ("client_secret", signin.CLIENT_SECRET),
        ("token_url", f"{url}/oauth/token"),
    ):
        monkeypatch.setenv(oauth.variable("confluence", name), value)
    made = Bench(site, url, clock)
    yield made
    made.close()


@pytest.fixture
def house(tmp_path: Path, clock: SetClock, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """A store with one connector, `docs`, to the whole site."""
    real = registry.provider

    def look_up(slug: str) -> type[AnyConnector]:
        return Confluence if slug == "confluence" else real(slug)

    monkeypatch.setattr(registry, "provider", look_up)
    monkeypatch.setattr(registry, "require_installed", lambda _connector: None)
    home = tmp_path / "home"
    home.mkdir()
    vault = Vault(home, clock=clock)
    vault.credentials = basic()
    vault.add("confluence", {"instance_url": bench.url})
    yield vault
    vault.engine.dispose()
