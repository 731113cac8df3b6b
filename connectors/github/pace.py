"""Staying below what github.com allows in a minute, before it has to say so.

Beyond it every request is refused for a minute, and who goes on asking may be locked out. Other servers have
no such limit of their own accord.
"""

from __future__ import annotations

import threading
from collections import deque

import httpx

from catchment.kit import Session
from catchment.kit.wire import Wire

MOST_REQUESTS = 800
"""Requests in a minute: GitHub allows 900, and other programs may use the same credentials."""
SECONDS = 60.0
HOSTS = ("api.github.com",)


class Pace:
    """Lets so many requests through in any stretch of so many seconds; for many threads at once."""

    def __init__(self, session: Session, *, most: int = MOST_REQUESTS, seconds: float = SECONDS) -> None:
        self._session = session
        self._most = most
        self._seconds = seconds
        self._lock = threading.Lock()
        self._times: deque[float] = deque()

    def wait(self) -> None:
        """Wait until one more request is welcome, visibly.

        Raises:
            RunCancelled: The run was asked to stop meanwhile.
        """
        while True:
            with self._lock:
                now = self._session.clock.monotonic()
                while self._times and now - self._times[0] >= self._seconds:
                    self._times.popleft()
                if len(self._times) < self._most:
                    self._times.append(now)
                    return
                rest = self._times[0] + self._seconds - now
            self._session.wait(rest, "GitHub allows only so many requests in a minute")


class PacedWire(httpx.BaseTransport):
    """The wire, at a pace."""

    def __init__(self, wire: httpx.BaseTransport, pace: Pace) -> None:
        self._wire = wire
        self._pace = pace

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request when it is welcome."""
        self._pace.wait()
        return self._wire.handle_request(request)

    def close(self) -> None:
        """Let go of connections."""
        self._wire.close()


def wire_to(url: str, session: Session, *, setting: str) -> httpx.BaseTransport:
    """Return the wire to a server: at a pace, where it is GitHub's own."""
    wire = Wire(session, setting=setting)
    return PacedWire(wire, Pace(session)) if httpx.URL(url).host in HOSTS else wire
