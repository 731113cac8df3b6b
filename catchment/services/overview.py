"""How every connector stands, read from the store alone."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, Engine

from catchment.core.errors import UsageError
from catchment.services import reach
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.store import connectors, documents, items, runs, scopes
from catchment.store.engine import reading
from catchment.store.rows import ConnectorRow, RunRow, ScopeRow
from catchment.store.spaces import CollectionRow


class Standing(Struct, frozen=True):
    """How one connector stands.

    Attributes:
        connector: Its row.
        documents: Documents that can be found.
        chunks: Their chunks.
        items: How many items stand in each state.
        last_run: The newest run that was no dry run.
        next_run_at: When the schedule starts it next, POSIX seconds, if that can be told without Prefect.
    """

    connector: ConnectorRow
    documents: int
    chunks: int
    items: dict[str, int]
    last_run: RunRow | None
    next_run_at: float | None


def overview(engine: Engine) -> list[Standing]:
    """Return how the living connectors stand, oldest first."""
    with reading(engine) as connection:
        totals = documents.totals(connection)
        living = connectors.all_living(connection)
        return [_standing(connection, row, totals.get(row.pk, (0, 0))) for row in living]


def standing(engine: Engine, connector: ConnectorRow) -> Standing:
    """Return how one connector stands."""
    with reading(engine) as connection:
        totals = documents.totals(connection)
        return _standing(connection, connector, totals.get(connector.pk, (0, 0)))


def visible(context: Context, caller: Caller) -> list[tuple[ConnectorRow, CollectionRow]]:
    """Return the connectors in spaces that the caller has a role in, newest first, with their collections."""
    with reading(context.engine) as connection:
        return reach.open_connectors(connection, caller)[::-1]


def document_counts(context: Context, rows: Sequence[ConnectorRow]) -> dict[int, int]:
    """Return how many documents of each of these connectors can be found, by its number."""
    with reading(context.engine) as connection:
        counted = documents.counts(connection, [row.pk for row in rows])
    return {row.pk: counted.get(row.pk, 0) for row in rows}


def scopes_of(engine: Engine, connector: ConnectorRow) -> list[ScopeRow]:
    """Return the scopes that a connector ever had."""
    with reading(engine) as connection:
        return list(scopes.of_connector(connection, connector.pk).values())


def _standing(connection: Connection, row: ConnectorRow, totals: tuple[int, int]) -> Standing:
    recent = [run for run in runs.recent(connection, row.pk, limit=10) if not run.dry_run]
    states = items.count_by_state(connection, row.pk)
    return Standing(row, *totals, states, recent[0] if recent else None, next_run_at(row))


def next_run_at(connector: ConnectorRow) -> float | None:
    """Return when a cron schedule fires next; an interval is counted by Prefect alone."""
    if connector.schedule is None or connector.paused:
        return None
    from datetime import UTC, datetime

    from cronsim import CronSim

    from catchment.services.schedules import prefect_schedule

    try:
        cron = prefect_schedule(connector.schedule).get("cron")
    except UsageError:
        return None
    if cron is None:
        return None
    return float(next(CronSim(str(cron), datetime.now(UTC))).timestamp())
