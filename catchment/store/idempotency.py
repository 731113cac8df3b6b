"""Queries about requests that must be carried out once."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select, update

from catchment.store.access_tables import idempotency
from catchment.store.rows import as_row, columns_of


class IdempotencyRow(Struct, frozen=True):
    """A key that was used, and the answer that was given."""

    scope: str
    request_hash: str
    attempt: str
    status: int | None
    body: str | None
    begun_at: float
    finished_at: float | None


_COLUMNS = columns_of(IdempotencyRow, idempotency)


def get(connection: Connection, scope: str) -> IdempotencyRow | None:
    """Return what is known of a key."""
    row = connection.execute(select(*_COLUMNS).where(idempotency.c.scope == scope)).one_or_none()
    return as_row(IdempotencyRow, row) if row is not None else None


def begin(connection: Connection, scope: str, *, request_hash: str, attempt: str, now: float) -> None:
    """Remember that work for a key begins. Raises IntegrityError when another was quicker."""
    connection.execute(
        insert(idempotency).values(scope=scope, request_hash=request_hash, attempt=attempt, begun_at=now)
    )


def finish(connection: Connection, scope: str, attempt: str, *, status: int, body: str, now: float) -> None:
    """Keep the answer, unless another try has taken the key over."""
    connection.execute(
        update(idempotency)
        .where(idempotency.c.scope == scope, idempotency.c.attempt == attempt)
        .values(status=status, body=body, finished_at=now)
    )


def forget(connection: Connection, scope: str, attempt: str) -> None:
    """Give the key free again, unless another try has taken it over."""
    connection.execute(
        delete(idempotency).where(idempotency.c.scope == scope, idempotency.c.attempt == attempt)
    )


def purge(connection: Connection, *, before: float) -> int:
    """Forget the keys that were first used before this time, and return how many."""
    return connection.execute(delete(idempotency).where(idempotency.c.begun_at < before)).rowcount
