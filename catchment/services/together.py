"""Work for a store with one writer: what waits for its turn at the same time is done in one turn.

Whoever finds nobody at work begins, takes along what waits, and hands over to the first of those that came
meanwhile. Nobody waits behind a later one, and no thread of its own is needed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

WorkT = TypeVar("WorkT")
DoneT = TypeVar("DoneT")


class _Waiting(Generic[WorkT, DoneT]):
    """One piece of work, and the thread that waits for it."""

    def __init__(self, work: WorkT, size: int) -> None:
        self.work = work
        self.size = size
        self.outcome: DoneT | BaseException
        self.is_done = False
        self.called = threading.Event()


class Together(Generic[WorkT, DoneT]):
    """Does pieces of work in the order in which they come, as many in a turn as are there and fit.

    Args:
        do: Does several pieces and returns what came of each, in their order: a result or an error. What it
            raises itself is raised for each of them.
        most: Pieces in one turn.
        most_size: What the sizes of the pieces of one turn add up to at most; one alone may be larger.
    """

    def __init__(
        self,
        do: Callable[[Sequence[WorkT]], Sequence[DoneT | Exception]],
        *,
        most: int,
        most_size: int,
    ) -> None:
        self._do = do
        self._most = most
        self._most_size = most_size
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting[WorkT, DoneT]] = deque()
        self._is_busy = False

    def __len__(self) -> int:
        """Return how many pieces wait for their turn."""
        return len(self._waiting)

    @property
    def is_busy(self) -> bool:
        """Whether somebody has a turn."""
        return self._is_busy

    def do(self, work: WorkT, *, size: int) -> DoneT:
        """Have a piece of work done, and return what came of it.

        Raises:
            Exception: Its own error, or what ended the turn that it was part of.
        """
        mine = _Waiting[WorkT, DoneT](work, size)
        with self._lock:
            self._waiting.append(mine)
            begins = not self._is_busy
            self._is_busy = True
        if not begins:
            mine.called.wait()
        if not mine.is_done:
            self._take_turn()
        if isinstance(mine.outcome, BaseException):
            raise mine.outcome
        return mine.outcome

    def _take_turn(self) -> None:
        """Do what waits, the caller's own first; then call those that are done, and whoever is next."""
        with self._lock:
            turn = self._next_turn()
        try:
            for one, outcome in zip(turn, self._do([one.work for one in turn]), strict=True):
                one.outcome = outcome
        except BaseException as error:
            for one in turn:
                one.outcome = error
        finally:
            for one in turn:
                one.is_done = True
                one.called.set()
            with self._lock:
                self._is_busy = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].called.set()

    def _next_turn(self) -> list[_Waiting[WorkT, DoneT]]:
        turn = [self._waiting.popleft()]
        left = self._most_size - turn[0].size
        while self._waiting and len(turn) < self._most and self._waiting[0].size <= left:
            turn.append(self._waiting.popleft())
            left -= turn[-1].size
        return turn
