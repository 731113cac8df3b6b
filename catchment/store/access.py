"""Queries about principals, their roles and their tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select, update

from catchment.store.access_tables import members, principals, space_roles, tokens
from catchment.store.rows import as_row, columns_of
from catchment.store.tables import spaces, tenants


class PrincipalRow(Struct, frozen=True):
    """A person or a program that may call."""

    id: str
    kind: str
    name: str
    email: str | None
    created_at: float


class TokenRow(Struct, frozen=True):
    """A token as the store keeps it; what opens doors is not in it."""

    id: str
    tenant_id: str
    principal_id: str
    name: str
    prefix: str
    hash: str
    created_at: float
    expires_at: float | None
    last_used_at: float | None
    revoked_at: float | None


_PRINCIPAL = columns_of(PrincipalRow, principals)
_TOKEN = columns_of(TokenRow, tokens)


def add_principal(connection: Connection, **values: Any) -> PrincipalRow:
    """Store a principal and return it."""
    connection.execute(insert(principals).values(**values))
    found = principal(connection, values["id"])
    assert found is not None
    return found


def principal(connection: Connection, principal_id: str) -> PrincipalRow | None:
    """Return the principal with this id."""
    row = connection.execute(select(*_PRINCIPAL).where(principals.c.id == principal_id)).one_or_none()
    return as_row(PrincipalRow, row) if row is not None else None


def set_member(connection: Connection, tenant_id: str, principal_id: str, role: str, *, now: float) -> None:
    """Give a principal a role in a tenant, in place of the one that it had."""
    connection.execute(
        delete(members).where(members.c.tenant_id == tenant_id, members.c.principal_id == principal_id)
    )
    connection.execute(
        insert(members).values(tenant_id=tenant_id, principal_id=principal_id, role=role, created_at=now)
    )


def memberships(connection: Connection, principal_id: str) -> list[tuple[str, str, str]]:
    """Return id and name of the tenants of a principal, and its role there; oldest tenant first."""
    rows = connection.execute(
        select(tenants.c.id, tenants.c.name, members.c.role)
        .join(members, members.c.tenant_id == tenants.c.id)
        .where(members.c.principal_id == principal_id)
        .order_by(tenants.c.id)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def all_tenants(connection: Connection) -> list[tuple[str, str]]:
    """Return id and name of every tenant, oldest first."""
    rows = connection.execute(select(tenants.c.id, tenants.c.name).order_by(tenants.c.id))
    return [(row[0], row[1]) for row in rows]


def role_in(connection: Connection, tenant_id: str, principal_id: str) -> str | None:
    """Return the role of a principal in a tenant; None where it does not belong to it."""
    found: str | None = connection.execute(
        select(members.c.role).where(members.c.tenant_id == tenant_id, members.c.principal_id == principal_id)
    ).scalar_one_or_none()
    return found


def roles_in_spaces(connection: Connection, tenant_id: str, principal_id: str) -> dict[str, str]:
    """Return the role of a principal in each space of a tenant where it has one."""
    rows = connection.execute(
        select(space_roles.c.space_id, space_roles.c.role)
        .join(spaces, spaces.c.id == space_roles.c.space_id)
        .where(spaces.c.tenant_id == tenant_id, space_roles.c.principal_id == principal_id)
    )
    return {row[0]: row[1] for row in rows}


def set_space_roles(
    connection: Connection, principal_id: str, roles: Mapping[str, str | None], *, now: float
) -> None:
    """Give a principal roles in spaces, in place of those that it had there; None takes one away."""
    for space_id, role in roles.items():
        connection.execute(
            delete(space_roles).where(
                space_roles.c.space_id == space_id, space_roles.c.principal_id == principal_id
            )
        )
        if role is not None:
            values = {"space_id": space_id, "principal_id": principal_id, "role": role, "created_at": now}
            connection.execute(insert(space_roles).values(**values))


def members_of_space(connection: Connection, space_id: str) -> list[tuple[PrincipalRow, str]]:
    """Return who has a role in a space, and which."""
    rows = connection.execute(
        select(*_PRINCIPAL, space_roles.c.role)
        .join(space_roles, space_roles.c.principal_id == principals.c.id)
        .where(space_roles.c.space_id == space_id)
        .order_by(principals.c.id)
    )
    return [(PrincipalRow(*row[:-1]), row[-1]) for row in rows]


def add_token(connection: Connection, **values: Any) -> TokenRow:
    """Store a token and return it."""
    connection.execute(insert(tokens).values(**values))
    found = token(connection, values["id"])
    assert found is not None
    return found


def token(connection: Connection, token_id: str) -> TokenRow | None:
    """Return the token with this id."""
    row = connection.execute(select(*_TOKEN).where(tokens.c.id == token_id)).one_or_none()
    return as_row(TokenRow, row) if row is not None else None


def tokens_of(connection: Connection, tenant_id: str) -> list[tuple[TokenRow, PrincipalRow, str | None]]:
    """Return the tokens of a tenant, oldest first, each with its principal and its role there."""
    rows = connection.execute(
        select(*_TOKEN, *(column.label(f"of_{column.name}") for column in _PRINCIPAL), members.c.role)
        .join(principals, principals.c.id == tokens.c.principal_id)
        .outerjoin(
            members,
            (members.c.principal_id == tokens.c.principal_id) & (members.c.tenant_id == tokens.c.tenant_id),
        )
        .where(tokens.c.tenant_id == tenant_id)
        .order_by(tokens.c.id)
    )
    middle = len(_TOKEN)
    return [(TokenRow(*row[:middle]), PrincipalRow(*row[middle:-1]), row[-1]) for row in rows]


def count_tokens(connection: Connection) -> int:
    """Return how many tokens there are, revoked ones too."""
    return int(connection.execute(select(func.count()).select_from(tokens)).scalar_one())


def revoke_token(connection: Connection, token_id: str, *, now: float) -> None:
    """End a token for good; one that is revoked keeps its time."""
    connection.execute(
        update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None)).values(revoked_at=now)
    )


def mark_used(connection: Connection, used: Iterable[tuple[str, float]]) -> None:
    """Remember when tokens were last used."""
    for token_id, at in used:
        connection.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=at))
