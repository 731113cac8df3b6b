"""How HTTP is read: requests in pieces, one after the other, and heads that are too long."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from catchment.api.protocol import MOST_HEAD_BYTES, BoundedProtocol
from tests.support.loopback import on_loopback

PIECE = 4096


async def _echo(scope: dict[str, object], receive: object, send: object) -> None:
    """Answer with the length of the body."""
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()  # type: ignore[operator]
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    body = str(size).encode()
    await send(  # type: ignore[operator]
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
    )
    await send({"type": "http.response.body", "body": body})  # type: ignore[operator]


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    """A connection to a server that reads by the protocol."""
    with on_loopback(_echo, http=BoundedProtocol) as address:
        parts = urlsplit(address)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
            yield connection


def _request(body: bytes, *, header: int = 10, path: int = 1) -> bytes:
    head = f"POST {'/' * path} HTTP/1.1\r\nHost: here\r\nX-Long: {'a' * header}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _answer(connection: socket.socket, end: bytes) -> bytes:
    """Read until the answer ends so, or the connection does."""
    answer = b""
    while not answer.endswith(end) and (part := connection.recv(65_536)):
        answer += part
    return answer


class _Wire(asyncio.Transport):
    """Keeps what a server writes to a client that sends pieces of known sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def _answers_to(pieces: list[bytes]) -> bytes:
    """Return what a client gets whose pieces reach the server as they are."""
    config = Config(_echo, log_level="critical")  # type: ignore[arg-type]
    config.load()
    wire, protocol = _Wire(), BoundedProtocol(config, ServerState(), {})
    protocol.connection_made(wire)
    for piece in pieces:
        protocol.data_received(piece)
        for _ in range(20):
            await asyncio.sleep(0)
    protocol.connection_lost(None)
    return wire.written


class TestARequest:
    def test_may_come_in_pieces_and_be_followed_by_others(self, connection: socket.socket) -> None:
        """A long body is no head, and each request has a bound of its own."""
        for _ in range(3):
            asked = _request(b"x" * MOST_HEAD_BYTES * 2, header=MOST_HEAD_BYTES // 2)
            for start in range(0, len(asked), PIECE):
                connection.sendall(asked[start : start + PIECE])
            answer = _answer(connection, b"\r\n\r\n131072")
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert answer.endswith(b"131072")

    @pytest.mark.parametrize("goes_on", [False, True])
    def test_may_begin_where_another_ends(self, *, goes_on: bool) -> None:
        """What came before it in the same piece is no part of its head."""
        body, behind = b"x" * MOST_HEAD_BYTES * 2, _request(b"yy")
        pieces = [_request(body) + behind[:-10], behind[-10:]]
        if goes_on:
            pieces[:1] = [pieces[0][:200], pieces[0][200:]]
        answers = asyncio.run(_answers_to(pieces))
        assert answers.count(b"HTTP/1.1 200 ") == answers.count(b"HTTP/1.1 ") == 2
        assert answers.endswith(b"\r\n\r\n2")

    @pytest.mark.parametrize("long", [{"header": MOST_HEAD_BYTES}, {"path": MOST_HEAD_BYTES}])
    def test_whose_head_is_too_long_is_refused(self, connection: socket.socket, long: dict[str, int]) -> None:
        """Before its end, so that nobody can fill the memory by never ending it."""
        connection.sendall(_request(b"", **long)[: MOST_HEAD_BYTES + 10])
        answer = _answer(connection, b"nothing of the kind")  # to the end of the connection
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert f"{MOST_HEAD_BYTES} bytes".encode() in answer

    def test_whose_head_is_complete_and_too_long_reaches_nobody(self, connection: socket.socket) -> None:
        """Even where all of it came at once."""
        connection.sendall(_request(b"", header=MOST_HEAD_BYTES))
        assert _answer(connection, b"nothing of the kind").startswith(b"HTTP/1.1 400 ")

    def test_that_is_none_is_refused(self, connection: socket.socket) -> None:
        """Whatever else speaks to the port."""
        connection.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        assert _answer(connection, b"nothing of the kind").startswith(b"HTTP/1.1 400 ")
