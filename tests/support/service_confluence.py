"""A place at Confluence: two spaces of pages, posts, comments and files."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, ClassVar

from catchment.simulators.confluence import Confluence
from catchment.simulators.confluence.signin import API_TOKEN, EMAIL
from catchment.simulators.confluence.world import Content
from tests.support.journey import Journey
from tests.support.service_places import ServicePlace, Shown, tokens_in

SPACES = ("ENG", "OPS")
_INNER_PAGES = 60
"""Pages of a space that others lie below."""


class ConfluencePlace(ServicePlace):
    """Of twenty items thirteen are pages, one is a post, four are comments and two are files."""

    slug: ClassVar[str] = "confluence"
    listings: ClassVar[re.Pattern[str]] = re.compile(
        r"GET /wiki/api/v2/(spaces(/\d+/(pages|blogposts))?|attachments|footer-comments|inline-comments)"
    )

    def __init__(self, journey: Journey, *, seed: int) -> None:
        self.site = Confluence(seed=seed)
        self.world = self.site.world
        super().__init__(journey, self.site, seed=seed)
        self._inner: dict[str, list[int]] = {}

    def settings(self, url: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Name both spaces."""
        return {"instance_url": url, "space_keys": list(SPACES)}, {"email": EMAIL, "api_token": API_TOKEN}

    # -- what people do -------------------------------------------------------------------------

    def populate(self, items: int) -> None:
        """Half of them in each space; its homepage is the first page."""
        for key in SPACES:
            home = self.world.add_space(key).homepage_id or 0
            self.world.edit(home, self._body())
            self._inner[key] = [home]
            for _ in range(items // 2 * 13 // 20 - 1):
                self.site.clock.advance(60)
                self._page(key)
            for _ in range(items // 2 // 20):
                self.site.clock.advance(3600)
                self.world.add_blogpost(key, f"News {self.token()}", self._body())
            holders = self._all("page", "blogpost")
            for number in range(items // 2 * 4 // 20):
                self._comment(self.rng.choice(holders), inline=number % 4 == 0)
            for _ in range(items // 2 * 2 // 20):
                self._attach(self.rng.choice(holders))

    def _body(self) -> str:
        return f"<p>{self.text()}</p><h2>Steps</h2><ul><li>{self.text()}</li></ul>"

    def _page(self, key: str) -> None:
        inner = self._inner[key]
        made = self.world.add_page(key, f"Gauge {self.token()}", self._body(), parent=self.rng.choice(inner))
        if len(inner) < _INNER_PAGES:
            inner.append(made)

    def _comment(self, on: Content, *, inline: bool = False) -> None:
        self.world.add_comment(on.id, f"<p>{self.text()}</p>", selection=self.token() if inline else "")

    def _attach(self, to: Content) -> None:
        self.world.attach(to.id, f"reading-{self.token()}.txt", f"{self.text()}\n".encode())

    def _all(self, *kinds: str) -> list[Content]:
        return [one for one in self.world.contents.values() if one.kind in kinds and one.status == "current"]

    def pass_a_day(self) -> int:
        """Edits, new versions of files, new pages and comments; pages renamed and moved with all below."""
        self.site.clock.advance(86_400)
        for one in self.rng.sample(self._all("page", "blogpost"), 80):
            self.world.edit(one.id, self._body())
        for one in self.rng.sample(self._all("attachment"), 15):
            self.world.attach(one.container_id or 0, one.title, f"{self.text()}\n".encode())
        for one in self.rng.sample(self._all("footer", "inline"), 15):
            self.world.edit(one.id, f"<p>{self.text()}</p>")
        for key in SPACES:
            for _ in range(15):
                self._page(key)
        for one in self.rng.sample(self._all("page", "blogpost"), 20):
            self._comment(one)
            self._attach(one)
        inner = [id_ for key in SPACES for id_ in self._inner[key]]
        for id_ in self.rng.sample(inner, 5):
            self.world.rename(id_, f"Weir {self.token()}")
        for one in self.rng.sample([one for one in self._all("page") if one.id not in inner], 15):
            # Within the space: into another one, a page may be taken for gone before it is found there.
            key = self.world.spaces[one.space_id].key
            self.world.move(one.id, parent=self.rng.choice(self._inner[key]))
        return 0

    def take_away(self) -> int:
        """Pages into the trash, and for good; what lay below moves up, what belonged to them goes along."""
        self.site.clock.advance(86_400)
        homes = {space.homepage_id for space in self.world.spaces.values()}
        pages = self.rng.sample([one for one in self._all("page") if one.id not in homes], 40)
        for one in pages[:30]:
            self.world.trash(one.id)
        for one in pages[30:]:
            self.world.purge(one.id)
        left = [one for one in self._all("footer", "inline", "attachment") if self._is_shown(one)]
        for one in self.rng.sample(left, 20):
            self.world.trash(one.id)
        return 0

    # -- what the index must hold ---------------------------------------------------------------

    def _is_shown(self, one: Content) -> bool:
        holder = self.world.holder(one)
        return one.status == "current" and holder is not None and holder.status == "current"

    def shown(self) -> dict[str, Shown]:
        """All that is current, and belongs to what is."""
        return {
            one.shown_id: Shown("/".join(self._path(one)), _tokens_of(one))
            for one in self.world.contents.values()
            if self._is_shown(one)
        }

    def _path(self, one: Content) -> list[str]:
        if one.container_id is not None:
            tail = ["comments", one.shown_id] if one.is_comment else [one.title]
            return [*self._path(self.world.contents[one.container_id]), *tail]
        key = self.world.spaces[one.space_id].key
        if one.kind == "blogpost":
            return [key, "blog", datetime.fromtimestamp(one.created, UTC).strftime("%Y-%m-%d"), one.title]
        return [key, *(above.title for above in reversed(self.world.chain(one)))]


def _tokens_of(one: Content) -> tuple[str, ...]:
    if one.kind == "attachment":
        return tokens_in(one.data.decode())
    return tokens_in(one.title, one.selection, one.body)
