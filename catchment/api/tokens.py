"""Tokens over HTTP: ``/api/v1/tokens``, in the words of the ZenSearch face.

Admins of a tenant make, list and revoke its tokens; nobody gives more than they have themselves.
"""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from catchment.api import ids
from catchment.api.limits import FaceRoute
from catchment.api.requests import CallerOf, ContextOf
from catchment.api.zensearch.face import envelope
from catchment.core.clock import iso
from catchment.core.errors import NotFound
from catchment.services import access
from catchment.store.access import PrincipalRow, TokenRow

router = APIRouter(prefix="/api/v1/tokens", tags=["tokens"], route_class=FaceRoute)


class NewToken(BaseModel):
    """What a new token is to be. Values of another type are refused: `true` is no number of days."""

    model_config = ConfigDict(strict=True)

    name: str = Field(min_length=1, max_length=100, pattern=r"\S")
    role: Literal["viewer", "editor", "admin", "owner"] = "editor"
    kind: Literal["user", "service"] = "service"
    spaces: dict[str, Literal["viewer", "editor", "admin"]] | None = None
    expires_in_days: float | None = Field(None, gt=0, le=3650, alias="expiresInDays")


@router.post("", status_code=201)
def add_token(request: Request, body: NewToken, context: ContextOf, caller: CallerOf) -> Any:
    """Make a token, with a principal of its own; its secret is shown this once."""
    caller.require_role("admin")
    caller.require_role(body.role)
    spaces = None
    if body.spaces is not None:
        spaces = {ids.read("space", space): str(role) for space, role in body.spaces.items()}
    issued = access.add_token(
        context,
        body.name,
        role=body.role,
        kind=body.kind,
        space_roles=spaces,
        tenant_id=caller.tenant_id,
        lives_seconds=body.expires_in_days * 86_400 if body.expires_in_days is not None else None,
    )
    return envelope(request, {**_shown(issued.token, issued.principal, issued.role), "token": issued.secret})


@router.get("")
def list_tokens(request: Request, context: ContextOf, caller: CallerOf) -> Any:
    """Return the tokens of the caller's tenant, oldest first."""
    caller.require_role("admin")
    listed = access.list_tokens(context, caller.tenant_id)
    return envelope(request, [_shown(one.token, one.principal, one.role) for one in listed])


@router.delete("/{token_id}")
def revoke_token(request: Request, token_id: str, context: ContextOf, caller: CallerOf) -> Any:
    """End a token, from the next request on."""
    caller.require_role("admin")
    inner = ids.read("token", token_id)
    found = [one for one in access.list_tokens(context, caller.tenant_id) if one.token.id == inner]
    if not found:
        raise NotFound("There is no such token.")
    if found[0].role is not None:
        caller.require_role(found[0].role)
    access.revoke_token(context, inner, tenant_id=caller.tenant_id)
    return envelope(request, {"id": ids.prefixed("token", inner), "revoked": True})


def _shown(token: TokenRow, principal: PrincipalRow, role: str | None) -> dict[str, Any]:
    return {
        "id": ids.prefixed("token", token.id),
        "name": token.name,
        "prefix": token.prefix,
        "principal": {
            "id": ids.prefixed("principal", principal.id),
            "name": principal.name,
            "kind": principal.kind,
        },
        "role": role,
        "createdAt": iso(token.created_at),
        "expiresAt": iso(token.expires_at),
        "lastUsedAt": iso(token.last_used_at),
        "revokedAt": iso(token.revoked_at),
    }
