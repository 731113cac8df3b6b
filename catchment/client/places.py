"""Where things lie: the paths of the faces, and the look-ups that Aimable's nested ones need.

Aimable's paths name space and collection. Neither ever changes for a collection or a connector, so a client
looks each up once.
"""

from __future__ import annotations

from typing import Any

from catchment.client.asking import ask, cursor_pages, data, read
from catchment.client.errors import NotFound
from catchment.client.ids import hyphenated, in_path, prefixed
from catchment.client.replies import Collection, Connector, Space
from catchment.client.session import Part
from catchment.client.steps import Call, Steps

SPACES = "/v1/spaces"
CONNECTORS = "/api/v1/connectors"


def spaces(here: Part) -> Steps[list[Space]]:
    """Return the spaces in which the token has a role, oldest first: the first is the default one."""
    told = yield from ask(here, Call("GET", SPACES))
    return [read(here, Space, one) for one in told]


def default_space(here: Part) -> Steps[Space]:
    """Return the space that is meant where none is named.

    Raises:
        NotFound: The token has no role in any.
    """
    found = yield from spaces(here)
    if not found:
        raise NotFound("The token has no role in any space.", remedy="Ask an admin for one.")
    return found[0]


def collections_in(here: Part, space: str) -> Steps[list[Collection]]:
    """Return the collections of a space, oldest first, and remember where they lie."""
    told = yield from cursor_pages(here, in_space(space))
    found = [collection_of(here, one) for one in reversed(told)]
    here.session.spaces.update((one.id, one.space_id) for one in found)
    return found


def collection_of(here: Part, told: Any) -> Collection:
    """Read a collection of the Aimable face."""
    return read(here, Collection, {**told, "id": prefixed("col", str(told.get("id")))})


def in_space(space: str) -> str:
    """Return the path of the collections of a space."""
    return f"{SPACES}/{in_path(hyphenated('space', space))}/collections"


def collection_path(here: Part, collection: str | None) -> Steps[str]:
    """Return the path of a collection; None means the default one: the oldest of the default space.

    Raises:
        NotFound: There is none, or the token has no role in its space.
    """
    known = here.session.spaces
    if collection is None:
        found = yield from collections_in(here, (yield from default_space(here)).id)
        if not found:
            raise NotFound("There is no collection.", remedy="Make one first.")
        wanted = found[0].id
    else:
        wanted = prefixed("col", collection)
        if wanted not in known:
            for space in (yield from spaces(here)):
                yield from collections_in(here, space.id)
    if wanted not in known:
        raise NotFound("There is no such collection.")
    return f"{in_space(known[wanted])}/{in_path(hyphenated('col', wanted))}"


def connector_path(connector: str) -> str:
    """Return the path of a connector on the ZenSearch face."""
    return f"{CONNECTORS}/{in_path(connector)}"


def get_connector(here: Part, connector: str) -> Steps[Connector]:
    """Return a connector by its id, and remember where it lies."""
    told = yield from data(here, Call("GET", connector_path(connector)))
    found = read(here, Connector, told)
    here.session.homes[found.id] = found.collection
    return found


def nested_path(here: Part, connector: str) -> Steps[str]:
    """Return the path of a connector on the Aimable face."""
    wanted = prefixed("conn", connector)
    home = here.session.homes.get(wanted)
    if home is None:
        home = (yield from get_connector(here, wanted)).collection
    place = yield from collection_path(here, home)
    return f"{place}/connectors/{in_path(hyphenated('conn', wanted))}"
