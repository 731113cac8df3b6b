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
from tests.cli.conftest import Cli


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


@pytest.mark.parametrize("vendor", sorted(registry.CLASSES))
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


def test_what_cannot_be_done_is_wrong_use(cli: Cli) -> None:
    """An unknown vendor, and a port that is taken."""
    assert cli("simulate", "nobody").code == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = cli("simulate", "rss", "--port", taken.getsockname()[1])
        assert (said.code, "port" in said.err) == (2, True)


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
