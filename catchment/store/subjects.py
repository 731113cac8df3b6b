"""Queries about whom the access lists of sources may name for a principal."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, insert, select

from catchment.core.subjects import Subject
from catchment.store.access_tables import subjects
from catchment.store.tables import Id

# Built once: it is asked whenever somebody reads.
_OF = (
    select(subjects.c.kind, subjects.c.subject)
    .where(
        subjects.c.tenant_id == bindparam("tenant", type_=Id),
        subjects.c.principal_id == bindparam("principal", type_=Id),
    )
    .order_by(subjects.c.kind, subjects.c.subject)
)


def of(connection: Connection, tenant_id: str, principal_id: str) -> list[Subject]:
    """Return whom a principal reads as in the sources of a tenant."""
    rows = connection.execute(_OF, {"tenant": tenant_id, "principal": principal_id})
    return [(row[0], row[1]) for row in rows]


def replace(connection: Connection, tenant_id: str, principal_id: str, wanted: Iterable[Subject]) -> None:
    """Let a principal read as these, in place of those that it had."""
    own = (subjects.c.tenant_id == tenant_id) & (subjects.c.principal_id == principal_id)
    connection.execute(delete(subjects).where(own))
    rows = [
        {"tenant_id": tenant_id, "principal_id": principal_id, "kind": kind, "subject": subject}
        for kind, subject in dict.fromkeys(wanted)
    ]
    if rows:
        connection.execute(insert(subjects), rows)
