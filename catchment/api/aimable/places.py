"""Where a path leads: space, collection, connector, run, in the order in which they are looked up."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from msgspec import Struct

from catchment.api import ids
from catchment.api.aimable.parameters import CollectionId, SpaceId
from catchment.api.requests import CallerOf, ContextOf
from catchment.core.errors import NotFound
from catchment.services import reach
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.store.rows import ConnectorRow
from catchment.store.spaces import CollectionRow, SpaceRow


def space(context: Context, caller: Caller, space_id: UUID, least: str = "viewer") -> SpaceRow:
    """Return a space in which the caller has a role.

    Raises:
        NotFound: There is none in its tenant.
        Forbidden: The caller has no role there, or a weaker one.
    """
    row = reach.space(context, caller, space_id.hex)
    caller.require_space_role(row.id, least)
    return row


def collection_by_id(context: Context, caller: Caller, collection_id: UUID, least: str) -> CollectionRow:
    """Return a collection by its id alone; raises as `space` does."""
    row = reach.collection(context, caller, collection_id.hex)
    caller.require_space_role(row.space_id, least)
    return row


class Here(Struct, frozen=True):
    """The collection that a path names, and who asks.

    Nothing is looked up before a handler asks for it: whatever is wrong with the shape of a request is told
    first.
    """

    context: Context
    caller: Caller
    space_id: UUID
    collection_id: UUID

    def collection(self, least: str = "viewer") -> CollectionRow:
        """Return the collection, where the caller has this role in its space, or a stronger one.

        Raises:
            NotFound: There is no such space or collection in the caller's tenant.
            Forbidden: The caller has no role there, or a weaker one.
        """
        room = space(self.context, self.caller, self.space_id)
        row = reach.collection(self.context, self.caller, self.collection_id.hex, space_id=room.id)
        self.caller.require_space_role(room.id, least)
        return row

    def connector(self, text: str, least: str = "viewer") -> ConnectorRow:
        """Return a connector of the collection by its id, whatever that looks like; raises as `collection`.

        Raises:
            NotFound: There is no such connector there.
        """
        collection = self.collection(least)
        row = reach.connector(self.context, self.caller, ids.read("connector", text))
        if row.collection_pk != collection.pk:
            raise NotFound("There is no such connector in this collection.")
        return row


async def _here(space_id: SpaceId, collection_id: CollectionId, context: ContextOf, caller: CallerOf) -> Here:
    return Here(context, caller, space_id, collection_id)


HereOf = Annotated[Here, Depends(_here)]
"""Parameter of a handler: see `Here`."""
