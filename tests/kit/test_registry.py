"""Where providers are found."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from catchment.core.errors import ConfigRejected, NotFound
from catchment.kit import Connector, registry
from catchment.kit.registry import flow_entrypoint, provider, providers, recognise


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, dict[str, str]]]:
    """The entry points, for a test to put in what it wants."""
    groups: dict[str, dict[str, str]] = {registry.CONNECTORS_GROUP: {}, registry.FLOWS_GROUP: {}}

    def points(*, group: str) -> list[EntryPoint]:
        return [EntryPoint(name, value, group) for name, value in groups[group].items()]

    def forget() -> None:
        registry._points.cache_clear()
        provider.cache_clear()

    monkeypatch.setattr(registry, "entry_points", points)
    forget()
    yield groups
    forget()


def test_a_source_of_ours_is_found_like_anybodys(tmp_path: Path) -> None:
    """The folder comes through its entry point, and so does its flow."""
    assert "folder" in providers()
    found = provider("folder")
    assert issubclass(found, Connector)
    assert (found.slug, provider("folder")) == ("folder", found)
    assert flow_entrypoint("folder") == "flows.connectors.sync_folder"
    assert recognise(str(tmp_path))[0] == "folder"


def test_a_source_of_a_third_party_needs_an_entry_point_and_nothing_else(
    installed: dict[str, dict[str, str]],
) -> None:
    """Without a flow of its own it is synced by the general one."""
    installed[registry.CONNECTORS_GROUP] = {"theirs": "connectors.folder:Folder"}
    assert providers() == ["theirs"]
    assert issubclass(provider("theirs"), Connector)
    assert flow_entrypoint("theirs") == "flows.connectors.sync_connector"


def test_nobody_takes_a_name_of_ours(installed: dict[str, dict[str, str]]) -> None:
    """A package that calls itself folder does not get the settings and credentials of a folder."""
    installed[registry.CONNECTORS_GROUP] = {"folder": "no_such_module:Folder"}
    installed[registry.FLOWS_GROUP] = {"folder": "no_such_module:sync"}
    assert provider("folder").__module__ == "connectors.folder.connector"
    assert flow_entrypoint("folder") == "flows.connectors.sync_folder"


def test_the_flow_of_a_source_is_named_without_importing_it(installed: dict[str, dict[str, str]]) -> None:
    """The orchestrator works in processes that do not load flows."""
    installed[registry.FLOWS_GROUP] = {"theirs": "no_such_module.flows:sync_theirs"}
    assert flow_entrypoint("theirs") == "no_such_module.flows.sync_theirs"


def test_an_unknown_provider_is_answered_with_those_that_exist(installed: dict[str, dict[str, str]]) -> None:
    """The sentence names what was asked for and what could have been."""
    with pytest.raises(NotFound, match=r"no provider called 'ftp'\. Installed are: none\."):
        provider("ftp")
    installed[registry.CONNECTORS_GROUP] = {"b": "x:Y", "a": "x:Y"}
    registry._points.cache_clear()
    with pytest.raises(NotFound, match=r"Installed are: a, b\."):
        provider("ftp")


def test_an_address_that_nobody_knows_is_refused() -> None:
    """The sentence says what could be given."""
    with pytest.raises(ConfigRejected, match="No installed provider knows this address") as caught:
        recognise("gopher://example.org/")
    assert caught.value.setting == "source"
    assert "./docs" in caught.value.remedy
