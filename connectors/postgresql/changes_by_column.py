"""Changes by a changed-at column: what bears a time at or after the cursor's.

`now()` is the time at which a transaction began, so that a row committed late appears *below* times that
were seen before it. The cursor therefore stays behind the oldest transaction that still runs, as far as
the server lets the role see that, and behind a margin in any case. It also stays behind the newest time in
the table, because writers may keep another clock or time zone than the server.
"""

from __future__ import annotations

from collections.abc import Iterator

from catchment.kit import Changed, Complete, CursorExpired, Deleted, FeedEvent
from connectors.postgresql import statements
from connectors.postgresql.connect import Database
from connectors.postgresql.errors import BadValue, telling
from connectors.postgresql.listing import stream
from connectors.postgresql.rows import RowPlan
from connectors.postgresql.spool import Spool

PREFIX = "time:"
BEGINNING = "-infinity"

# Times of others' transactions are null for a role that may not see them: then only the margin counts.
_BOUND = """
WITH own AS (SELECT clock_timestamp() AS now),
oldest AS (
  SELECT min(xact_start) AS start FROM pg_catalog.pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type <> 'walsender'
)
SELECT (least(own.now, %s::timestamptz)
        - greatest(own.now - coalesce(oldest.start, own.now), interval '0')
        - make_interval(secs => %s::float8))::text
FROM own, oldest
"""
_IS_AHEAD = "SELECT %s::text::timestamptz > clock_timestamp()"


def mark_by_column(database: Database, plan: RowPlan, *, margin_seconds: float) -> str:
    """Return a cursor from which on nothing is missed; taken before what it stands for is read.

    Raises:
        SourceError: The relation cannot be read.
    """
    with (
        database.reading() as connection,
        telling(setting=plan.relation.setting, subject=plan.relation.scope),
    ):
        found = connection.execute(statements.newest(plan), [True]).fetchone()
        newest = found[0] if found is not None else None
        if newest is None:
            return PREFIX + BEGINNING
        bound = connection.execute(_BOUND, [newest, margin_seconds]).fetchone()
    assert bound is not None
    return f"{PREFIX}{bound[0]}"


def changes_by_column(
    database: Database, plan: RowPlan, cursor: str, *, margin_seconds: float
) -> Iterator[FeedEvent]:
    """Yield what was changed since the cursor, and as deleted what its soft-delete column marks.

    Rows that vanish altogether, and rows without a time, are not reported.

    Raises:
        CursorExpired: The cursor is not of this kind, or lies ahead of the server's clock.
        SourceError: The relation cannot be read.
    """
    since = _time_of(database, cursor)
    mark = mark_by_column(database, plan, margin_seconds=margin_seconds)
    width = len(plan.key) or 1
    with Spool() as spool:
        with database.reading() as connection:
            for row in stream(connection, plan, statements.since(plan), [since]):
                spool.add(row)
        for *row, is_deleted in spool.rows():
            item = plan.item(tuple(row[:width]), row[width:])
            yield Deleted(item.key) if is_deleted else Changed(item)
    yield Complete(mark=mark)


def _time_of(database: Database, cursor: str) -> str:
    """Return the time that a cursor stands for.

    One that lies ahead was made while the server's clock was wrong: what changed since bears earlier times.
    """
    if not cursor.startswith(PREFIX):
        raise CursorExpired("The cursor was made by another way of following changes.")
    since = cursor.removeprefix(PREFIX)
    try:
        with database.reading() as connection:
            row = connection.execute(_IS_AHEAD, [since]).fetchone()
    except BadValue as error:
        raise CursorExpired("The cursor is no time.") from error
    if row is not None and row[0]:
        raise CursorExpired("The cursor lies ahead of the server's clock.")
    return since
