"""Feeds under the control of the kit: one of Atom and one of JSON, with links to their older pages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any, ClassVar

from catchment.conformance import Ability, Setup, SimulatedWorld
from catchment.conformance.world import World
from catchment.simulators import faults
from catchment.simulators.rss import Form, Post, Simulation
from catchment.simulators.wire import Reply, Request
from connectors.rss import RSS, RSSConfig
from connectors.rss.mark import Mark

NAME = "news"
PATH = r"/feeds/news\.(atom|json)"
USER, PASSWORD = "ann", "canary-password-of-the-feed"
LATE_SECONDS = 60
YEAR_SECONDS = 365 * 86_400
TOO_LATE = "Tue, 01 Jan 2999 00:00:00 GMT"
NO_REFUSAL = "a server that no longer knows a mark sends the whole feed"
NO_RENEWAL = "a password does not end by itself, and nobody hands out another"
_NEXT = re.compile(rb'<link rel="next"[^>]*>')
_ENTRIES = re.compile(rb"<entry>.*</entry>", re.DOTALL)


class FeedWorld(SimulatedWorld):
    """What the kit makes are entries of a feed that has what was changed last in front."""

    connector = RSS
    listing_path = PATH
    address_setting = "feed_url"
    error_body = b"<html><body>The database is away.</body></html>"
    form: ClassVar[Form]
    full_text: ClassVar[bool]
    old_configs = (
        {"feed_url": "https://example.org/feed.xml"},
        {"feed_url": "https://example.org/a", "feed_urls": ["https://example.org/b"], "full_text": True},
    )
    simulator: Simulation

    def make_simulator(self) -> Simulation:
        site = Simulation()
        self.feed = site.add_feed(
            NAME, form=self.form, window=3, paged=True, by_change=True, sign_in=(USER, PASSWORD)
        )
        self._posts: dict[str, Post] = {}
        return site

    # -- the connector --------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        return {"feed_url": f"{self.url}{self.feed.path}", "full_text": self.full_text}

    def credentials(self) -> dict[str, Any]:
        return {"username": USER, "password": PASSWORD}

    # -- what is true, and what people do -------------------------------------------------------

    def truth(self) -> dict[str, str]:
        return {self._key(post): f"{post.title} {post.body[3:-4]}" for post in self.feed.posts}

    def _key(self, post: Post) -> str:
        return f"{RSSConfig(**self.config()).places[0].id}:{post.guid}"

    def key(self, name: str) -> str:
        return self._key(self._posts[name])

    def put(self, name: str, text: str) -> None:
        self._posts[name] = self.simulator.publish(NAME, name, f"<p>{text}</p>")

    def late(self, name: str, text: str) -> None:
        self.put(name, text)
        self._posts[name].published = self._posts[name].updated = self.clock.now() - LATE_SECONDS

    def edit(self, name: str, text: str) -> None:
        self.simulator.edit(self._posts[name], body=f"<p>{text}</p>")

    def rename(self, name: str, new: str) -> None:
        post = self._posts[new] = self._posts.pop(name)
        self.simulator.edit(post, title=new)
        self.simulator.move(post, f"/posts/{new}")

    def move(self, name: str) -> None:
        post = self._posts[name]
        self.simulator.edit(post)
        self.simulator.move(post, f"/archive{post.path}")

    # -- how it is read -------------------------------------------------------------------------

    def body_path(self, name: str) -> str:
        return re.escape(self._posts[name].path)

    def refusal(self, status: int) -> Any:
        return f"<html><body>{status}</body></html>".encode()

    def page_size(self, size: int) -> None:
        self.feed.window = size

    def least_requests(self, listed: int, read: int) -> int:
        return max(-(-listed // self.feed.window), 1) + (read if self.full_text else 0)

    def bad_token(self) -> Setup:
        return Setup(credentials={"username": USER, "password": "canary-of-nobody"})

    def missing_scope(self) -> Setup:
        self.listing_fault(faults.answer(403, self.refusal(403)))
        return Setup()

    def wrong_setting(self) -> Setup:
        return Setup({**self.config(), "feed_url": f"{self.url}/feeds/none.atom"})

    def repeat_cursor(self) -> None:
        self.change_pages(lambda request, reply: self.changed(reply, next=request.link()))

    def empty_page(self) -> None:
        def emptied(request: Request, reply: Reply) -> Reply:
            # The next page is what this one should have been, at another address.
            return self.changed(reply, next=request.link(again="yes"), is_empty=True)

        self.change_pages(emptied, skip=1, times=1)

    def drop_next(self) -> None:
        self.change_pages(lambda _, reply: self.changed(reply, next=""))

    def changed(self, reply: Reply, *, next: str, is_empty: bool = False) -> Reply:
        """Return a page that links to another one, or to none, and may show nothing."""
        raise NotImplementedError

    def future_cursor(self) -> str:
        meaning = RSSConfig(**self.config()).meaning
        return Mark(meaning, modified=TOO_LATE, whole_at=self.clock.now() + YEAR_SECONDS).text()


class ArticlesWorld(FeedWorld):
    """A feed of Atom, which tells what was removed; entries are read on the pages that they link to."""

    form = "atom"
    full_text = True
    cannot: ClassVar[Mapping[Ability, str]] = {
        Ability.BIG: "of a page of more than 8 MiB the feed's own text is taken",
        Ability.EXPIRE_TOKEN: NO_RENEWAL,
        Ability.EXPIRE_CURSORS: NO_REFUSAL,
    }

    def remove(self, name: str) -> None:
        self.simulator.delete(self._posts[name])

    def restore(self, name: str) -> None:
        self.simulator.restore(self._posts[name], NAME)

    def changed(self, reply: Reply, *, next: str, is_empty: bool = False) -> Reply:
        if isinstance(reply.body, bytes):
            link = f'<link rel="next" href="{escape(next)}"/>'.encode() if next else b""
            body = _NEXT.sub(lambda _: link, reply.body)
            reply.body = _ENTRIES.sub(b"", body) if is_empty else body
            reply.headers.pop("ETag", None)
        return reply


class TextsWorld(FeedWorld):
    """A feed of JSON; entries are read as it brings them."""

    form = "json"
    full_text = False
    cannot: ClassVar[Mapping[Ability, str]] = {
        Ability.BIG: "a text comes within its feed, of which 8 MiB are read",
        Ability.FAIL_BODY: "a text comes within its feed",
        Ability.REMOVE: "JSON Feed has no word for what was removed, and absence from a feed means nothing",
        Ability.EXPIRE_TOKEN: NO_RENEWAL,
        Ability.EXPIRE_CURSORS: NO_REFUSAL,
    }
    fail_body = World.fail_body

    def changed(self, reply: Reply, *, next: str, is_empty: bool = False) -> Reply:
        if isinstance(reply.body, bytes):
            told = json.loads(reply.body)
            told.pop("next_url", None)
            told |= ({"next_url": next} if next else {}) | ({"items": []} if is_empty else {})
            reply.body = json.dumps(told).encode()
            reply.headers.pop("ETag", None)
        return reply
