"""How many of everything there are, for those who watch over an installation."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, func, select

from catchment.store.tables import connectors, documents, runs

_UNFINISHED = ("QUEUED", "RUNNING", "CANCELLING")


class Census(Struct, frozen=True):
    """Living connectors by status, runs that are not final by state, documents."""

    connectors: dict[str, int]
    runs: dict[str, int]
    documents: int


def count(connection: Connection) -> Census:
    """Count. Reads every row of the documents, so not more often than once in some seconds."""
    by_status = connection.execute(
        select(connectors.c.status, func.count())
        .where(connectors.c.deleted_at.is_(None))
        .group_by(connectors.c.status)
    )
    by_state = connection.execute(
        select(runs.c.state, func.count()).where(runs.c.state.in_(_UNFINISHED)).group_by(runs.c.state)
    )
    total = connection.execute(
        select(func.count()).select_from(documents).where(documents.c.deleted_at.is_(None))
    )
    return Census(
        {row[0]: row[1] for row in by_status},
        {row[0]: row[1] for row in by_state},
        int(total.scalar_one()),
    )
