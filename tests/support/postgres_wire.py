"""A way to a PostgreSQL that can break: it passes everything on, and reads the statements on the way.

What it does wrong is said in words of the wire: a connection that is cut when a statement comes by. What the
server itself does wrong (a backend that ends, a table that goes) is done to the server, by `then`.
"""

from __future__ import annotations

import shutil
import socket
import struct
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.support.postgres import Site

_CANCEL = 80877102
_READ_BYTES = 65536
Match = Callable[[str], bool]


@dataclass
class Fault:
    """What happens to statements that match.

    Attributes:
        match: Which.
        cut: Close the connection in their place.
        then: Called before they are passed on.
        skip: So many matching ones are left alone first.
        times: How many it happens to; None for good.
        passing: Forgotten by `unhook` already.
    """

    match: Match
    cut: bool = False
    then: Callable[[], None] | None = None
    skip: int = 0
    times: int | None = None
    passing: bool = False


class Wire:
    """Listens on a socket of its own and passes on to a server's.

    Attributes:
        folder: Folder of the socket; what a connector takes for its host.
        port: Of the server.

    Args:
        site: The server.
        asks_password: Come to the server over the network, where it asks who is there.
    """

    def __init__(self, site: Site, *, asks_password: bool = False) -> None:
        self.port = site.port
        # A short path: the name of a socket may have 107 bytes.
        self.folder = tempfile.mkdtemp(prefix="pw-")
        self._upstream = f"{site.socket}/.s.PGSQL.{site.port}"
        self._asks_password = asks_password
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(f"{self.folder}/.s.PGSQL.{site.port}")
        self._server.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def fault(self, match: Match, **facts: Any) -> None:
        """Let something happen to statements that match; see `Fault`."""
        with self._lock:
            self._faults.append(Fault(match, **facts))

    def unhook(self) -> None:
        """Forget the faults that are passing ones."""
        with self._lock:
            self._faults = [fault for fault in self._faults if not fault.passing]

    def mend(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def close(self) -> None:
        """Stop listening."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        shutil.rmtree(self.folder)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_INET if self._asks_password else socket.AF_UNIX)
        with client, server, suppress(OSError):
            if self._asks_password:
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server.connect(("127.0.0.1", self.port))
            else:
                server.connect(self._upstream)
            threading.Thread(target=_pump, args=(server, client), daemon=True).start()
            try:
                self._pass_on(client, server)
            finally:
                for end in (client, server):
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """Pass messages on to the server until one of both is gone, or a fault cuts between them."""
        reader = client.makefile("rb", buffering=_READ_BYTES)
        head = reader.read(4)
        body = reader.read(struct.unpack("!I", head)[0] - 4) if len(head) == 4 else b""
        server.sendall(head + body)
        if body[:4] == struct.pack("!I", _CANCEL):
            return
        while len(head := reader.read(5)) == 5:
            body = reader.read(struct.unpack("!I", head[1:])[0] - 4)
            if head[:1] in (b"P", b"Q") and not self._lets_pass(_statement(head, body)):
                return
            server.sendall(head + body)

    def _lets_pass(self, statement: str) -> bool:
        chosen = self._chosen(statement)
        if chosen is None:
            return True
        if chosen.then is not None:
            chosen.then()
        return not chosen.cut

    def _chosen(self, statement: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.times == 0 or not fault.match(statement):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None


def _statement(head: bytes, body: bytes) -> str:
    """Read the SQL of a Parse message, which has a name before it, or of a Query."""
    parts = body.split(b"\0")
    return parts[1 if head[:1] == b"P" else 0].decode("utf-8", "replace")


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(_READ_BYTES):
            target.sendall(part)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
