"""Who calls, where it belongs to, and which providers there are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from catchment.api.aimable import render, shapes
from catchment.api.aimable.parameters import USUAL_LIMIT, Limit, Offset
from catchment.api.ids import hyphenated
from catchment.api.limits import FaceRoute
from catchment.api.requests import CallerOf, ContextOf
from catchment.core.errors import NotFound
from catchment.kit import registry
from catchment.services import access, oauth_clients

router = APIRouter(prefix="/v1", route_class=FaceRoute)


@router.get("/me", response_model=shapes.One[shapes.Principal], tags=["principal"])
def show_me(caller: CallerOf) -> Any:
    """Show who calls, and in which tenant."""
    return shapes.One(
        data=shapes.Principal(
            id=hyphenated(caller.principal_id),
            principal_id=hyphenated(caller.principal_id),
            kind=caller.kind,
            name=caller.principal_name,
            tenant_id=hyphenated(caller.tenant_id),
            role=caller.role,
        )
    )


@router.get("/me/memberships", response_model=shapes.Many[shapes.Membership], tags=["principal"])
def list_memberships(
    context: ContextOf, caller: CallerOf, cursor: Offset = None, limit: Limit = USUAL_LIMIT
) -> Any:
    """List the tenants that the caller belongs to, oldest first."""
    found = [
        shapes.Membership(tenant_id=hyphenated(tenant), tenant_name=name, role=role)
        for tenant, name, role in access.memberships(context, caller)
    ]
    return render.part(found, start=cursor, limit=limit)


@router.get("/admin/connector-providers", response_model=shapes.Many[shapes.Provider], tags=["providers"])
def list_providers(
    context: ContextOf, caller: CallerOf, cursor: Offset = None, limit: Limit = USUAL_LIMIT
) -> Any:
    """List the providers that connectors can be made for, by slug. For admins of the tenant."""
    caller.require_role("admin")
    clients = oauth_clients.kept(context)
    found = [render.provider(slug, clients=clients) for slug in registry.known()]
    return render.part(found, start=cursor, limit=limit)


@router.get(
    "/admin/connector-providers/{provider}", response_model=shapes.One[shapes.Provider], tags=["providers"]
)
def show_provider(provider: str, context: ContextOf, caller: CallerOf) -> Any:
    """Show a provider, by its slug or id. For admins of the tenant."""
    caller.require_role("admin")
    for slug in registry.known():
        if provider in (slug, render.provider_id(slug)):
            return shapes.One(data=render.provider(slug, clients=oauth_clients.kept(context)))
    raise NotFound("There is no such provider.")
