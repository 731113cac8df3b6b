"""Runs that somebody follows: how one stands is known as long as nothing in the store has changed."""

from __future__ import annotations

from functools import partial

from catchment.services import reach
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.store.remembered import Remembered
from catchment.store.rows import RunRow

MOST_RUNS = 1000
Placed = tuple[RunRow, str]
"""A run, and the id of the space that it lies in."""


class KnownRuns:
    """Remembers runs between two changes of the store.

    Those who follow a run ask many times a second; one that works hard changes the store a few times only.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: Remembered[tuple[str, str, str], Placed] = Remembered(context.engine, most=MOST_RUNS)

    def known(self, caller: Caller, connector_id: str, run_id: str) -> Placed | None:
        """Return what `reach.placed_run` would, if that is known; never waits."""
        return self._seen.known((caller.tenant_id, connector_id, run_id))

    def ask(self, caller: Caller, connector_id: str, run_id: str) -> Placed:
        """Return what `reach.placed_run` does, and know it from now on.

        Raises:
            NotFound: There is no such connector, or it has no such run.
        """
        find = partial(reach.placed_run, self._context, caller, connector_id, run_id)
        return self._seen.ask((caller.tenant_id, connector_id, run_id), find)

    def close(self) -> None:
        """Let the store go."""
        self._seen.close()
