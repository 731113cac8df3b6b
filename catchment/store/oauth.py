"""Queries about sign-ins in the browser that have begun."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select, update

from catchment.store.access_tables import oauth_states
from catchment.store.rows import as_row, columns_of


class OAuthStateRow(Struct, frozen=True):
    """A sign-in that has begun; the state itself is not in it."""

    hash: str
    tenant_id: str
    principal_id: str
    provider: str
    data: dict[str, Any]
    created_at: float
    expires_at: float
    used_at: float | None


_COLUMNS = columns_of(OAuthStateRow, oauth_states)


def add(connection: Connection, **values: Any) -> None:
    """Store a sign-in that begins."""
    connection.execute(insert(oauth_states).values(**values))


def take(connection: Connection, hashed: str, provider: str, *, now: float) -> OAuthStateRow | None:
    """Use a sign-in up and return it; None where there is none, or it is used or too old."""
    taken = connection.execute(
        update(oauth_states)
        .where(
            oauth_states.c.hash == hashed,
            oauth_states.c.provider == provider,
            oauth_states.c.used_at.is_(None),
            oauth_states.c.expires_at > now,
        )
        .values(used_at=now)
    )
    if not taken.rowcount:
        return None
    row = connection.execute(select(*_COLUMNS).where(oauth_states.c.hash == hashed)).one()
    return as_row(OAuthStateRow, row)


def purge(connection: Connection, *, before: float) -> int:
    """Forget sign-ins that ended before a time; returns how many."""
    return connection.execute(delete(oauth_states).where(oauth_states.c.expires_at < before)).rowcount
