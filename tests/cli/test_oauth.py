"""``catchment oauth``: clients are kept, listed and forgotten, and never shown."""

from __future__ import annotations

import io
import json
import sys

import pytest

from tests.cli.conftest import Cli, Place

CLIENT = {"client_id": "us", "client_secret": "canary-jewel"}


@pytest.fixture
def place(place: Place) -> Place:
    """A place whose store is there."""
    _ = place.house
    return place


def test_a_client_is_kept_and_not_shown(place: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """From standard input; neither a word nor a file has it, and the list has its provider."""
    assert "No vendor" in cli("oauth", "list").out
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(CLIENT)))
    said = [
        cli("oauth", "set", "google-drive", "--stdin"),
        cli("oauth", "list"),
        cli("oauth", "list", "--json"),
    ]
    assert [one.code for one in said] == [0, 0, 0]
    assert said[2].record["provider"] == "google-drive"
    assert not any("canary" in one.out + one.err for one in said)
    files = [path.read_bytes() for path in place.home.rglob("*") if path.is_file()]
    assert not any(b"canary" in content for content in files)


def test_a_client_comes_from_the_environment_too(
    place: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the credentials of connectors do; a second one takes the place of the first."""
    for name, value in CLIENT.items():
        monkeypatch.setenv(f"CATCHMENT_CREDENTIAL_{name.upper()}", value)
    for _ in range(2):
        assert cli("oauth", "set", "slack", "--json").record["provider"] == "slack"
    assert [one["provider"] for one in cli("oauth", "list", "--json").records] == ["slack"]
    assert cli("oauth", "remove", "slack").code == 0
    assert cli("oauth", "remove", "slack").code == 2
    assert cli("oauth", "list", "--json").records == []


def test_half_a_client_is_refused(place: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2 that names the field, and nothing of the rest."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({"client_secret": "canary-jewel"})))
    said = cli("oauth", "set", "google-drive", "--stdin")
    assert said.code == 2
    assert "client_id" in said.err
    assert "canary" not in said.err
    assert cli("oauth", "set", "s3").code == 2
