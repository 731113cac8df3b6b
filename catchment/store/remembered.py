"""Answers of the store that hold until anything in it changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sqlalchemy import Engine

from catchment.store.version import StoreVersion

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """What was asked since the store's last change, by whomever that is made.

    In a store without a version (`StoreVersion`) nothing is remembered.

    Args:
        engine: The store.
        most: So many answers at most; one more and all others are forgotten.
    """

    def __init__(self, engine: Engine, *, most: int) -> None:
        self._version = StoreVersion(engine)
        self._most = most
        self._lock = threading.Lock()
        self._seen_at: int | None = None
        self._seen: dict[K, V] = {}

    def known(self, key: K) -> V | None:
        """Return the answer, if it is known and the store is as it was then; never waits."""
        version = self._version.now()
        with self._lock:
            if version is None or version != self._seen_at:
                return None
            return self._seen.get(key)

    def ask(self, key: K, find: Callable[[], V]) -> V:
        """Ask the store, and remember what it says; what `find` raises is remembered by nobody."""
        # The version comes first: what changes from here on makes it another one.
        version = self._version.now()
        found = find()
        if version is None:
            return found
        with self._lock:
            if version != self._seen_at or len(self._seen) >= self._most:
                self._seen_at, self._seen = version, {}
            self._seen[key] = found
        return found

    def close(self) -> None:
        """Let the store go."""
        self._version.close()
