"""A workspace of each test's own behind Notion's API, and connectors that read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catchment.core.clock import SetClock
from catchment.core.items import Changed, Complete, Deleted
from catchment.kit import Item, Session, registry
from catchment.kit import http as kit_http
from catchment.kit.governor import Governor
from catchment.kit.registry import AnyConnector
from catchment.kit.session import Recorded
from catchment.simulators.notion import NotionSimulator, Spec, block, paragraph
from catchment.simulators.notion.simulator import TOKEN
from connectors.notion import Notion, NotionConfig, NotionCredentials, api
from tests.support.vault import Vault

MakeSource = Callable[..., Notion]
PLAN = b"# Plan\n\nThe weir is raised."


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def world(clock: SetClock) -> NotionSimulator:
    """An empty workspace, whose clock is everybody's."""
    made = NotionSimulator()
    made.clock = clock  # type: ignore[assignment]
    return made


@pytest.fixture
def url(world: NotionSimulator) -> Iterator[str]:
    with world.serve() as url:
        yield url


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits before another try are a thousand times shorter, and no pace is shared with other tests."""
    governor = Governor()
    monkeypatch.setattr(kit_http, "_pause", lambda failures: 0.001 * failures)
    monkeypatch.setattr(api, "governor_for", lambda _slug, _credential: governor)


@pytest.fixture
def make_source(url: str, clock: SetClock) -> Iterator[MakeSource]:
    """Make connectors to the workspace."""
    made: list[Notion] = []

    def make(*, token: str = TOKEN, session: Session | None = None, **settings: Any) -> Notion:
        credentials = settings.pop("credentials", NotionCredentials(integration_token=token))  # type: ignore[arg-type]
        config = NotionConfig(**{"base_url": url, **settings})
        made.append(Notion(config, credentials, session or Session(clock=clock)))
        return made[-1]

    yield make
    for source in made:
        source.close()


@pytest.fixture
def source(make_source: MakeSource) -> Notion:
    return make_source()


@pytest.fixture
def house(tmp_path: Path, clock: SetClock, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """A store with one connector, `docs`, to the workspace."""
    real = registry.provider

    def look_up(slug: str) -> type[AnyConnector]:
        return Notion if slug == "notion" else real(slug)

    monkeypatch.setattr(registry, "provider", look_up)
    home = tmp_path / "home"
    home.mkdir()
    vault = Vault(home, clock=clock)
    vault.credentials = {"integration_token": TOKEN}
    vault.add("notion", {"base_url": url})
    yield vault
    vault.engine.dispose()


def settle(world: NotionSimulator) -> None:
    """Let so much time pass that the last edits have times of their own."""
    world.clock.advance(3600)


def listed(source: Notion) -> dict[str, Item]:
    """List every scope to its end, and return the items by key."""
    found: dict[str, Item] = {}
    for scope in source.scopes():
        events = list(source.listing(scope))
        assert isinstance(events[-1], Complete)
        for event in events[:-1]:
            assert isinstance(event, Item)
            assert event.key not in found
            found[event.key] = event
    return found


def remember(source: Notion, items: dict[str, Item]) -> None:
    """Let these be what is recorded, as after a run."""
    source.session.known = lambda keys: {
        key: Recorded(items[key].version, items[key].path) for key in keys if key in items
    }


def mark_of(source: Notion) -> str:
    """List, and return the mark."""
    last = list(source.listing(source.scopes()[0]))[-1]
    assert isinstance(last, Complete)
    assert last.mark is not None
    return last.mark


def changed(source: Notion, mark: str | None) -> tuple[set[str], set[str]]:
    """Return the keys that the feed reports as changed, and as gone."""
    events = list(source.changes(source.scopes()[0], mark))
    assert isinstance(events[-1], Complete)
    new = {event.item.key for event in events if isinstance(event, Changed)}
    return new, {event.key for event in events if isinstance(event, Deleted)}


def text_of(source: Notion, key: str) -> str:
    """Read one item, found by its key."""
    found = next(iter(source.find(source.scopes(), [key])))
    assert found.item is not None
    return bytes(source.fetch(found.item).stream().read()).decode()


def paths(world: NotionSimulator, since: int = 0) -> list[str]:
    """Return the requests so far, as verb and path with ids left out."""
    return [f"{asked.method} {shape(asked.path)}" for asked in world.asked[since:]]


def shape(path: str) -> str:
    """Leave ids out of a path."""
    return "/".join("*" if len(part) == 36 else part for part in path.removeprefix("/v1").split("/"))


def file_block(world: NotionSimulator, name: str, data: bytes = PLAN, kind: str = "file") -> Spec:
    """A block with a file that was uploaded."""
    return block(kind, caption=[], **world.upload(name, data, "text/markdown"))


def files(items: dict[str, Item]) -> dict[str, Item]:
    """Return the files among items, by path."""
    return {item.path: item for item in items.values() if item.metadata["kind"] == "file"}


@pytest.fixture
def handbook(world: NotionSimulator) -> dict[str, str]:
    """A page with a file in it and one in a toggle, and a row with two of one name; settled."""
    page = world.page("Handbook", blocks=[paragraph("Welcome."), file_block(world, "plan.md")])
    fold = world.append(
        page, block("toggle", "more", file_block(world, "scan.png", b"\x89PNG\r\n\x1a\n", "image"))
    )
    _, tasks = world.database("Tasks", schema={"Papers": "files"})
    papers = [world.upload("offer.md", b"first"), world.upload("offer.md", b"second")]
    row = world.page("Task 1", tasks, properties={"Papers": {"files": papers}})
    settle(world)
    plan, toggle = (each for each in world.things[page].children if each != world.things[page].children[0])
    return {"page": page, "plan": plan, "toggle": toggle, "fold": fold[0], "row": row, "tasks": tasks}
