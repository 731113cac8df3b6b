"""How connectors reach the outside, and where they may not go."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from catchment.kit import ConfigRejected, Network, SourceDown

NAMES = {
    "public.example": ["93.184.216.34"],
    "inside.example": ["10.0.0.7"],
    "both.example": ["93.184.216.34", "192.168.1.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
}


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wire: names stand for the addresses above, and addresses for themselves."""

    def look_up(host: str, *_args: Any, **_kwargs: Any) -> list[tuple[Any, ...]]:
        if host.endswith(".missing"):
            raise socket.gaierror("no such name")
        return [(0, 0, 0, "", (address, 0)) for address in NAMES.get(host, [host])]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize(
    "host",
    [
        "inside.example",
        "both.example",
        "mapped.example",
        "metadata.example",
        "127.0.0.1",
        "::1",
        "fe80::1%eth0",
    ],
)
def test_private_addresses_are_out_of_bounds_for_what_others_made(host: str) -> None:
    """One private address among those of a name is enough, in whatever form it is written."""
    with pytest.raises(ConfigRejected, match="private network") as caught:
        Network(guarded=True).require_reachable(host, setting="endpoint")
    assert caught.value.setting == "endpoint"
    assert "CATCHMENT_NETWORK_ALLOWED" in caught.value.remedy


@pytest.mark.parametrize("host", ["public.example", "8.8.8.8"])
def test_public_addresses_are_open_to_all(host: str) -> None:
    """The guard stands before private networks only."""
    Network(guarded=True).require_reachable(host, setting="endpoint")


def test_the_operator_may_go_anywhere() -> None:
    """What was made at the command line is not looked at."""
    Network().require_reachable("127.0.0.1", setting="endpoint")
    Network().require_reachable("nowhere.missing", setting="endpoint")


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("10.0.0.0/8", "inside.example"),
        ("inside.example", "INSIDE.example"),
        ("*.example", "inside.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1/128, 10.0.0.0/8", "::1"),
    ],
)
def test_what_is_on_the_list_is_allowed(allowed: str, host: str) -> None:
    """By name, by pattern, by network."""
    network = Network.read({"CATCHMENT_NETWORK_ALLOWED": allowed}, guarded=True)
    network.require_reachable(host, setting="endpoint")


@pytest.mark.parametrize(
    ("allowed", "host"),
    [("10.0.0.0/8", "both.example"), ("*.example", "127.0.0.1"), ("example", "inside.example")],
)
def test_the_list_opens_nothing_else(allowed: str, host: str) -> None:
    """Every private address of a name must be on it."""
    network = Network.read({"CATCHMENT_NETWORK_ALLOWED": allowed}, guarded=True)
    with pytest.raises(ConfigRejected):
        network.require_reachable(host, setting="endpoint")


def test_a_name_without_an_address_is_a_source_that_is_away() -> None:
    """It may come back, so that nothing is said about the settings."""
    with pytest.raises(SourceDown, match=r"nowhere\.missing"):
        Network(guarded=True).require_reachable("nowhere.missing", setting="endpoint")


def test_the_password_of_a_proxy_is_not_shown() -> None:
    """Not even where somebody logs the settings."""
    network = Network.read({"CATCHMENT_NETWORK_PROXY": "http://me:hidden@proxy:3128"})
    assert network.proxy == "http://me:hidden@proxy:3128"
    assert "hidden" not in f"{network!r} {network}"
