"""Blocking requests on threads of their own, so that nobody who must end waits for a silent server.

A request can hang as long as its read timeout. Whoever asks waits beside it, listens to the stop signal
and leaves when that is set; the thread ends when its request does, and never holds up the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from catchment.kit.session import Session

T = TypeVar("T")
_TICK_SECONDS = 0.2
_Work = tuple["Future[Any]", Callable[[], Any]]


class Errand(Generic[T]):
    """One request under way."""

    def __init__(self, future: Future[T], session: Session) -> None:
        self._future = future
        self._session = session

    @property
    def done(self) -> bool:
        """Whether it has come to its end."""
        return self._future.done()

    def result(self) -> T:
        """Wait for the answer and return it, or raise what went wrong.

        Raises:
            RunCancelled: The run was asked to stop meanwhile.
        """
        while True:
            try:
                return self._future.result(timeout=_TICK_SECONDS)
            except NotYet:
                if self._future.done():
                    return self._future.result()  # it ended just after the wait did, or this is its own error
                self._session.check_stop()


class Errands:
    """Threads that are started when they are needed and kept until `close`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._threads = 0

    def start(self, work: Callable[[], T]) -> Errand[T]:
        """Begin a request and return at once."""
        future: Future[T] = Future()
        with self._lock:
            self._queue.put((future, work))
            if not self._idle.acquire(blocking=False):
                self._threads += 1
                given = (self._queue, self._idle)
                threading.Thread(target=_serve, args=given, name="errand", daemon=True).start()
        return Errand(future, self._session)

    def run(self, work: Callable[[], T]) -> T:
        """Carry a request out and return its answer, unless the run must end first."""
        return self.start(work).result()

    def close(self) -> None:
        """Let the threads end, each after what it is doing."""
        with self._lock:
            for _ in range(self._threads):
                self._queue.put(None)
            # Whoever comes later finds new threads, and none that is about to end.
            self._queue, self._idle, self._threads = SimpleQueue(), threading.Semaphore(0), 0


def _serve(queue: SimpleQueue[_Work | None], idle: threading.Semaphore) -> None:
    while (asked := queue.get()) is not None:
        future, work = asked
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
        del asked, future, work  # an idle thread holds no body
        idle.release()
