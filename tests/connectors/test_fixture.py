"""The fixture: a source for tests of clients, absent unless it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import NotFound, OutOfScope, RunCancelled
from catchment.kit import Health, registry
from catchment.kit.session import Session
from connectors.fixture import Fixture, FixtureConfig
from tests.support.vault import Vault, counts, done

ITEMS = [
    {"path": "docs/a.md", "text": "alpha text", "version": "1"},
    {"path": "docs/b.md", "text": "beta text", "version": 1},
    {"path": "top.md", "text": "gamma text"},
]


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    registry.provider.cache_clear()
    monkeypatch.setenv("CATCHMENT_FIXTURE_PROVIDER", "1")
    yield
    registry.provider.cache_clear()


@pytest.fixture
def house(tmp_path: Path, asked_for: None) -> Iterator[Vault]:
    vault = Vault(tmp_path, clock=SetClock())
    vault.add("fixture", {"items": ITEMS})
    yield vault
    vault.engine.dispose()


def fixture(**config: object) -> Fixture:
    return Fixture(FixtureConfig.model_validate({"items": ITEMS, **config}))


def test_it_is_there_only_where_the_environment_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other value than 1 is as good as none, and no entry point brings it."""
    registry.provider.cache_clear()
    for value in ("", "0", "true"):
        monkeypatch.setenv("CATCHMENT_FIXTURE_PROVIDER", value)
        assert "fixture" not in registry.providers()
        with pytest.raises(NotFound):
            registry.provider("fixture")
    monkeypatch.setenv("CATCHMENT_FIXTURE_PROVIDER", "1")
    assert registry.is_installed("fixture") and "fixture" in registry.providers()
    assert registry.provider("fixture") is Fixture
    assert registry.flow_entrypoint("fixture") == "flows.connectors.sync_connector"
    registry.provider.cache_clear()


def test_the_first_part_of_a_path_browses_as_a_folder() -> None:
    """At the top stand folders and files; an unknown parent is told."""
    top = fixture().browse()
    assert [(r.id, r.kind, r.has_children) for r in top.resources] == [
        ("docs", "folder", True),
        ("top.md", "file", False),
    ]
    below = fixture().browse("docs").resources
    assert [(r.id, r.name, r.kind) for r in below] == [
        ("docs/a.md", "a.md", "file"),
        ("docs/b.md", "b.md", "file"),
    ]
    with pytest.raises(OutOfScope):
        fixture().browse("no-such-folder")


def test_it_refuses_the_connection_test_when_it_is_set_to() -> None:
    """Else everything is well."""
    assert fixture().check()[0].health is Health.OK
    assert fixture(refuse=True).check()[0].health is Health.DENIED


def test_a_wait_before_an_item_ends_with_the_run() -> None:
    """A latency of a minute costs nothing once the run must stop."""
    session = Session()
    session.stop.set()
    slow = Fixture(FixtureConfig.model_validate({"items": ITEMS, "latency_ms": 60_000}), None, session)
    with pytest.raises(RunCancelled):
        next(iter(slow.listing(slow.scopes()[0])))


def test_a_change_of_its_items_is_a_change_at_the_source(house: Vault) -> None:
    """New, changed and absent items are seen, and no run says that the configuration changed."""
    assert counts(house.sync()) == done(3)
    assert counts(house.sync()) == {"collected": 3, "skipped": 3}
    changed = [
        {"path": "docs/b.md", "text": "beta anew", "version": "2"},
        {"path": "docs/d.md", "text": "delta"},
        ITEMS[2],
    ]
    house.configure(items=changed)
    run = house.sync()
    assert counts(run) == done(2, collected=3, skipped=1, deleted=1)
    assert run.reason == "no_change_feed"
    assert house.texts() == {"docs/b.md": "beta anew", "docs/d.md": "delta", "top.md": "gamma text"}


def test_a_named_entry_that_it_never_had_fails_alone(house: Vault) -> None:
    """The others are read, and the run succeeds."""
    house.sync()
    run = house.sync(mode="incremental", file_filter=["docs/a.md", "docs/never.md"])
    assert run.state == "SUCCEEDED"
    assert counts(run) == done(1, collected=2, failed=1)
