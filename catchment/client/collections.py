"""Spaces and the collections in them, over the Aimable face: the one that says which lies in which."""

from __future__ import annotations

from catchment.client import places
from catchment.client.asking import ask, data, delete, read
from catchment.client.ids import hyphenated, in_path
from catchment.client.places import collection_of, collections_in
from catchment.client.replies import Collection, Space
from catchment.client.session import Part
from catchment.client.steps import Call, Steps


def list_spaces(here: Part) -> Steps[list[Space]]:
    """Return the spaces in which the token has a role, oldest first: the first is the default one."""
    return (yield from places.spaces(here))


def create_space(here: Part, name: str) -> Steps[Space]:
    """Make a space; the token's principal is its admin."""
    told = yield from ask(here, Call("POST", places.SPACES, body={"name": name}, is_repeatable=False))
    return read(here, Space, told)


def list_collections(here: Part, space: str | None = None) -> Steps[list[Collection]]:
    """Return the collections of one space, or of all that the token may see, oldest first.

    Args:
        here: The client.
        space: Id of a space.
    """
    wanted = [space] if space is not None else [one.id for one in (yield from places.spaces(here))]
    found: list[Collection] = []
    for one in wanted:
        found += yield from collections_in(here, one)
    return found


def get_collection(here: Part, collection: str) -> Steps[Collection]:
    """Return a collection by its id."""
    path = yield from places.collection_path(here, collection)
    return collection_of(here, (yield from data(here, Call("GET", path))))


def create_collection(
    here: Part, name: str, *, space: str | None = None, description: str | None = None
) -> Steps[Collection]:
    """Make a collection.

    Args:
        here: The client.
        name: What people call it.
        space: Id of its space; the default one if absent.
        description: What it is for.
    """
    if space is None:
        space = (yield from places.default_space(here)).id
    body = {"name": name, "description": description}
    call = Call("POST", places.in_space(space), body=body, is_repeatable=False)
    return collection_of(here, (yield from data(here, call)))


def update_collection(
    here: Part, collection: str, *, name: str | None = None, description: str | None = None
) -> Steps[Collection]:
    """Change the name or the description of a collection; what is not given stays."""
    given = {"name": name, "description": description}
    body = {key: value for key, value in given.items() if value is not None}
    return collection_of(here, (yield from data(here, Call("PATCH", _alone(collection), body=body))))


def delete_collection(here: Part, collection: str) -> Steps[None]:
    """Remove a collection without connectors; the default one stays."""
    yield from delete(here, _alone(collection))


def _alone(collection: str) -> str:
    return f"/v1/collections/{in_path(hyphenated('col', collection))}"
