"""Spaces, and who has which role in them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from catchment.api import ids
from catchment.api.aimable import places, render, shapes
from catchment.api.aimable.parameters import USUAL_LIMIT, Limit, Offset, SpaceId
from catchment.api.limits import FaceRoute
from catchment.api.requests import CallerOf, ContextOf
from catchment.core.errors import NotFound
from catchment.services import spaces

MEMBERS = "/{space_id}/members"

router = APIRouter(prefix="/v1/spaces", tags=["spaces"], route_class=FaceRoute)


@router.get("", response_model=list[shapes.Space])
def list_spaces(context: ContextOf, caller: CallerOf) -> Any:
    """List the spaces in which the caller has a role, oldest first. The list has no envelope."""
    return [render.space(row, caller) for row in spaces.list_spaces(context, caller)]


@router.post("", status_code=201, response_model=shapes.MadeSpace)
def create_space(body: shapes.NewSpace, context: ContextOf, caller: CallerOf) -> Any:
    """Make a space, with the caller as its admin."""
    row = spaces.add_space(context, caller, body.name)
    made = render.space(row, caller).model_copy(update={"role": render.role_key("admin")})
    return shapes.MadeSpace(**made.model_dump(), data=made)


@router.get("/{space_id}", response_model=shapes.One[shapes.Space])
def show_space(space_id: SpaceId, context: ContextOf, caller: CallerOf) -> Any:
    """Show a space."""
    return shapes.One(data=render.space(places.space(context, caller, space_id), caller))


@router.get(MEMBERS, response_model=shapes.Many[shapes.Member])
def list_members(
    space_id: SpaceId,
    context: ContextOf,
    caller: CallerOf,
    cursor: Offset = None,
    limit: Limit = USUAL_LIMIT,
) -> Any:
    """List who was given a role in a space; admins of the tenant have it without."""
    space = places.space(context, caller, space_id)
    found = [
        shapes.Member(
            principal_id=ids.hyphenated(who.id), name=who.name, kind=who.kind, role_key=render.role_key(role)
        )
        for who, role in spaces.members(context, space)
    ]
    return render.part(found, start=cursor, limit=limit)


@router.get(f"{MEMBERS}/{{principal_id}}/roles", response_model=shapes.Many[shapes.Role])
def list_roles(space_id: SpaceId, principal_id: str, context: ContextOf, caller: CallerOf) -> Any:
    """List the roles of a member: one, or none."""
    space = places.space(context, caller, space_id)
    inner = ids.read("principal", principal_id)
    found = [role for who, role in spaces.members(context, space) if who.id == inner]
    return render.part([_role(role) for role in found], start=0, limit=1)


@router.post(f"{MEMBERS}/{{principal_id}}/roles", status_code=201, response_model=shapes.One[shapes.Role])
def give_role(
    space_id: SpaceId, principal_id: str, body: shapes.GivenRole, context: ContextOf, caller: CallerOf
) -> Any:
    """Give a principal of the tenant a role in a space, in place of the one that it had there."""
    space = places.space(context, caller, space_id, "admin")
    role = str(body.role_key or body.role_id).removeprefix(render.SPACE_ROLE)
    spaces.set_role(context, caller, space, ids.read("principal", principal_id), role)
    return shapes.One(data=_role(role))


@router.delete(f"{MEMBERS}/{{principal_id}}/roles/{{role_key}}", status_code=204)
def take_role(
    space_id: SpaceId, principal_id: str, role_key: str, context: ContextOf, caller: CallerOf
) -> Response:
    """Take a role in a space away from a member."""
    space = places.space(context, caller, space_id, "admin")
    inner, role = ids.read("principal", principal_id), role_key.removeprefix(render.SPACE_ROLE)
    if (inner, role) not in [(who.id, given) for who, given in spaces.members(context, space)]:
        raise NotFound("The principal does not have this role.")
    spaces.set_role(context, caller, space, inner, None)
    return Response(status_code=204)


def _role(role: str) -> shapes.Role:
    return shapes.Role(role_id=render.role_key(role), role_key=render.role_key(role))
