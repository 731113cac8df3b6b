"""A simulator: its clock, its faults, what it was asked, and the HTTP server around it."""

from __future__ import annotations

import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from catchment.core.clock import SetClock
from catchment.simulators.faults import FaultScript
from catchment.simulators.wire import Reply, Request

HOST = "127.0.0.1"
_SECONDS_TO_STOP = 5.0


class Simulator(ABC):
    """One vendor. A subclass keeps the vendor's data and answers requests as the vendor would.

    Attributes:
        clock: Time at the vendor.
        faults: What goes wrong.
        asked: Every request so far, those that met a fault included.
        latency_seconds: Pause before each answer.
        lock: Held while a request is answered and by whoever changes the data.
    """

    def __init__(self, *, seed: int = 0) -> None:
        self.clock = SetClock()
        self.faults = FaultScript(seed)
        self.asked: list[Request] = []
        self.latency_seconds = 0.0
        self.lock = threading.RLock()

    def how_to_connect(self, url: str) -> str:
        """Return what to type to sync from this vendor, served at an address."""
        return f"Its address is {url}."

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """Answer as the vendor would; called under the lock."""

    def handle(self, request: Request) -> Reply:
        """Answer a request, or let it meet its fault."""
        if self.latency_seconds:
            time.sleep(self.latency_seconds)
        with self.lock:
            self.asked.append(request)
            fault = self.faults.due(request)
            return self.answer(request) if fault is None else fault.answer(request, self.answer)

    @contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """Serve on this machine, by default on a free port, and lend the address."""
        server = _Server((HOST, port), _handler_of(self))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join(_SECONDS_TO_STOP)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


def _handler_of(simulator: Simulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            base_url = f"http://{headers.get('host', HOST)}"
            request = Request.of(self.command, self.path, headers, body, base_url)
            self._send(simulator.handle(request))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815

        def _send(self, reply: Reply) -> None:
            content = reply.content()
            self.send_response(reply.status)
            headers = {"Content-Type": "application/json; charset=utf-8", **reply.headers}
            if reply.status not in (204, 304):
                headers["Content-Length"] = str(len(content))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            if reply.cut_after is not None:
                self.wfile.write(content[: reply.cut_after])
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            elif reply.drip_seconds:
                self._drip(content, reply.drip_seconds)
            else:
                self.wfile.write(content)

        def _drip(self, content: bytes, seconds: float) -> None:
            for byte in content:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(seconds)

        def handle(self) -> None:
            try:
                super().handle()
            except (ConnectionError, TimeoutError):
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing: what was asked stands in `Simulator.asked`."""

    return Handler
