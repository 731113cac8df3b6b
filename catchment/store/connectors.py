"""Queries about connectors, and the space and collection they live in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, update

from catchment.core.ids import new_id
from catchment.store.rows import ConnectorRow, as_row, columns_of
from catchment.store.tables import collections, connectors, spaces, tenants

_COLUMNS = columns_of(ConnectorRow, connectors)
# Built once: each request looks a connector up, and to build such a statement takes longer than to run it.
_BY_PK = select(*_COLUMNS).where(connectors.c.pk == bindparam("pk"))
_BY_ID = select(*_COLUMNS).where(connectors.c.id == bindparam("id"))
_WITH_SPACE = (
    select(*_COLUMNS, collections.c.space_id)
    .join(collections, collections.c.pk == connectors.c.collection_pk)
    .where(connectors.c.id == bindparam("id"))
)


def found_tenant(connection: Connection, *, name: str, now: float) -> str:
    """Create a tenant with a default space and a default collection, and return its id."""
    tenant_id, space_id = new_id(), new_id()
    connection.execute(insert(tenants).values(id=tenant_id, name=name, created_at=now))
    connection.execute(
        insert(spaces).values(id=space_id, tenant_id=tenant_id, name="Default", created_at=now)
    )
    connection.execute(
        insert(collections).values(id=new_id(), space_id=space_id, name="Default", created_at=now)
    )
    return tenant_id


def default_tenant(connection: Connection) -> str:
    """Return the oldest tenant: the one that the command line works in."""
    return str(connection.execute(select(tenants.c.id).order_by(tenants.c.id).limit(1)).scalar_one())


def default_collection(connection: Connection, tenant_id: str) -> int:
    """Return the oldest collection of a tenant."""
    return int(
        connection.execute(
            select(collections.c.pk)
            .join(spaces, spaces.c.id == collections.c.space_id)
            .where(spaces.c.tenant_id == tenant_id)
            .order_by(collections.c.pk)
            .limit(1)
        ).scalar_one()
    )


def add(connection: Connection, **values: Any) -> ConnectorRow:
    """Store a new connector and return it."""
    pk = connection.execute(insert(connectors).values(**values).returning(connectors.c.pk)).scalar_one()
    return by_pk(connection, pk)


def by_pk(connection: Connection, pk: int) -> ConnectorRow:
    """Return the connector with this number."""
    return as_row(ConnectorRow, connection.execute(_BY_PK, {"pk": pk}).one())


def find(connection: Connection, tenant_id: str, name: str) -> list[ConnectorRow]:
    """Return the living connectors that are meant: by id, slug, deployment's name, else by name.

    Slugs and names are a tenant's own; ids and the names of deployments mean one connector, of any tenant.
    """
    rows = [
        as_row(ConnectorRow, row)
        for row in connection.execute(
            select(*_COLUMNS)
            .where(
                connectors.c.deleted_at.is_(None),
                or_(
                    connectors.c.id == name,
                    connectors.c.deployment_name == name,
                    and_(
                        connectors.c.tenant_id == tenant_id,
                        or_(connectors.c.slug == name, connectors.c.name == name),
                    ),
                ),
            )
            .order_by(connectors.c.pk)
        )
    ]
    for attribute in ("id", "slug", "deployment_name"):
        exact = [row for row in rows if getattr(row, attribute) == name]
        if exact:
            return exact
    return rows


def by_id(connection: Connection, connector_id: str) -> ConnectorRow | None:
    """Return the connector with this id, deleted or not."""
    row = connection.execute(_BY_ID, {"id": connector_id}).one_or_none()
    return as_row(ConnectorRow, row) if row is not None else None


def with_space(connection: Connection, connector_id: str) -> tuple[ConnectorRow, str] | None:
    """Return the connector with this id, deleted or not, and the id of the space that it lies in."""
    row = connection.execute(_WITH_SPACE, {"id": connector_id}).one_or_none()
    return (ConnectorRow(*row[:-1]), row[-1]) if row is not None else None


def by_identity(connection: Connection, tenant_id: str, provider: str, identity: str) -> ConnectorRow | None:
    """Return the oldest living connector to the same source, or None."""
    row = connection.execute(
        select(*_COLUMNS)
        .where(
            connectors.c.tenant_id == tenant_id,
            connectors.c.provider == provider,
            connectors.c.identity == identity,
            connectors.c.deleted_at.is_(None),
        )
        .order_by(connectors.c.pk)
        .limit(1)
    ).one_or_none()
    return as_row(ConnectorRow, row) if row is not None else None


def all_living(connection: Connection, tenant_id: str | None = None) -> list[ConnectorRow]:
    """Return the living connectors of one tenant or of all, oldest first."""
    statement = select(*_COLUMNS).where(connectors.c.deleted_at.is_(None)).order_by(connectors.c.pk)
    if tenant_id is not None:
        statement = statement.where(connectors.c.tenant_id == tenant_id)
    rows = connection.execute(statement)
    return [as_row(ConnectorRow, row) for row in rows]


def page(
    connection: Connection,
    collection_pk: int,
    *,
    provider: str | None = None,
    status: str | None = None,
    before: int | None = None,
    limit: int,
) -> list[ConnectorRow]:
    """Return living connectors of a collection, newest first; `before` is the last of the page before."""
    conditions = [connectors.c.collection_pk == collection_pk, connectors.c.deleted_at.is_(None)]
    if provider is not None:
        conditions.append(connectors.c.provider == provider)
    if status is not None:
        conditions.append(connectors.c.status == status)
    if before is not None:
        conditions.append(connectors.c.pk < before)
    rows = connection.execute(
        select(*_COLUMNS).where(and_(*conditions)).order_by(connectors.c.pk.desc()).limit(limit)
    )
    return [as_row(ConnectorRow, row) for row in rows]


def slugs_like(connection: Connection, tenant_id: str, prefix: str) -> set[str]:
    """Return the slugs in use that begin with the prefix."""
    return set(
        connection.execute(
            select(connectors.c.slug).where(
                connectors.c.tenant_id == tenant_id,
                connectors.c.deleted_at.is_(None),
                connectors.c.slug.startswith(prefix, autoescape=True),
            )
        ).scalars()
    )


def change(connection: Connection, pk: int, **values: Any) -> None:
    """Change columns of a connector."""
    connection.execute(update(connectors).where(connectors.c.pk == pk).values(**values))


def lock(connection: Connection, pk: int) -> bool:
    """Let nobody else decide about this connector until the transaction ends.

    Every transaction that reads a connector's runs in order to change them begins with this; SQLite has but
    one writer, so there it does nothing. Rows of runs are locked after it, never before: else two
    transactions could wait for each other. Tells whether what was read before it may have changed.
    """
    if connection.dialect.name != "postgresql":
        return False
    connection.exec_driver_sql("SELECT 1 FROM connectors WHERE pk = %s FOR NO KEY UPDATE", (pk,))
    return True


def next_lease(connection: Connection, pk: int) -> int:
    """Hand out the next lease number of a connector; numbers only grow."""
    return int(
        connection.execute(
            update(connectors)
            .where(connectors.c.pk == pk)
            .values(lease=connectors.c.lease + 1)
            .returning(connectors.c.lease)
        ).scalar_one()
    )


def forget(connection: Connection, pk: int) -> None:
    """Take back a connector whose making could not be finished."""
    connection.execute(delete(connectors).where(connectors.c.pk == pk))
