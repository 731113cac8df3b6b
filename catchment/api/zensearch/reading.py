"""What many requests of this face have in common: paging, roles, and the things that ids in them mean."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query

from catchment.api import ids
from catchment.api.base import Problem
from catchment.api.errors import Refused, invalid
from catchment.api.requests import CallerOf, caller
from catchment.core.errors import CatchmentError, Conflict, NotFound, UsageError
from catchment.core.runs import ConnectorStatus
from catchment.kit import registry
from catchment.services import reach
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.services.schedules import prefect_schedule
from catchment.store.rows import ConnectorRow
from catchment.store.spaces import CollectionRow

ERROR: dict[str, Any] = {
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ZensearchError"}}}
}
TOO_LARGE: dict[int | str, dict[str, Any]] = {413: {"description": "Too large.", **ERROR}}
"""For routes that read a body."""

Limit = Annotated[int, Query(ge=1, le=100, description="Most elements.")]
Offset = Annotated[int, Query(ge=0, le=1_000_000_000, description="Elements to leave out.")]


async def _editor(who: CallerOf) -> Caller:
    who.require_role("editor")
    return who


async def _admin(who: CallerOf) -> Caller:
    who.require_role("admin")
    return who


EditorOf = Annotated[Caller, Depends(_editor)]
"""Parameter of a handler: who asks, at least an editor; others are refused before the body is judged."""
AdminOf = Annotated[Caller, Depends(_admin)]
"""Parameter of a handler: who asks, at least an admin."""

__all__ = ["AdminOf", "CallerOf", "EditorOf", "caller"]


def connector(context: Context, who: Caller, connector_id: str, *, least: str = "viewer") -> ConnectorRow:
    """Return the connector that an id in a path means.

    Raises:
        NotFound: There is none of the caller's team.
        Forbidden: The caller's role in its space is weaker than `least`.
    """
    row, space_id = reach.placed_connector(context, who, ids.read("connector", connector_id))
    who.require_space_role(space_id, least)
    return row


def own_connector(context: Context, who: Caller, connector_id: str) -> ConnectorRow:
    """Return a connector that the caller may change: an editor its own ones, an admin any.

    Raises:
        NotFound: There is none of the caller's team.
        Forbidden: It is somebody else's.
    """
    row = connector(context, who, connector_id, least="editor")
    if row.created_by != who.principal_id:
        who.require_role("admin")
    return row


def collection(context: Context, who: Caller, collection_id: str) -> CollectionRow:
    """Return the collection that an id in a path means.

    Raises:
        NotFound: There is none of the caller's team.
        Forbidden: The caller has no role in its space.
    """
    row = reach.collection(context, who, ids.read("collection", collection_id))
    who.require_space_role(row.space_id)
    return row


def named_collection(context: Context, who: Caller, text: str, *loc: str, least: str) -> CollectionRow:
    """Return the collection that an id in a body means.

    Raises:
        Refused: There is none; the place in the body is named.
        Forbidden: The caller's role in its space is weaker than `least`.
    """
    try:
        row = reach.collection(context, who, ids.read("collection", text))
    except NotFound as error:
        raise invalid(error.message, "body", *loc) from None
    who.require_space_role(row.space_id, least)
    return row


def slug_of(text: str, *loc: str) -> str:
    """Return the provider that a type means: ``google_drive`` is our ``google-drive``.

    Raises:
        Refused: There is none; the place in the body is named.
    """
    for slug in (text.lower().replace("_", "-"), text):
        try:
            registry.provider(slug)
        except NotFound:
            continue
        return slug
    raise invalid("There is no such type of connector.", "body", *(loc or ("type",)))


def check_schedule(text: str | None) -> None:
    """Refuse a schedule that cannot be read, and name its field."""
    if text is None:
        return
    try:
        prefect_schedule(text)
    except UsageError as error:
        raise invalid(str(error), "body", "schedule") from None


def require_ready(row: ConnectorRow, status: str) -> None:
    """Refuse what a connector that rests, or is unfinished, cannot do.

    Raises:
        Refused: A conflict, with the connector's status.
    """
    if row.paused:
        raise conflict("The connector is paused. Enable it first.", status=status)
    if row.status == ConnectorStatus.SETUP:
        raise conflict("The connector has no credentials yet.", status=status)


def conflict(message: str, **details: str) -> Refused:
    """Return the error for something that stands in the way, with facts about it."""
    return Refused(Problem("conflict", message, details=details))


def conflict_of(error: Conflict, **details: str) -> CatchmentError:
    """Return the same error with facts about it; errors are rendered with their `details`."""
    error.details = details  # type: ignore[attr-defined]  # read by `catchment.api.errors`
    return error
