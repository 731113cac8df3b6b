"""Queries about spaces and collections."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, func, insert, select, update

from catchment.store.rows import as_row, columns_of
from catchment.store.tables import collections, connectors, documents, spaces

__all__ = ["CollectionRow", "Connection", "SpaceRow"]


class SpaceRow(Struct, frozen=True):
    """A space as the store keeps it."""

    id: str
    tenant_id: str
    name: str
    created_at: float


class CollectionRow(Struct, frozen=True):
    """A collection as the store keeps it, with the tenant of its space."""

    pk: int
    id: str
    space_id: str
    name: str
    description: str | None
    embedding_model: str | None
    created_at: float
    deleted_at: float | None
    tenant_id: str


_SPACE = columns_of(SpaceRow, spaces)
_COLLECTION = [*columns_of(CollectionRow, collections), spaces.c.tenant_id]


def space(connection: Connection, space_id: str) -> SpaceRow | None:
    """Return the space with this id."""
    row = connection.execute(select(*_SPACE).where(spaces.c.id == space_id)).one_or_none()
    return as_row(SpaceRow, row) if row is not None else None


def spaces_of(connection: Connection, tenant_id: str) -> list[SpaceRow]:
    """Return the spaces of a tenant, oldest first."""
    rows = connection.execute(select(*_SPACE).where(spaces.c.tenant_id == tenant_id).order_by(spaces.c.id))
    return [as_row(SpaceRow, row) for row in rows]


def default_space(connection: Connection, tenant_id: str) -> str:
    """Return the id of the oldest space of a tenant."""
    first = select(spaces.c.id).where(spaces.c.tenant_id == tenant_id).order_by(spaces.c.id).limit(1)
    return str(connection.execute(first).scalar_one())


def add_space(connection: Connection, **values: Any) -> None:
    """Store a space."""
    connection.execute(insert(spaces).values(**values))


def collection(connection: Connection, collection_id: str) -> CollectionRow | None:
    """Return the collection with this id, deleted or not."""
    row = connection.execute(_collections().where(collections.c.id == collection_id)).one_or_none()
    return as_row(CollectionRow, row) if row is not None else None


def collection_by_pk(connection: Connection, pk: int) -> CollectionRow:
    """Return the collection with this number."""
    return as_row(CollectionRow, connection.execute(_collections().where(collections.c.pk == pk)).one())


def collections_of(connection: Connection, tenant_id: str) -> list[CollectionRow]:
    """Return the living collections of a tenant, oldest first."""
    rows = connection.execute(
        _collections()
        .where(spaces.c.tenant_id == tenant_id, collections.c.deleted_at.is_(None))
        .order_by(collections.c.pk)
    )
    return [as_row(CollectionRow, row) for row in rows]


def _collections() -> Any:
    return select(*_COLLECTION).join(spaces, spaces.c.id == collections.c.space_id)


def add_collection(connection: Connection, **values: Any) -> None:
    """Store a collection."""
    connection.execute(insert(collections).values(**values))


def change_collection(connection: Connection, pk: int, **values: Any) -> None:
    """Change columns of a collection."""
    connection.execute(update(collections).where(collections.c.pk == pk).values(**values))


def count_connectors(connection: Connection, pks: list[int]) -> dict[int, int]:
    """Return how many living connectors each of these collections has; those without are left out."""
    rows = connection.execute(
        select(connectors.c.collection_pk, func.count())
        .where(connectors.c.collection_pk.in_(pks), connectors.c.deleted_at.is_(None))
        .group_by(connectors.c.collection_pk)
    )
    return {row[0]: row[1] for row in rows}


def count_documents(connection: Connection, pks: list[int]) -> dict[int, int]:
    """Return how many visible documents each of these collections has; those without are left out."""
    rows = connection.execute(
        select(documents.c.collection_pk, func.count())
        .join(connectors, connectors.c.pk == documents.c.connector_pk)
        .where(
            connectors.c.collection_pk.in_(pks),
            connectors.c.deleted_at.is_(None),
            documents.c.deleted_at.is_(None),
        )
        .group_by(documents.c.collection_pk)
    )
    return {row[0]: row[1] for row in rows}
