"""Parameters that many routes take, checked before anything is looked up: ids, limits, positions, keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path, Query
from pydantic import AfterValidator, BeforeValidator

from catchment.api import ids
from catchment.api.aimable import positions

MOST_CURSOR_CHARACTERS = 4096


def _without_prefix(kind: str) -> Callable[[Any], Any]:
    """Let an id pass that another face wrote with a prefix."""

    def strip(value: Any) -> Any:
        return value.removeprefix(f"{ids.PREFIXES[kind]}_") if isinstance(value, str) else value

    return strip


SpaceId = Annotated[UUID, BeforeValidator(_without_prefix("space")), Path()]
CollectionId = Annotated[UUID, BeforeValidator(_without_prefix("collection")), Path()]
SpaceIdQuery = Annotated[UUID, BeforeValidator(_without_prefix("space")), Query()]
CollectionIdQuery = Annotated[UUID, BeforeValidator(_without_prefix("collection")), Query()]
OptionalCollectionId = Annotated[UUID | None, BeforeValidator(_without_prefix("collection")), Query()]

Limit = Annotated[int, Query(ge=1, le=100, description="Most entries of the page.")]
"""Of a list; 20 where it is not given."""
USUAL_LIMIT = 20

_KEY = {
    "alias": "Idempotency-Key",
    "min_length": 1,
    "max_length": 255,
    "pattern": r"^[ -~]+$",
    "description": "Chosen by the client: the same request under the same key is carried out once.",
}
IdempotencyKey = Annotated[str, Header(**_KEY)]
OptionalKey = Annotated[str | None, Header(**_KEY)]


def _position(read: Callable[[str], Any]) -> Any:
    description = "next_cursor of the page before."
    query = Query(alias="cursor", max_length=MOST_CURSOR_CHARACTERS, description=description)
    return Annotated[str | None, query, AfterValidator(lambda text: None if text is None else read(text))]


NumberPosition = _position(positions.read_number)
"""Position in a list that is ordered by number: an int, or None at the beginning."""
Offset = _position(positions.read_offset)
"""Position in a short list: how many entries came before, or None at the beginning."""
TimePosition = _position(positions.read_time)
"""Position in a list that is ordered by time and id: a pair, or None at the beginning."""
BrowsePosition = _position(positions.read_browse)
"""Position among resources: page of the source and number in it, or None at the beginning."""
