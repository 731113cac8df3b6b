"""The ledger: what is known of each item at the source, and why it is or is not in the index."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, case, func, or_, select, text, update

from catchment.core.runs import DELETED_BY_A_PERSON, ItemState, Origin
from catchment.store import bulk
from catchment.store.tables import items


class Known(NamedTuple):
    """What the ledger knows of one item; a plain tuple, because a run reads one per item."""

    key: str
    pk: int
    scope_pk: int | None
    path: str
    origin: str
    state: str
    version: str | None
    content_hash: bytes | None
    reason: str | None
    attempts: int
    next_attempt_at: float | None
    updated_at: float
    url: str | None
    has_document: bool

    @property
    def was_hidden(self) -> bool:
        """Whether its scope lost it after a person had deleted its document."""
        return self.state == ItemState.DELETED and (self.reason or "").startswith(_WAS_HIDDEN)


_WAS_HIDDEN = f"{DELETED_BY_A_PERSON}: "
_HAS_DOCUMENT = "EXISTS (SELECT 1 FROM documents d WHERE d.pk = i.pk AND d.deleted_at IS NULL)"
_KNOWN = f"""
SELECT i.key, i.pk, i.scope_pk, i.path, i.origin, i.state, i.version, i.content_hash, i.reason,
       i.attempts, i.next_attempt_at, i.updated_at, i.url, {_HAS_DOCUMENT}
"""


def _among(
    connection: Connection, connector_pk: int, column: str, values: Sequence[str]
) -> tuple[str, tuple[Any, ...]]:
    """Return what picks items of a connector by one column, from FROM on, and its parameters."""
    if connection.dialect.name == "sqlite":
        # From the values to the items, in this order: told as a condition, SQLite first sorts the values
        # into a table of its own, and all of it takes nearly twice as long.
        picked = f"FROM json_each(?) v CROSS JOIN items i ON i.connector_pk = ? AND i.{column} = v.value"
        return f"{picked} WHERE TRUE", (json.dumps(list(values)), connector_pk)
    picked = f"FROM items i WHERE i.connector_pk = %s AND i.{column} = ANY(%s)"
    return picked, (connector_pk, list(values))


def _known(
    connection: Connection, connector_pk: int, column: str, values: Sequence[str], *, where: str = ""
) -> Iterator[Known]:
    among, parameters = _among(connection, connector_pk, column, values)
    statement = f"{_KNOWN} {among} {where}"
    # All at once: row by row costs three times as much, and a page is a thousand rows at the most.
    yield from map(Known._make, bulk.fetch_rows(connection, statement, parameters))


def lookup(connection: Connection, connector_pk: int, keys: Sequence[str]) -> dict[str, Known]:
    """Return what is known of these keys, by key."""
    return {known.key: known for known in _known(connection, connector_pk, "key", keys)}


Standing = tuple[str, str | None, str, str | None]
"""Key, version, path and address of an item: as long as the source tells the same, nothing happened to it."""


def standing(
    connection: Connection, connector_pk: int, scope_pk: int, keys: Sequence[str]
) -> dict[Standing, int]:
    """Return the numbers of the items among these keys that are in the index, in this scope, with a version.

    It is what nearly every item of a second run is, at half the price of `lookup`.
    """
    among, parameters = _among(connection, connector_pk, "key", keys)
    # The sign keeps the index over scopes out of it: by that, the whole scope would be read for each page.
    statement = (
        f"SELECT i.key, i.version, i.path, i.url, i.pk {among} AND i.state = 'indexed'"
        f" AND +i.scope_pk = {scope_pk:d} AND i.version IS NOT NULL AND {_HAS_DOCUMENT}"
    )
    return {found[:4]: found[4] for found in bulk.fetch_rows(connection, statement, parameters)}


def has_any(connection: Connection, scope_pk: int) -> bool:
    """Whether anything was ever recorded of a scope."""
    found = connection.execute(select(items.c.pk).where(items.c.scope_pk == scope_pk).limit(1))
    return found.first() is not None


def any_of(connection: Connection, connector_pk: int) -> bool:
    """Whether anything was ever recorded of a connector."""
    found = connection.execute(select(items.c.pk).where(items.c.connector_pk == connector_pk).limit(1))
    return found.first() is not None


def lookup_paths(connection: Connection, connector_pk: int, paths: Sequence[str]) -> dict[str, Known]:
    """Return what is known of the living items at these paths, by path, where the path is not the key.

    Items that are gone leave their path to those that came after them.
    """
    found = _known(
        connection, connector_pk, "path", paths, where="AND i.path <> i.key AND i.state <> 'deleted'"
    )
    return {known.path: known for known in found}


def lookup_move_hints(connection: Connection, connector_pk: int, hints: Sequence[str]) -> dict[str, Known]:
    """Return the items that carried these move hints and have a document, or a person deleted it, by hint."""
    found = connection.execute(
        select(items.c.move_hint, items.c.key).where(
            items.c.connector_pk == connector_pk,
            items.c.move_hint.in_(hints),
            items.c.state.in_((ItemState.INDEXED, ItemState.HIDDEN)),
        )
    ).all()
    known = lookup(connection, connector_pk, [key for _, key in found])
    return {hint: known[key] for hint, key in found if key in known}


def due(connection: Connection, connector_pk: int, *, now: float, limit: int) -> list[Known]:
    """Return failed items of the source whose next attempt is due, longest overdue first."""
    keys = connection.execute(
        select(items.c.key)
        .where(
            items.c.connector_pk == connector_pk,
            items.c.origin == Origin.SOURCE,
            items.c.state == ItemState.FAILED,
            items.c.next_attempt_at <= now,
        )
        .order_by(items.c.next_attempt_at)
        .limit(limit)
    ).scalars()
    return list(lookup(connection, connector_pk, list(keys)).values())


class Candidate(NamedTuple):
    """An item that a sweep may have to remove."""

    pk: int
    key: str
    path: str
    has_document: bool


def live_pks(connection: Connection, scope_pk: int, *, watermark: int) -> Iterator[Sequence[int]]:
    """Yield the numbers of what `live_pages` yields: cheap, for the usual case that nothing went."""
    statement = (
        f"SELECT pk FROM items WHERE scope_pk = {scope_pk:d} AND pk <= {watermark:d}"
        " AND origin = 'source' AND state != 'deleted'"
    )
    for rows in bulk.fetch_pages(connection, statement, 5000):
        yield [pk for (pk,) in rows]


def live_pages(
    connection: Connection, scope_pk: int, *, watermark: int, page: int = 5000
) -> Iterator[list[Candidate]]:
    """Yield the live items of a scope that the source gave, up to the watermark, page by page."""
    after = 0
    statement = text(
        "SELECT i.pk, i.key, i.path, EXISTS (SELECT 1 FROM documents d WHERE d.pk = i.pk"
        " AND d.deleted_at IS NULL) FROM items i"
        " WHERE i.scope_pk = :scope AND i.pk > :after AND i.pk <= :watermark"
        " AND i.origin = 'source' AND i.state != 'deleted' ORDER BY i.pk LIMIT :page"
    )
    while True:
        rows = connection.execute(
            statement, {"scope": scope_pk, "after": after, "watermark": watermark, "page": page}
        ).all()
        if rows:
            yield [Candidate(row[0], row[1], row[2], bool(row[3])) for row in rows]
        if len(rows) < page:
            return
        after = rows[-1][0]


def mark_deleted(connection: Connection, pks: Sequence[int], *, reason: str, now: float) -> None:
    """Record that these items are gone, and why; and that a person had deleted the document, if so."""
    hidden = items.c.state == ItemState.HIDDEN
    connection.execute(
        update(items)
        .where(items.c.pk == bindparam("item"))
        .values(
            state=ItemState.DELETED,
            reason=case((hidden, _WAS_HIDDEN + reason), else_=reason),
            stage=None,
            error=None,
            attempts=0,
            next_attempt_at=None,
            updated_at=now,
        ),
        [{"item": pk} for pk in pks],
    )


def hide_again(connection: Connection, pks: Sequence[int]) -> None:
    """Take it back that these items are gone: another scope has them, and a person deleted the documents."""
    connection.execute(
        update(items)
        .where(items.c.pk == bindparam("item"), items.c.state == ItemState.DELETED)
        .values(state=ItemState.HIDDEN, reason=DELETED_BY_A_PERSON),
        [{"item": pk} for pk in pks],
    )


def explain(connection: Connection, connector_pk: int, name: str) -> Any | None:
    """Return the ledger's whole row for a key, else for a path; None when it was never seen."""
    return connection.execute(
        select(items)
        .where(items.c.connector_pk == connector_pk, or_(items.c.key == name, items.c.path == name))
        .order_by((items.c.key == name).desc(), items.c.updated_at.desc())
        .limit(1)
    ).one_or_none()


def count_by_state(connection: Connection, connector_pk: int) -> dict[str, int]:
    """Return how many items stand in each state."""
    rows = connection.execute(
        select(items.c.state, func.count())
        .where(items.c.connector_pk == connector_pk)
        .group_by(items.c.state)
    ).all()
    return {str(row[0]): int(row[1]) for row in rows}


def with_state(
    connection: Connection, connector_pk: int, states: Sequence[str], *, limit: int
) -> Sequence[Any]:
    """Return items in these states, with reason and error, by key."""
    return connection.execute(
        select(items.c.key, items.c.state, items.c.stage, items.c.reason, items.c.error, items.c.attempts)
        .where(items.c.connector_pk == connector_pk, items.c.state.in_(states))
        .order_by(items.c.key)
        .limit(limit)
    ).all()


def document_paths(connection: Connection, connector_pk: int) -> Iterator[str]:
    """Yield the paths of a connector's visible documents that came from the source."""
    statement = text(
        "SELECT i.path FROM items i JOIN documents d ON d.pk = i.pk WHERE i.connector_pk = :connector"
        " AND i.origin = 'source' AND d.deleted_at IS NULL"
    )
    for row in connection.execute(statement, {"connector": connector_pk}):
        yield row[0]
