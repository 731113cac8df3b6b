"""Bodies that the feeds brought along, kept for a moment: who reads an entry has just read its feed."""

from __future__ import annotations

import threading
from collections import OrderedDict

MOST_BYTES = 16 * 1024 * 1024


class Shelf:
    """Keeps the newest bodies, up to a number of bytes; used by many threads at once."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def put(self, key: str, body: bytes) -> None:
        """Keep a body; the oldest go when there is no room."""
        with self._lock:
            self._bytes += len(body) - len(self._bodies.pop(key, b""))
            self._bodies[key] = body
            while self._bytes > self._most and len(self._bodies) > 1:
                self._bytes -= len(self._bodies.popitem(last=False)[1])

    def get(self, key: str) -> bytes | None:
        """Return a body, where it is still there."""
        with self._lock:
            return self._bodies.get(key)
