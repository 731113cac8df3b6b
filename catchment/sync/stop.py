"""The one signal that ends a run early, and queues that listen to it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
TICK_SECONDS = 0.2


class StopSignal:
    """Set once, with its cause; every wait in a run looks at it."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._cause: BaseException | None = None
        self._lock = threading.Lock()

    def set(self, cause: BaseException) -> None:
        """Ask everybody to stop; the first cause is the one that counts."""
        with self._lock:
            if self._cause is None:
                self._cause = cause
        self.event.set()

    @property
    def cause(self) -> BaseException | None:
        """Why the run stops, or None while it goes on."""
        return self._cause

    def check(self) -> None:
        """Raise the cause when the run must stop."""
        if self._cause is not None:
            raise self._cause


class Channel(Generic[T]):
    """A bounded queue between two lanes: full means wait, so memory stays bounded.

    What the other side has taken keeps its place until `release`: the lane before computes while the one
    behind waits for its database, instead of taking the interpreter from it.
    """

    _END = object()

    def __init__(self, size: int, stop: StopSignal) -> None:
        self._queue: queue.SimpleQueue[tuple[object, int]] = queue.SimpleQueue()
        self._room = threading.Semaphore(size)
        self._size = size
        self._taken = 0
        self._stop = stop

    def put(self, thing: T, places: int = 1) -> None:
        """Hand a thing on, waiting for room; raises the stop's cause when the run must end.

        Args:
            thing: What the other side gets.
            places: How many of the queue's places it takes; one that is larger than the queue takes all.
        """
        self._stop.check()
        places = min(places, self._size)
        for _ in range(places):
            while not self._room.acquire(timeout=TICK_SECONDS):
                self._stop.check()
        self._queue.put((thing, places))

    def release(self) -> None:
        """Give the places of all that was taken to what follows."""
        if self._taken:
            self._room.release(self._taken)
            self._taken = 0

    @property
    def empty(self) -> bool:
        """Whether the other side has nothing to do, at this moment."""
        return self._queue.empty()

    def close(self) -> None:
        """Say that nothing follows."""
        self._queue.put((self._END, 0))

    def __iter__(self) -> Iterator[T]:
        """Yield things in order until the other side closes; raises the stop's cause."""
        while True:
            self._stop.check()
            try:
                thing, places = self._queue.get(timeout=TICK_SECONDS)
            except queue.Empty:
                continue
            if thing is self._END:
                return
            self._taken += places
            yield thing  # type: ignore[misc]
