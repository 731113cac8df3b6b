"""Queries about pushes: what came in, and their runs, which are final from the start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from catchment.core.counters import COUNTER_NAMES, Counters
from catchment.core.ids import new_id
from catchment.core.runs import Origin, RunKind, RunState, Trigger
from catchment.store import bulk
from catchment.store.engine import db_now
from catchment.store.entries import document_of, write_documents
from catchment.store.index import IndexEntry
from catchment.store.tables import items, runs

PUSH = "push"
"""Mode of the run of one push."""
DAILY = "daily"
"""Mode of the run that stands for all pushes of a day."""
DAY_SECONDS = 86_400
STEP = 5000
MOST_ERRORS = 100

ITEM_COLUMNS = (
    "key",
    "path",
    "state",
    "content_hash",
    "size",
    "modified_at",
    "url",
    "reason",
    "error",
    "attempts",
    "next_attempt_at",
    "updated_at",
)
NEW_ITEM_COLUMNS = (*ITEM_COLUMNS, "connector_pk", "origin", "pk")


def write_items(
    connection: Connection,
    connector_pk: int,
    *,
    new: Sequence[tuple[Any, ...]],
    changed: Sequence[tuple[Any, ...]],
) -> None:
    """Write ledger rows of pushed documents: values of `ITEM_COLUMNS`, and the number last."""
    bulk.insert_rows(
        connection,
        items,
        NEW_ITEM_COLUMNS,
        [(*row[:-1], connector_pk, Origin.PUSH.value, row[-1]) for row in new],
    )
    bulk.update_rows(connection, items, ITEM_COLUMNS, changed)


def add_run(connection: Connection, connector_pk: int, counters: Counters, *, details: dict[str, Any]) -> str:
    """Store the run of a push, final as it is born, and return its id."""
    run_id = new_id()
    connection.execute(
        insert(runs).values(
            id=run_id,
            connector_pk=connector_pk,
            kind=RunKind.PUSH.value,
            mode=PUSH,
            trigger=Trigger.PUSH.value,
            state=RunState.SUCCEEDED.value,
            filter=[],
            details=details,
            created_at=db_now(),
            started_at=db_now(),
            ended_at=db_now(),
            **{name: getattr(counters, name) for name in COUNTER_NAMES},
        )
    )
    return run_id


def fold(connection: Connection, *, before: float) -> int:
    """Put the pushes of whole days into one run for each connector and day; at most 5,000 a call.

    Args:
        connection: A transaction that writes.
        before: POSIX seconds; pushes of days that ended by then are folded.

    Returns:
        How many runs of pushes were folded.
    """
    horizon = before // DAY_SECONDS * DAY_SECONDS
    found = connection.execute(
        select(runs)
        .where(runs.c.kind == RunKind.PUSH.value, runs.c.mode == PUSH, runs.c.created_at < horizon)
        .order_by(runs.c.created_at)
        .limit(STEP)
    ).all()
    by_day: dict[tuple[int, float], list[Any]] = defaultdict(list)
    for row in found:
        by_day[(row.connector_pk, row.created_at // DAY_SECONDS * DAY_SECONDS)].append(row)
    for (connector_pk, day), rows in by_day.items():
        _fold_day(connection, connector_pk, day, rows)
    return len(found)


def _fold_day(connection: Connection, connector_pk: int, day: float, rows: Sequence[Any]) -> None:
    sums = Counters()
    errors: list[Any] = []
    for row in rows:
        sums.add(Counters(**{name: getattr(row, name) for name in COUNTER_NAMES}))
        errors.extend(row.details.get("errors", []))
    daily = connection.execute(
        select(runs).where(
            runs.c.connector_pk == connector_pk,
            runs.c.kind == RunKind.PUSH.value,
            runs.c.mode == DAILY,
            runs.c.created_at == day,
        )
    ).one_or_none()
    pushes = len(rows)
    if daily is not None:
        sums.add(Counters(**{name: getattr(daily, name) for name in COUNTER_NAMES}))
        errors = [*daily.details.get("errors", []), *errors]
        pushes += int(daily.details.get("pushes", 0))
    values: dict[str, Any] = {
        **{name: getattr(sums, name) for name in COUNTER_NAMES},
        "details": {
            "pushes": pushes,
            "errors": errors[:MOST_ERRORS],
            "cursor": rows[-1].details.get("cursor"),
        },
        "ended_at": rows[-1].ended_at,
    }
    if daily is not None:
        connection.execute(update(runs).where(runs.c.id == daily.id).values(**values))
    else:
        connection.execute(
            insert(runs).values(
                id=new_id(),
                connector_pk=connector_pk,
                kind=RunKind.PUSH.value,
                mode=DAILY,
                trigger=Trigger.PUSH.value,
                state=RunState.SUCCEEDED.value,
                filter=[],
                created_at=day,
                started_at=day,
                **values,
            )
        )
    for start in range(0, len(rows), 500):
        connection.execute(delete(runs).where(runs.c.id.in_([row.id for row in rows[start : start + 500]])))


def waiting_transcription(connection: Connection, connector_pk: int) -> bool:
    """Tell whether a run that transcribes is asked for and has not begun."""
    found = connection.execute(
        select(runs.c.id).where(
            runs.c.connector_pk == connector_pk,
            runs.c.kind == RunKind.TRANSCRIBE.value,
            runs.c.state == RunState.QUEUED.value,
        )
    ).first()
    return found is not None


def write_unread(connection: Connection, entries: Sequence[IndexEntry], *, now: float) -> None:
    """Write documents whose text is yet to come: they can be shown, and no search finds them.

    What the index has of them must have been taken out before.
    """
    rows = [(entry, document_of(entry, entry.parsed)) for entry in entries if entry.parsed is not None]
    write_documents(connection, rows, now)
