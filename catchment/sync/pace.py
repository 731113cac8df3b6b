"""How many jobs go into one transaction of a store that others use, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from catchment.store import meta
from catchment.store.engine import reading
from catchment.sync.batches import Job
from catchment.sync.run import Run

LEAST_ITEMS = 32


class Pace:
    """Keeps transactions near `SyncSettings.slice_seconds`, so that searches and heartbeats never wait long.

    The first load of an empty store takes whole batches: there is nothing yet that anybody could use.
    """

    def __init__(self, run: Run) -> None:
        self._most = run.settings.batch_items
        self._seconds = run.settings.slice_seconds
        with reading(run.engine) as connection:
            self._items = self._most if meta.last_pk(connection) == 0 else self._most // 4
        self._first_load = self._items == self._most

    def slices(self, jobs: Sequence[Job]) -> Iterator[tuple[Sequence[Job], bool]]:
        """Yield stretches of the jobs, and whether each is the last; at least one, perhaps empty."""
        start = 0
        while True:
            end = len(jobs) if self._first_load else start + max(self._items, LEAST_ITEMS)
            yield jobs[start:end], end >= len(jobs)
            if end >= len(jobs):
                return
            start = end

    def took(self, seconds: float, count: int) -> None:
        """Learn from a transaction that took `seconds` for `count` jobs."""
        if count < LEAST_ITEMS:
            return
        fitting = int(count * self._seconds / max(seconds, 0.001))
        # Half-way towards what would have fitted, so that one slow write does not decide.
        self._items = min(self._most, max(LEAST_ITEMS, (self._items + fitting) // 2))
