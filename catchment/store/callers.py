"""Who a token speaks for: the one query that every request begins with."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy import Connection, bindparam, func, select

from catchment.store.access_tables import members, principals, space_roles, tokens
from catchment.store.tables import Id, spaces


class ShownToken(Struct, frozen=True):
    """A token, the principal that it speaks for, and what that may do in one tenant.

    Attributes:
        id: Of the token.
        hash: Of what opens the door.
        home_id: The tenant that it was made for.
        expires_at: POSIX seconds.
        revoked_at: POSIX seconds.
        principal_id: Whom it speaks for.
        principal_name: Its name, for people.
        kind: ``user`` or ``service``.
        role: Its role in the tenant; None where it does not belong to it.
        space_roles: Its role in each space of the tenant where it has one.
    """

    id: str
    hash: str
    home_id: str
    expires_at: float | None
    revoked_at: float | None
    principal_id: str
    principal_name: str
    kind: str
    role: str | None
    space_roles: Mapping[str, str]


# Built once: to build such a statement takes longer than to run it.
_SHOWN = (
    select(
        tokens.c.id,
        tokens.c.hash,
        tokens.c.tenant_id,
        tokens.c.expires_at,
        tokens.c.revoked_at,
        principals.c.id,
        principals.c.name,
        principals.c.kind,
        members.c.role,
        spaces.c.id,
        space_roles.c.role,
    )
    .join(principals, principals.c.id == tokens.c.principal_id)
    .outerjoin(
        members,
        (members.c.principal_id == tokens.c.principal_id)
        & (members.c.tenant_id == func.coalesce(bindparam("tenant", type_=Id), tokens.c.tenant_id)),
    )
    .outerjoin(space_roles, space_roles.c.principal_id == tokens.c.principal_id)
    .outerjoin(spaces, (spaces.c.id == space_roles.c.space_id) & (spaces.c.tenant_id == members.c.tenant_id))
    .where(tokens.c.hash == bindparam("hash"))
)


def shown_token(connection: Connection, hashed: str, *, tenant_id: str | None = None) -> ShownToken | None:
    """Return the token with this hash, and what its principal may do in this tenant or in its own."""
    # One row for each role in a space, of any tenant, and one at least.
    rows = connection.execute(_SHOWN, {"hash": hashed, "tenant": tenant_id}).all()
    if not rows:
        return None
    first, roles = rows[0], {row[9]: row[10] for row in rows if row[9] is not None}
    return ShownToken(
        id=first[0],
        hash=first[1],
        home_id=first[2],
        expires_at=first[3],
        revoked_at=first[4],
        principal_id=first[5],
        principal_name=first[6],
        kind=first[7],
        role=first[8],
        space_roles=roles,
    )
