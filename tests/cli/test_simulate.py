"""``simulate``: a vendor on this machine, until Ctrl-C."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from catchment.cli import simulate
from catchment.simulators import registry
from catchment.simulators.server import Simulator
from catchment.simulators.wire import Reply, Request
from tests.cli.conftest import Cli


class Plain(Simulator):
    """One that says no more than it must."""

    @classmethod
    def demo(cls, seed: int = 0) -> Plain:
        return cls(seed=seed)

    def answer(self, request: Request) -> Reply:
        return Reply(200, {"path": request.path})


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The person presses Ctrl-C as soon as it is ready; what was answered before is kept."""
    answers: list[str] = []
    told: list[str] = []
    real = simulate._tell

    def tell(vendor: str, url: str, how: str) -> None:
        told.append(url)
        real(vendor, url, how)

    monkeypatch.setattr(simulate, "_tell", tell)
    monkeypatch.setattr(simulate, "_wait", lambda: answers.append(httpx.get(told[-1]).text))
    yield answers


@pytest.mark.parametrize("vendor", registry.vendors())
def test_each_vendor_is_served_with_a_corpus(cli: Cli, at_once: list[str], vendor: str) -> None:
    """With the address, and what to type next."""
    said = cli("simulate", vendor, "--seed", 4)
    assert said.code == 0, said.err
    assert "http://127.0.0.1:" in said.out
    assert len(said.out.splitlines()) > 2
    assert len(at_once) == 1


def test_the_corpus_is_that_of_the_seed(cli: Cli, at_once: list[str]) -> None:
    """The same number makes the same site, another one another."""
    for seed in (1, 1, 2):
        assert cli("simulate", "rss", "--seed", seed).code == 0
    first, same, other = (text.partition("<ul>")[2] for text in at_once)
    assert first == same != other


def test_one_that_is_named_otherwise_is_found(
    cli: Cli, at_once: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what it is; and without words of its own the page of its connector is named."""
    import catchment.simulators.rss as module

    monkeypatch.delattr(module, "Simulation")
    monkeypatch.setattr(module, "Plain", Plain, raising=False)
    said = cli("simulate", "rss", "--json")
    assert (said.code, at_once) == (0, ['{"path": "/"}'])
    assert said.record["vendor"] == "rss"
    assert said.record["url"] in said.record["how"]
    assert "docs/connectors/rss.md" in said.record["how"]


def test_what_cannot_be_done_is_wrong_use(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown vendor, one that is not there, and a port that is taken."""
    assert cli("simulate", "nobody").code == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = cli("simulate", "rss", "--port", taken.getsockname()[1])
        assert (said.code, "port" in said.err) == (2, True)
    monkeypatch.setattr(registry, "VENDORS", ("rss",))
    said = cli("simulate", "github")
    assert (said.code, "no simulator of github" in said.err) == (2, True)
    assert "rss" in said.err


def test_ctrl_c_ends_it(home: Path) -> None:
    """A process of its own is ready, answers, and ends well."""
    process = subprocess.Popen(
        [sys.executable, "-m", "catchment.cli.main", "simulate", "rss", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert httpx.get(told["url"]).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
