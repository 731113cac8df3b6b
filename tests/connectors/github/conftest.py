"""GitHub's stand-in behind a real wire, and connectors that read it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from catchment.core.clock import SetClock
from catchment.kit import Complete, Deleted, Item, Session, registry, wire
from catchment.kit.governor import Governor
from catchment.kit.registry import AnyConnector
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository
from connectors.github import GitHub, GitHubConfig, GitHubCredentials
from tests.support.vault import Vault

ONLY: dict[str, list[str]] = {"kinds": ["discussions"]}
TOKEN = "ghp_canary0123456789"
REAL_WAIT = Session.wait
MakeSource = Callable[..., GitHub]
_trust = cache(httpx.create_ssl_context)


class Patient(threading.Event):
    """A stop signal whose waits pass at once and move the clock."""

    def __init__(self, clock: SetClock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.advance(timeout or 0)
        return self.is_set()


@pytest.fixture
def vendor() -> Vendor:
    """The vendor, with one private repository and a token that may read it."""
    made = Vendor()
    made.token(TOKEN)
    return made


@pytest.fixture
def clock(vendor: Vendor) -> SetClock:
    """One clock for both sides."""
    shared = SetClock(vendor.clock.seconds)
    vendor.clock = shared  # type: ignore[assignment]
    vendor.access._clock = shared  # type: ignore[assignment]
    return shared


@pytest.fixture
def repo(vendor: Vendor, clock: SetClock) -> Repository:
    made = vendor.repository("octo-org/weir", collaborators={"octo-ann": "admin", "octo-bob": "read"})
    made.commit({"README.md": "# Weir\n\nWater flows.\n", "docs/a.md": "about a", "src/b.py": "b = 1\n"})
    return made


@pytest.fixture
def debate(repo: Repository, clock: SetClock) -> Repository:
    """Seven discussions with comments and replies, an hour ago."""
    for number in range(7):
        clock.advance(60)
        made = repo.forum.open(
            f"Discussion {number}", f"Body {number}", category="Q&A" if number % 2 else "Ideas"
        )
        said = repo.forum.comment(made.number, f"Comment on {number}")
        repo.forum.reply(made.number, said.id, f"Reply on {number}")
    clock.advance(3600)
    return repo


@pytest.fixture
def url(vendor: Vendor) -> Iterator[str]:
    with vendor.serve() as address:
        yield address


@pytest.fixture(autouse=True)
def _governors_of_this_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test was told to wait for is no business of another."""
    made: dict[str, Governor] = {}
    monkeypatch.setattr(
        "connectors.github.client.governor_for", lambda slug, name: made.setdefault(slug + name, Governor())
    )


@pytest.fixture(autouse=True)
def _one_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates are read once for all of these tests, which use none."""
    monkeypatch.setattr(wire.httpx, "create_ssl_context", _trust)


@pytest.fixture
def session(clock: SetClock) -> Session:
    """A session whose waits pass at once."""
    made = Session(clock=clock)
    made.stop = Patient(clock)
    return made


@pytest.fixture
def make_source(url: str, session: Session, repo: Repository) -> Iterator[MakeSource]:
    made: list[GitHub] = []

    def make(*, credentials: GitHubCredentials | None = None, **settings: Any) -> GitHub:
        signed = credentials or GitHubCredentials(token=TOKEN)  # type: ignore[arg-type]
        config = GitHubConfig(**{"api_url": url, "repos": ["octo-org/weir"], **settings})
        made.append(GitHub(config, signed, session))
        return made[-1]

    yield make
    for source in made:
        source.close()


@pytest.fixture
def source(make_source: MakeSource) -> GitHub:
    return make_source()


@pytest.fixture
def house(
    tmp_path: Path, clock: SetClock, url: str, repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Vault]:
    """A store with one connector, `docs`, to the repository; waits pass at once."""
    real = registry.provider

    def look_up(slug: str) -> type[AnyConnector]:
        return GitHub if slug == "github" else real(slug)

    monkeypatch.setattr(registry, "provider", look_up)
    monkeypatch.setattr(Session, "wait", lambda self, seconds, reason: clock.advance(seconds))
    home = tmp_path / "home"
    home.mkdir()
    vault = Vault(home, clock=clock)
    vault.credentials = {"token": TOKEN}
    vault.add("github", {"api_url": url, "repos": ["octo-org/weir"]})
    yield vault
    vault.engine.dispose()


def listed(source: GitHub, *, content: bool = False) -> tuple[dict[str, Item], dict[str, str]]:
    """List every scope; returns the items by key, and the marks by scope."""
    items: dict[str, Item] = {}
    marks: dict[str, str] = {}
    for scope in source.scopes():
        events = list(source.listing_with_content(scope) if content else source.listing(scope))
        end = events[-1]
        assert isinstance(end, Complete)
        marks[scope.key] = end.mark or ""
        items |= {event.key: event for event in events if isinstance(event, Item)}
    return items, marks


def changed(source: GitHub, marks: dict[str, str]) -> tuple[dict[str, Item | None], dict[str, str]]:
    """Read the changes of every scope; returns what became of each key, and the new marks."""
    found: dict[str, Item | None] = {}
    new: dict[str, str] = {}
    for scope in source.scopes():
        for event in source.changes(scope, marks[scope.key]):
            if isinstance(event, Complete):
                new[scope.key] = event.mark or ""
            elif isinstance(event, Deleted):
                found[event.key] = None
            elif not hasattr(event, "position"):
                found[event.item.key] = event.item  # type: ignore[union-attr]
    return found, new


def asked(vendor: Vendor) -> list[str]:
    """Return the paths that were asked for since the last look, and forget them."""
    found = [request.path.removeprefix("/repos/octo-org/weir") for request in vendor.asked]
    vendor.asked.clear()
    return found


def debated(repo: Repository) -> set[str]:
    """Return the keys of all discussions of a repository."""
    return {one.node_id for one in repo.forum.discussions.values()}


def state(vendor: Vendor) -> set[str]:
    """Return the keys of everything that an index of the vendor must have."""
    keys: set[str] = set()
    for repo in vendor.repositories.values():
        keys |= {f"{repo.id}:{repo.default_branch}:{path}" for path in repo.files()}
        keys |= {issue.node_id for issue in repo.issues.values()}
        keys |= {one.node_id for one in repo.forum.discussions.values() if repo.forum.is_on}
    return keys


def token(name: str) -> GitHubCredentials:
    """Return a personal token as credentials."""
    return GitHubCredentials(token=name)  # type: ignore[arg-type]
