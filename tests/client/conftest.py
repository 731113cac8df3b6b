"""A served store, and both clients of it: over a real connection, and in the process itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from catchment.client import AsyncClient, Client, Retries
from catchment.core.clock import SetClock
from catchment.kit import registry
from tests.support.faces import Served, served
from tests.support.loopback import on_loopback

T = TypeVar("T")
TOKEN = "ct_this-is-the-token-that-nobody-may-see"


def items(*paths: str, text: str = "words", version: str = "1") -> dict[str, Any]:
    """Settings of a fixture that holds these paths."""
    return {"items": [{"path": path, "text": f"{text} of {path}", "version": version} for path in paths]}


@dataclass
class House:
    """A served store, and who asks it."""

    served: Served
    address: str

    def client(self, token: str = "admin", **more: Any) -> Client:
        """A client that blocks, over the port."""
        return Client(self.address, self.served.variables[f"tok_{token}"], **more)

    @asynccontextmanager
    async def awaited(self, token: str = "admin") -> AsyncIterator[AsyncClient]:
        """A client that is awaited, over the application itself."""
        transport = httpx.ASGITransport(app=self.served.client.app)
        secret = self.served.variables[f"tok_{token}"]
        async with AsyncClient("http://testserver", secret, transport=transport) as client:
            yield client


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    registry.provider.cache_clear()
    with served(tmp_path, monkeypatch) as made, on_loopback(made.client.app) as address:
        yield House(made, address)
    registry.provider.cache_clear()


@pytest.fixture
def client(house: House) -> Iterator[Client]:
    with house.client() as made:
        yield made


def awaiting(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    return asyncio.run(work)


class Waits(SetClock):
    """A clock that moves when somebody sleeps, and remembers for how long."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class FaultyWire:
    """A wire that fails as it is told to, answer by answer; what is left over goes to `behind`.

    Attributes:
        replies: Taken in this order; an exception is raised in place of an answer.
        behind: Answers what no reply is left for.
        requests: Everything that was sent.
    """

    replies: list[Reply] = field(default_factory=list)
    behind: Callable[[httpx.Request], httpx.Response] | None = None
    requests: list[httpx.Request] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if self.replies else self.behind
        assert reply is not None, f"nobody answers {request.method} {request.url.path}"
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx.Response) else reply(request)

    @property
    def paths(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]


@dataclass
class Faulty:
    """A client whose wire fails, and whose time is a test's own."""

    wire: FaultyWire
    waits: Waits
    client: Client


@pytest.fixture
def faulty() -> Iterator[Faulty]:
    wire, waits = FaultyWire(), Waits()
    transport = httpx.MockTransport(wire.answer)
    client = Client(
        "http://api.test",
        TOKEN,
        transport=transport,
        sleep=waits.sleep,
        clock=waits,
        retries=Retries(attempts=4),
    )
    # No chance: what is waited for can be said.
    client.session.chance = lambda: 0.0
    yield Faulty(wire, waits, client)
    client.close()
