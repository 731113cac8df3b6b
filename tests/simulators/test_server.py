"""What every simulator can do: answer, keep count, and go wrong as it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.server import Simulator
from catchment.simulators.wire import Reply, Request


class Echo(Simulator):
    """Answers with what it was asked."""

    def answer(self, request: Request) -> Reply:
        body = {"path": request.path, "query": dict(request.query), "sent": request.json()}
        return Reply(200, body, {"X-Next": request.link(page=2)})


@pytest.fixture
def echo() -> Echo:
    return Echo(seed=1)


@pytest.fixture
def client(echo: Echo) -> Iterator[httpx.Client]:
    with echo.serve() as url, httpx.Client(base_url=url, timeout=10) as client:
        yield client


def test_it_answers_over_a_real_wire_and_keeps_what_it_was_asked(echo: Echo, client: httpx.Client) -> None:
    """Many requests on one connection, with bodies."""
    got = client.post("/a%20b", params={"x": "1"}, json=[1])
    assert got.json() == {"path": "/a%20b", "query": {"x": "1"}, "sent": [1]}
    assert got.headers["x-next"].endswith("/a%20b?x=1&page=2")
    assert client.head("/y").content == b""
    assert [(one.method, one.path) for one in echo.asked] == [("POST", "/a%20b"), ("HEAD", "/y")]


def test_the_script_takes_the_requests_that_are_meant(echo: Echo, client: httpx.Client) -> None:
    """By path, verb and parameters; after some that go well; so many times."""
    echo.faults.add(
        Fault(faults.answer(429, {"m": "slow"}, {"Retry-After": "2"}), path="/p", skip=1, times=2)
    )
    echo.faults.add(Fault(faults.answer(500), path="/q", query={"page": "3"}))
    statuses = [client.get("/p").status_code for _ in range(4)]
    assert statuses == [200, 429, 429, 200]
    assert client.get("/q?page=2").status_code == 200
    assert client.get("/q?page=3").status_code == 500
    assert client.post("/other").status_code == 200
    assert echo.faults.happened == 3
    echo.faults.clear()
    assert client.get("/q?page=3").status_code == 200


def test_a_connection_breaks_in_the_middle(echo: Echo, client: httpx.Client) -> None:
    """The client sees a body that is too short; the next request is answered."""
    echo.faults.add(Fault(faults.cut(5), times=1))
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/x")
    assert client.get("/x").json()["path"] == "/x"


def test_half_an_answer_and_a_changed_one(echo: Echo, client: httpx.Client) -> None:
    """What is no JSON, and a cursor that comes again."""
    echo.faults.add(Fault(faults.malformed(), times=1))
    with pytest.raises(json.JSONDecodeError):
        client.get("/x").json()

    def repeat(_: Request, reply: Reply) -> None:
        reply.headers["X-Next"] = "again"

    echo.faults.add(Fault(faults.changed(repeat), times=1))
    assert client.get("/x").headers["x-next"] == "again"


def test_data_change_between_two_answers_and_drip(echo: Echo, client: httpx.Client) -> None:
    """Before the usual answer is made; and a body that comes byte by byte is whole."""
    seen: list[Any] = []
    echo.faults.add(Fault(faults.meanwhile(lambda: seen.append(len(echo.asked))), times=1))
    client.get("/x")
    assert seen == [1]
    echo.faults.add(Fault(faults.drip(0.001), times=1))
    assert client.get("/slow").json()["path"] == "/slow"


def test_chance_is_drawn_from_the_seed() -> None:
    """The same faults at the same requests, each time."""

    def drawn(seed: int) -> list[bool]:
        echo = Echo(seed=seed)
        echo.faults.add(Fault(faults.answer(500), chance=0.3))
        request = Request.of("GET", "/x", {}, b"", "")
        return [echo.handle(request).status == 500 for _ in range(50)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 5 < sum(drawn(1)) < 25
