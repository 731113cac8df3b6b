"""The fence: a transaction of a run writes nothing once another run has taken over."""

from __future__ import annotations

from sqlalchemy import Connection

from catchment.core.counters import Counters
from catchment.core.errors import LeaseLost
from catchment.store import connectors, runs
from catchment.sync.run import Run


def fenced(connection: Connection, run: Run, *, plus: Counters | None = None) -> None:
    """Renew the lease in this transaction; with `plus`, write the counters as they will be.

    Raises:
        LeaseLost: The run's row, lease or state has moved on; the caller's transaction must fall.
    """
    connectors.lock(connection, run.connector.pk)
    settled = None
    if plus is not None:
        settled = run.snapshot()
        settled.add(plus)
    if not runs.hold(connection, run.row.id, run.lease, settled=settled):
        raise LeaseLost("Another run has taken over this connector; this one stops without a trace.")
