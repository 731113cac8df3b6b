"""Queries about runs: the row is the truth for every face, and the only lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from catchment.core.counters import COUNTER_NAMES, Counters
from catchment.core.runs import ACTIVE_STATES, FINAL_STATES, LIVE_STATES, RunKind, RunState
from catchment.store.engine import db_now
from catchment.store.rows import RunRow, as_row, columns_of
from catchment.store.tables import runs

_COLUMNS = columns_of(RunRow, runs)
# Built once: who follows a job asks for it again and again.
_BY_ID = select(*_COLUMNS).where(runs.c.id == bindparam("id"))


def add(connection: Connection, **values: Any) -> None:
    """Store a new run; raises IntegrityError when the connector already has an active one."""
    connection.execute(insert(runs).values(**values))


def get(connection: Connection, run_id: str) -> RunRow | None:
    """Return a run by its id."""
    row = connection.execute(_BY_ID, {"id": run_id}).one_or_none()
    return RunRow(*row) if row is not None else None


def find(connection: Connection, prefix: str, *, limit: int = 2) -> list[RunRow]:
    """Return runs whose id begins, or ends, with what a person typed."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(
            or_(
                runs.c.id.startswith(prefix, autoescape=True),
                runs.c.id.endswith(prefix, autoescape=True),
            )
        )
        .limit(limit)
    )
    return [as_row(RunRow, row) for row in rows]


def by_flow_run(connection: Connection, flow_run_id: str, count: int | None = None) -> RunRow | None:
    """Return the run of a flow run, of one attempt or of the latest."""
    conditions = [runs.c.flow_run_id == flow_run_id]
    if count is not None:
        conditions.append(or_(runs.c.flow_run_count == count, runs.c.flow_run_count.is_(None)))
    row = connection.execute(
        select(*_COLUMNS)
        .where(and_(*conditions))
        .order_by(runs.c.flow_run_count.desc().nulls_last(), runs.c.created_at.desc())
        .limit(1)
    ).one_or_none()
    return as_row(RunRow, row) if row is not None else None


def active(connection: Connection, connector_pk: int) -> RunRow | None:
    """Return the run that holds the connector, or None."""
    row = connection.execute(
        select(*_COLUMNS).where(
            runs.c.connector_pk == connector_pk,
            runs.c.kind == RunKind.SYNC,
            runs.c.state.in_(ACTIVE_STATES),
            ~runs.c.waiting,
            ~runs.c.dry_run,
        )
    ).one_or_none()
    return as_row(RunRow, row) if row is not None else None


def waiting(connection: Connection, connector_pk: int | None = None) -> list[RunRow]:
    """Return the runs that wait for another to end, oldest first."""
    conditions = [runs.c.waiting, runs.c.state == RunState.QUEUED]
    if connector_pk is not None:
        conditions.append(runs.c.connector_pk == connector_pk)
    rows = connection.execute(select(*_COLUMNS).where(and_(*conditions)).order_by(runs.c.created_at))
    return [as_row(RunRow, row) for row in rows]


def release(connection: Connection, run_id: str) -> bool:
    """Let a run wait no longer; False where it does not, or is no longer queued."""
    changed = connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.waiting, runs.c.state == RunState.QUEUED)
        .values(waiting=False)
    )
    return bool(changed.rowcount)


def unfinished(connection: Connection) -> list[RunRow]:
    """Return every run that is not final and not waiting: what the sweep looks at."""
    rows = connection.execute(
        select(*_COLUMNS).where(runs.c.state.in_(ACTIVE_STATES), ~runs.c.waiting).order_by(runs.c.created_at)
    )
    return [as_row(RunRow, row) for row in rows]


def recent(connection: Connection, connector_pk: int | None, *, limit: int) -> list[RunRow]:
    """Return the newest runs first."""
    statement = select(*_COLUMNS).order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit)
    if connector_pk is not None:
        statement = statement.where(runs.c.connector_pk == connector_pk)
    return [as_row(RunRow, row) for row in connection.execute(statement)]


def page(
    connection: Connection,
    connector_pk: int,
    *,
    states: Sequence[str] = (),
    before: tuple[float, str] | None = None,
    limit: int,
) -> list[RunRow]:
    """Return real runs of a connector, newest first.

    Args:
        connection: A connection that reads.
        connector_pk: Whose.
        states: Only runs in one of these states; empty means all.
        before: Time of creation and id of the last run of the page before.
        limit: Most runs.
    """
    conditions: list[Any] = [runs.c.connector_pk == connector_pk, ~runs.c.dry_run]
    if states:
        conditions.append(runs.c.state.in_(states))
    if before is not None:
        created_at, run_id = before
        earlier = and_(runs.c.created_at == created_at, runs.c.id < run_id)
        conditions.append(or_(runs.c.created_at < created_at, earlier))
    rows = connection.execute(
        select(*_COLUMNS)
        .where(and_(*conditions))
        .order_by(runs.c.created_at.desc(), runs.c.id.desc())
        .limit(limit)
    )
    return [as_row(RunRow, row) for row in rows]


def recent_of_kind(connection: Connection, connector_pk: int, kind: RunKind, *, limit: int) -> list[RunRow]:
    """Return the newest runs of one kind first."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(runs.c.connector_pk == connector_pk, runs.c.kind == kind)
        .order_by(runs.c.created_at.desc(), runs.c.id.desc())
        .limit(limit)
    )
    return [as_row(RunRow, row) for row in rows]


def change(connection: Connection, run_id: str, *, unless_final: bool = True, **values: Any) -> bool:
    """Change columns of a run; a final row never changes. Tells whether it did."""
    conditions = [runs.c.id == run_id]
    if unless_final:
        conditions.append(runs.c.state.in_(ACTIVE_STATES))
    return bool(connection.execute(update(runs).where(and_(*conditions)).values(**values)).rowcount)


def remove(connection: Connection, run_id: str) -> None:
    """Take back a run that never began."""
    connection.execute(delete(runs).where(runs.c.id == run_id))


def hold(
    connection: Connection,
    run_id: str,
    lease: int,
    *,
    settled: Counters | None = None,
    wait: tuple[str, float] | None = None,
) -> bool:
    """Renew a run's lease at the beginning of a transaction, and write its counters.

    False means that the run's row, lease or state has moved on: nothing more may be written.
    """
    values: dict[str, Any] = {"lease_at": db_now()}
    if settled is not None:
        values.update({name: getattr(settled, name) for name in COUNTER_NAMES})
    if wait is not None:
        values["wait_reason"], values["wait_since"] = wait[0] or None, wait[1] if wait[0] else None
    changed = connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.lease == lease, runs.c.state.in_(LIVE_STATES))
        .values(**values)
    )
    return bool(changed.rowcount)


def take(
    connection: Connection, run_id: str, lease: int, *, flow_run_id: str | None, count: int | None
) -> bool:
    """Begin a queued run: it now holds the lease."""
    values: dict[str, Any] = {
        "state": RunState.RUNNING,
        "lease": lease,
        "lease_at": db_now(),
        "started_at": db_now(),
        "waiting": False,
        "flow_run_count": count,
    }
    if flow_run_id is not None:
        values["flow_run_id"] = flow_run_id
    changed = connection.execute(
        update(runs).where(runs.c.id == run_id, runs.c.state == RunState.QUEUED).values(**values)
    )
    return bool(changed.rowcount)


def lease_age(connection: Connection, run_id: str) -> float | None:
    """Return the seconds since a run last touched its row, by the database's clock."""
    age = connection.execute(select(db_now() - runs.c.lease_at).where(runs.c.id == run_id)).scalar()
    return float(age) if age is not None else None


def age(connection: Connection, run_id: str) -> float:
    """Return the seconds since a run was created, by the database's clock."""
    return float(
        connection.execute(select(db_now() - runs.c.created_at).where(runs.c.id == run_id)).scalar_one()
    )


def now(connection: Connection) -> float:
    """Return the database's clock."""
    return float(connection.execute(select(db_now())).scalar_one())


def is_resumed(connection: Connection, run_id: str) -> bool:
    """Whether a run was opened already to go on with this one."""
    found = connection.execute(select(runs.c.id).where(runs.c.resumes == run_id).limit(1)).first()
    return found is not None


def resume_chain(connection: Connection, run: RunRow) -> int:
    """Return how many runs in a row were opened to resume the one before."""
    length, current = 0, run
    while current.resumes is not None:
        length += 1
        before = get(connection, current.resumes)
        if before is None:
            break
        current = before
    return length


def count_by_state(connection: Connection, connector_pk: int) -> dict[str, int]:
    """Return how many runs of a connector stand in each state."""
    rows = connection.execute(
        select(runs.c.state, func.count()).where(runs.c.connector_pk == connector_pk).group_by(runs.c.state)
    ).all()
    return {str(row[0]): int(row[1]) for row in rows}


def cancel_queued(connection: Connection, run_id: str, *, reason: str) -> bool:
    """Cancel a run that has not begun; False when it has."""
    changed = connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.state == RunState.QUEUED)
        .values(
            state=RunState.CANCELLED,
            cancel_requested_at=db_now(),
            cancel_reason=reason,
            ended_at=db_now(),
        )
    )
    return bool(changed.rowcount)


def request_cancel(connection: Connection, run_id: str, *, reason: str) -> None:
    """Cancel a queued run at once; ask one that works to stop. The first reason stays."""
    if cancel_queued(connection, run_id, reason=reason):
        return
    connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.state.in_(LIVE_STATES), runs.c.cancel_requested_at.is_(None))
        .values(state=RunState.CANCELLING, cancel_requested_at=db_now(), cancel_reason=reason)
    )


def latest_ended(connection: Connection) -> list[RunRow]:
    """Return the newest sync run of each living connector, if it is final."""
    newest = (
        select(runs.c.connector_pk, func.max(runs.c.created_at).label("created_at"))
        .where(runs.c.kind == RunKind.SYNC, ~runs.c.dry_run)
        .group_by(runs.c.connector_pk)
        .subquery()
    )
    rows = connection.execute(
        select(*_COLUMNS)
        .join(
            newest,
            and_(newest.c.connector_pk == runs.c.connector_pk, newest.c.created_at == runs.c.created_at),
        )
        .where(runs.c.state.in_(FINAL_STATES), runs.c.kind == RunKind.SYNC, ~runs.c.dry_run)
    )
    return [as_row(RunRow, row) for row in rows]
