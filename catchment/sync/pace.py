"""How many jobs go into one transaction of a store that others use, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from catchment.store import meta
from catchment.store.engine import reading
from catchment.sync.batches import Batch, Job
from catchment.sync.run import Run

LEAST_ITEMS = 32
GROUP_BATCHES = 8
"""A first load settles at most so many full batches of small documents in one transaction."""
GROUP_SECONDS = 1.0
"""Aim for less than this for such a transaction."""


class Pace:
    """Keeps transactions near `SyncSettings.slice_seconds`, so that searches and heartbeats never wait long.

    The first load of an empty store takes whole batches: there is nothing yet that anybody could use. On
    SQLite it takes several of small documents, because most of what a transaction costs there is its end.
    """

    def __init__(self, run: Run) -> None:
        self._most = run.settings.batch_items
        self._seconds = run.settings.slice_seconds
        with reading(run.engine) as connection:
            self._items = self._most if meta.last_pk(connection) == 0 else self._most // 4
        self._first_load = self._items == self._most
        grouped = self._first_load and run.engine.dialect.name == "sqlite"
        self._most_together = self._together = self._most * GROUP_BATCHES if grouped else 0
        self._group_bytes = run.settings.batch_bytes // 2

    def slices(self, jobs: Sequence[Job]) -> Iterator[tuple[Sequence[Job], bool]]:
        """Yield stretches of the jobs, and whether each is the last; at least one, perhaps empty."""
        start = 0
        while True:
            end = len(jobs) if self._first_load else start + max(self._items, LEAST_ITEMS)
            yield jobs[start:end], end >= len(jobs)
            if end >= len(jobs):
                return
            start = end

    def has_room(self, group: Sequence[Batch]) -> bool:
        """Whether one batch more may go into the transaction of these, whatever its size."""
        return (
            sum(len(batch.jobs) for batch in group) + self._most <= self._together
            and sum(batch.body_bytes for batch in group) <= self._group_bytes
        )

    def took(self, seconds: float, count: int) -> None:
        """Learn from a transaction that took `seconds` for `count` jobs."""
        if count < LEAST_ITEMS:
            return
        fitting = int(count * self._seconds / max(seconds, 0.001))
        # Half-way towards what would have fitted, so that one slow write does not decide.
        self._items = min(self._most, max(LEAST_ITEMS, (self._items + fitting) // 2))
        together = int(count * GROUP_SECONDS / max(seconds, 0.001))
        self._together = min(self._most_together, (self._together + together) // 2)
