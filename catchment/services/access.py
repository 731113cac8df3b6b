"""Who calls, and what it may do: principals, their roles, and the tokens that speak for them.

A token is ``ct_`` and 32 random bytes. The store keeps its SHA-256 only: it is shown once, when it is made.
It speaks for one principal, in the tenant that it was made for, or in another one that the principal belongs
to and the request names. An owner or admin of a tenant is admin of every space in it; others have the roles
in spaces that they were given.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping

from msgspec import Struct, field
from sqlalchemy import Connection

from catchment.core.discreet import Discreet
from catchment.core.errors import Forbidden, NotFound, Unauthenticated, UsageError
from catchment.core.ids import new_id
from catchment.services.context import Context
from catchment.store import access, callers, connectors
from catchment.store import spaces as spaces_store
from catchment.store.access import PrincipalRow, TokenRow
from catchment.store.callers import ShownToken
from catchment.store.engine import reading, writing

TENANT_ROLES = ("viewer", "editor", "admin", "owner")
"""Weakest first; each may do what those before it may."""
SPACE_ROLES = ("viewer", "editor", "admin")
KINDS = ("user", "service")
PREFIX = "ct_"
SHOWN_CHARACTERS = 11
MOST_TOKEN_CHARACTERS = 512


class Caller(Struct, frozen=True):
    """Who makes a request, and in which tenant.

    Attributes:
        principal_id: Who it is.
        principal_name: Its name, for people.
        kind: ``user`` or ``service``.
        tenant_id: Where it acts; things of other tenants do not exist for it.
        role: Its role there: owner, admin, editor or viewer.
        space_roles: Its explicit roles, by the id of the space.
        token_id: The token that it showed.
        expires_at: When that ends, POSIX seconds; None where it does not.
    """

    principal_id: str
    principal_name: str
    kind: str
    tenant_id: str
    role: str
    space_roles: Mapping[str, str] = field(default_factory=dict)
    token_id: str = ""
    expires_at: float | None = None

    def has_ended(self, now: float) -> bool:
        """Say whether the token that it showed has ended since."""
        return self.expires_at is not None and self.expires_at <= now

    def has_role(self, least: str) -> bool:
        """Say whether the role in the tenant is this one or a stronger one."""
        return TENANT_ROLES.index(self.role) >= TENANT_ROLES.index(least)

    def require_role(self, least: str) -> None:
        """Let only this role in the tenant pass, and stronger ones.

        Raises:
            Forbidden: The caller's role is weaker.
        """
        if not self.has_role(least):
            raise Forbidden(f"This needs the role {least}; yours is {self.role}.")

    def space_role(self, space_id: str) -> str | None:
        """Return the role in a space of the caller's tenant: admin, editor, viewer or none."""
        return "admin" if self.has_role("admin") else self.space_roles.get(space_id)

    def has_space_role(self, space_id: str, least: str) -> bool:
        """Say whether the role in a space is this one or a stronger one."""
        role = self.space_role(space_id)
        return role is not None and SPACE_ROLES.index(role) >= SPACE_ROLES.index(least)

    def require_space_role(self, space_id: str, least: str = "viewer") -> None:
        """Let only this role in the space pass, and stronger ones.

        Raises:
            Forbidden: The caller has none there, or a weaker one.
        """
        role = self.space_role(space_id)
        if role is None:
            raise Forbidden("You have no role in this space.")
        if not self.has_space_role(space_id, least):
            raise Forbidden(f"This needs the role {least} in the space; yours is {role}.")


class IssuedToken(Discreet, Struct, frozen=True):
    """A new token; `secret` is what the caller sends, and is never to be had again."""

    unseen = frozenset({"secret"})

    secret: str
    token: TokenRow
    principal: PrincipalRow
    role: str


class ListedToken(Struct, frozen=True):
    """A token, whom it speaks for, and the role of that principal (None: it has left the tenant)."""

    token: TokenRow
    principal: PrincipalRow
    role: str | None


def hash_of(secret: str) -> str:
    """Return what the store keeps of a token: its bytes are random, so that one round is enough."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def authenticate(context: Context, secret: str, *, tenant_id: str | None = None) -> Caller:
    """Return who shows this token.

    Args:
        context: The surroundings.
        secret: The token as it was sent.
        tenant_id: Another tenant to act in; 32 hexadecimal digits.

    Raises:
        Unauthenticated: It is no token of ours, has ended, or its principal has left the tenant.
        Forbidden: The principal does not belong to the named tenant.
    """
    if not 0 < len(secret) <= MOST_TOKEN_CHARACTERS:
        raise Unauthenticated("The token is not valid.")
    hashed = hash_of(secret)
    with reading(context.engine) as connection:
        found = callers.shown_token(connection, hashed, tenant_id=tenant_id)
    if found is None or not hmac.compare_digest(found.hash, hashed) or _has_ended(context, found):
        raise Unauthenticated("The token is not valid.")
    acts_in = tenant_id or found.home_id
    if found.role is None:
        if acts_in != found.home_id:
            raise Forbidden("You do not belong to this team.")
        raise Unauthenticated("The token is not valid.")
    return Caller(
        principal_id=found.principal_id,
        principal_name=found.principal_name,
        kind=found.kind,
        tenant_id=acts_in,
        role=found.role,
        space_roles=found.space_roles,
        token_id=found.id,
        expires_at=found.expires_at,
    )


def caller_of(context: Context, principal_id: str, tenant_id: str) -> Caller | None:
    """Return a principal as it may act in a tenant now; None where it does not belong to it."""
    with reading(context.engine) as connection:
        role = access.role_in(connection, tenant_id, principal_id)
        who = access.principal(connection, principal_id)
        if role is None or who is None:
            return None
        roles = access.roles_in_spaces(connection, tenant_id, principal_id)
    return Caller(principal_id, who.name, who.kind, tenant_id, role, roles)


def _has_ended(context: Context, token: ShownToken) -> bool:
    expired = token.expires_at is not None and token.expires_at <= context.clock.now()
    return expired or token.revoked_at is not None


def memberships(context: Context, caller: Caller) -> list[tuple[str, str, str]]:
    """Return id and name of the tenants that a caller belongs to, and its role there; oldest first."""
    with reading(context.engine) as connection:
        return access.memberships(connection, caller.principal_id)


def cli_tenant(context: Context) -> str:
    """Return the tenant that the command line works in."""
    with reading(context.engine) as connection:
        return connectors.default_tenant(connection)


def add_token(
    context: Context,
    name: str,
    *,
    role: str | None = None,
    space_roles: Mapping[str, str] | None = None,
    kind: str = "service",
    principal_id: str | None = None,
    tenant_id: str | None = None,
    lives_seconds: float | None = None,
) -> IssuedToken:
    """Make a token, and the principal that it speaks for unless that is there already.

    Args:
        context: The surroundings.
        name: Name of the token, and of a new principal; 1 to 100 characters.
        role: Role in the tenant; editor for a new principal, unchanged for a known one if absent.
        space_roles: Roles by the id of the space; absent: the tenant's role in its default space.
        kind: Of a new principal: user or service.
        principal_id: A principal that exists; a token for it must not say its roles anew without need.
        tenant_id: Where; the command line's own if absent.
        lives_seconds: After so long it ends; never if absent.

    Raises:
        UsageError: A role, kind or name cannot be.
        NotFound: There is no such principal or space.
    """
    _check_words(name, role, space_roles or {}, kind)
    tenant = tenant_id or cli_tenant(context)
    now, secret = context.clock.now(), PREFIX + secrets.token_urlsafe(32)
    with writing(context.engine) as connection:
        if principal_id is None:
            who = access.add_principal(connection, id=new_id(), kind=kind, name=name, created_at=now)
            given = role or "editor"
            access.set_member(connection, tenant, who.id, given, now=now)
            roles = dict(space_roles) if space_roles is not None else _at_home(connection, tenant, given)
        else:
            known = access.principal(connection, principal_id)
            before = access.role_in(connection, tenant, principal_id)
            if known is None or (before is None and role is None):
                raise NotFound("There is no such principal in this tenant.")
            who, given, roles = known, role or str(before), dict(space_roles or {})
            if given != before:
                access.set_member(connection, tenant, who.id, given, now=now)
        for space_id in roles:
            space = spaces_store.space(connection, space_id)
            if space is None or space.tenant_id != tenant:
                raise NotFound(f"There is no space {space_id}.")
        access.set_space_roles(connection, who.id, roles, now=now)
        token = access.add_token(
            connection,
            id=new_id(),
            tenant_id=tenant,
            principal_id=who.id,
            name=name,
            prefix=secret[:SHOWN_CHARACTERS],
            hash=hash_of(secret),
            created_at=now,
            expires_at=now + lives_seconds if lives_seconds is not None else None,
        )
    return IssuedToken(secret, token, who, given)


def _at_home(connection: Connection, tenant_id: str, role: str) -> dict[str, str]:
    """Give a newcomer its role in the tenant's default space too."""
    return {spaces_store.default_space(connection, tenant_id): "admin" if role == "owner" else role}


def _check_words(name: str, role: str | None, space_roles: Mapping[str, str], kind: str) -> None:
    if not 0 < len(name.strip()) <= 100:
        raise UsageError("A token needs a name of 1 to 100 characters.")
    if role is not None and role not in TENANT_ROLES:
        raise UsageError(f"There is no role {role!r}.", remedy=f"Use one of: {', '.join(TENANT_ROLES)}.")
    if kind not in KINDS:
        raise UsageError(
            f"There is no kind {kind!r} of principal.", remedy=f"Use one of: {', '.join(KINDS)}."
        )
    for given in space_roles.values():
        if given not in SPACE_ROLES:
            remedy = f"Use one of: {', '.join(SPACE_ROLES)}."
            raise UsageError(f"There is no role {given!r} in a space.", remedy=remedy)


def first_token(context: Context) -> IssuedToken | None:
    """Make an owner's token in a store where no token was ever made; None in any other."""
    with reading(context.engine) as connection:
        if access.count_tokens(connection):
            return None
    return add_token(context, "first", role="owner", kind="user")


def all_tokens(context: Context) -> list[ListedToken]:
    """Return the tokens of every tenant, those of the oldest first: what the operator sees."""
    with reading(context.engine) as connection:
        tenants = access.all_tenants(connection)
        return [ListedToken(*one) for tenant, _ in tenants for one in access.tokens_of(connection, tenant)]


def tenant_called(context: Context, name: str) -> str:
    """Return the id of the tenant with this id or name, made with a space and a collection if there is none.

    Raises:
        UsageError: Several are called so.
    """
    with writing(context.engine) as connection:
        found = [tenant for tenant, called in access.all_tenants(connection) if name in (tenant, called)]
        if len(found) > 1:
            raise UsageError(f"{len(found)} tenants are called {name!r}.", remedy="Give the id.")
        if found:
            return found[0]
        if not 0 < len(name.strip()) <= 100:
            raise UsageError("A tenant needs a name of 1 to 100 characters.")
        return connectors.found_tenant(connection, name=name, now=context.clock.now())


def list_tokens(context: Context, tenant_id: str | None = None) -> list[ListedToken]:
    """Return the tokens of a tenant, oldest first, revoked ones too."""
    with reading(context.engine) as connection:
        tenant = tenant_id or connectors.default_tenant(connection)
        return [ListedToken(*found) for found in access.tokens_of(connection, tenant)]


def revoke_token(context: Context, named: str, *, tenant_id: str | None = None) -> TokenRow:
    """End a token for good, from the next request on; takes and raises what `token_called` does."""
    found = token_called(context, named, tenant_id=tenant_id)
    with writing(context.engine) as connection:
        access.revoke_token(connection, found.id, now=context.clock.now())
        ended = access.token(connection, found.id)
    assert ended is not None
    return ended


def token_called(context: Context, named: str, *, tenant_id: str | None = None) -> TokenRow:
    """Return the token that is meant.

    Args:
        context: The surroundings.
        named: Its id, its name, or the beginning of it that the list shows.
        tenant_id: Where; in every tenant if absent.

    Raises:
        NotFound: There is none.
        UsageError: Several are called so.
    """
    seen = list_tokens(context, tenant_id) if tenant_id is not None else all_tokens(context)
    listed = [one.token for one in seen]
    found = [token for token in listed if token.id == named]
    found = found or [
        token for token in listed if named in (token.name, token.prefix) and not token.revoked_at
    ]
    if not found:
        raise NotFound(f"There is no token {named!r}.", remedy="See: catchment token list.")
    if len(found) > 1:
        raise UsageError(f"{len(found)} tokens are called {named!r}.", remedy="Give the id.")
    return found[0]
