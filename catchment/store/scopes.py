"""Queries about scopes and the checkpoints of their unfinished listings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from catchment.store.rows import CheckpointRow, ScopeRow, as_row, columns_of
from catchment.store.tables import checkpoints, scopes

_COLUMNS = columns_of(ScopeRow, scopes)
_CHECKPOINT_COLUMNS = columns_of(CheckpointRow, checkpoints)


def of_connector(connection: Connection, connector_pk: int) -> dict[str, ScopeRow]:
    """Return all scopes that a connector ever had, by key."""
    rows = connection.execute(
        select(*_COLUMNS).where(scopes.c.connector_pk == connector_pk).order_by(scopes.c.pk)
    )
    return {row.key: as_row(ScopeRow, row) for row in rows}


def ensure(
    connection: Connection, connector_pk: int, wanted: Sequence[tuple[str, str]]
) -> dict[str, ScopeRow]:
    """Create the scopes (key, name) that are missing and return those wanted, by key."""
    known = of_connector(connection, connector_pk)
    for key, name in wanted:
        if key not in known:
            connection.execute(insert(scopes).values(connector_pk=connector_pk, key=key, name=name))
        elif known[key].name != name:
            connection.execute(update(scopes).where(scopes.c.pk == known[key].pk).values(name=name))
    fresh = of_connector(connection, connector_pk)
    return {key: fresh[key] for key, _ in wanted}


def change(connection: Connection, pk: int, **values: Any) -> None:
    """Change columns of a scope."""
    connection.execute(update(scopes).where(scopes.c.pk == pk).values(**values))


def checkpoint(connection: Connection, scope_pk: int) -> CheckpointRow | None:
    """Return how far an unfinished listing of this scope has got, or None."""
    row = connection.execute(
        select(*_CHECKPOINT_COLUMNS).where(checkpoints.c.scope_pk == scope_pk)
    ).one_or_none()
    return as_row(CheckpointRow, row) if row is not None else None


def save_checkpoint(connection: Connection, row: CheckpointRow) -> None:
    """Write how far a listing has got, in place of what was there."""
    connection.execute(delete(checkpoints).where(checkpoints.c.scope_pk == row.scope_pk))
    connection.execute(insert(checkpoints).values(row._asdict()))


def drop_checkpoint(connection: Connection, scope_pk: int) -> None:
    """Forget how far a listing had got."""
    connection.execute(delete(checkpoints).where(checkpoints.c.scope_pk == scope_pk))
