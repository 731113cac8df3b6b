"""A simulated Confluence site for tests, and connectors that read it, each way to sign in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catchment.core.clock import SetClock
from catchment.kit import Item, Session
from catchment.simulators.confluence import Confluence as Site
from catchment.simulators.confluence import signin
from catchment.simulators.server import Simulator
from catchment.simulators.wire import Reply, Request
from connectors.confluence import Confluence, ConfluenceConfig, ConfluenceCredentials

DATA = Path(__file__).parents[2].parent / "shared" / "vendors" / "data" / "confluence"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the vendor's reference data are not here")
SECRETS = (signin.API_TOKEN, signin.PERSONAL_TOKEN, signin.CLIENT_SECRET, "access-1", "refresh-1")


class Relay(Simulator):
    """One server for many sites: whoever asks it is answered by the one that is put in."""

    def __init__(self) -> None:
        super().__init__()
        self.site = Site()

    def handle(self, request: Request) -> Reply:
        """Hand the request on."""
        return self.site.handle(request)

    def answer(self, request: Request) -> Reply:
        """Hand the request on."""
        return self.site.answer(request)


class Bench:
    """A served site and what was made to read it.

    Attributes:
        site: The simulator.
        url: Its address.
        clock: Time, at the site and for whoever asks it.
    """

    def __init__(self, site: Site, url: str, clock: SetClock) -> None:
        self.site, self.url, self.clock = site, url, clock
        self.world = site.world
        self._made: list[Confluence] = []

    def source(
        self, *, credentials: dict[str, Any] | None = None, session: Session | None = None, **settings: Any
    ) -> Confluence:
        """Make a connector; by default with the API token."""
        given = basic() if credentials is None else credentials
        config = ConfluenceConfig(**{"instance_url": self.url, "gateway_url": self.url, **settings})
        made = Confluence(config, ConfluenceCredentials(**given), session or Session(clock=self.clock))
        self._made.append(made)
        return made

    def app(self, *, scopes: frozenset[str] = signin.ALL_SCOPES) -> dict[str, Any]:
        """Sign in as an app and return the credentials."""
        access, refresh = self.site.sign_ins.grant(scopes=scopes)
        return {"access_token": access, "refresh_token": refresh}

    def asked(self, part: str = "") -> int:
        """Return how many requests had this in their path."""
        return sum(part in request.path for request in self.site.asked)

    def forget(self) -> None:
        """Begin to count anew, and let everything go well."""
        self.site.asked.clear()
        self.site.faults.clear()

    def close(self) -> None:
        """Let go of the connectors."""
        for source in self._made:
            source.close()


def basic() -> dict[str, Any]:
    """Return the account with its API token."""
    return {"email": signin.EMAIL, "api_token": signin.API_TOKEN}


def personal() -> dict[str, Any]:
    """Return the token for Data Center."""
    return {"personal_token": signin.PERSONAL_TOKEN}


def listed(source: Confluence) -> dict[str, Item]:
    """List every scope to its end, and return the items by key; none comes twice."""
    found: dict[str, Item] = {}
    for scope in source.scopes():
        *items, last = source.listing(scope)
        assert not isinstance(last, Item), "a listing ends in Complete"
        for item in items:
            assert isinstance(item, Item)
            assert item.key not in found, item.key
            found[item.key] = item
    return found


def text(source: Confluence, item: Item) -> str:
    """Fetch an item and return its body as text."""
    content = source.fetch(item)
    return content.stream().read().decode()


def expected(site: Site, *keys: str, archived: bool = False) -> set[str]:
    """Return the ids of everything at the site that is to be read."""
    statuses = {"current", "archived"} if archived else {"current"}
    world, found = site.world, set()
    for one in world.contents.values():
        holder = world.holder(one)
        if (
            one.kind == "folder"
            or one.status not in statuses
            or holder is None
            or holder.status not in statuses
        ):
            continue
        space = world.spaces[one.space_id]
        named = space.key in keys if keys else (archived or space.status == "current")
        if named and world.may_view(signin.ADMIN, one):
            found.add(one.shown_id)
    return found


def recorded(name: str) -> dict[str, Any]:
    """Return the body of a recorded answer."""
    told = json.loads((DATA / "recorded-nango-ELv2" / f"{name}.json").read_text())
    body: dict[str, Any] = told["interactions"][0]["response"]["body"]
    return body


def recordings() -> Iterator[str]:
    """Yield the names of all recorded answers."""
    folder = DATA / "recorded-nango-ELv2"
    yield from sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else ()
