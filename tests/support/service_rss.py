"""A place of feeds: twenty of them, with their older pages, and the articles that they link to."""

from __future__ import annotations

import re
from typing import Any, ClassVar
from urllib.parse import urlsplit

from catchment.simulators.rss import Feed, Form, Post, Simulation
from connectors.rss.addresses import Place as FeedPlace
from tests.support.journey import Journey
from tests.support.service_places import ServicePlace, Shown, tokens_in

FEEDS = 20
FORMS: tuple[Form, ...] = ("rss", "atom", "json")
_WINDOW = 50


class FeedsPlace(ServicePlace):
    """Feeds show their newest entries: what leaves one stays in the index, unless Atom says it is gone."""

    slug: ClassVar[str] = "rss"
    listings: ClassVar[re.Pattern[str]] = re.compile(r"GET /feeds/.*")
    relists: ClassVar[bool] = False

    def __init__(self, journey: Journey, *, seed: int) -> None:
        self.site = Simulation(seed=seed)
        super().__init__(journey, self.site, seed=seed)
        self._left: list[tuple[Feed, Post]] = []
        self._url = ""

    def settings(self, url: str) -> tuple[dict[str, Any], None]:
        """Name every feed, and read the articles."""
        self._url = url
        first, *more = (f"{url}{feed.path}" for feed in self.site.feeds.values())
        return {"feed_url": first, "feed_urls": more, "full_text": True}, None

    # -- what people do -------------------------------------------------------------------------

    def populate(self, items: int) -> None:
        """As many in each feed."""
        for number in range(FEEDS):
            form = FORMS[number % len(FORMS)]
            feed = self.site.add_feed(f"feed-{number:02}", form=form, window=_WINDOW, paged=True)
            feed.brief = number % 4 == 0
            for _ in range(items // FEEDS):
                self._publish(feed)

    def _publish(self, feed: Feed) -> None:
        self.site.clock.advance(60)
        self.site.publish(feed.name, f"Gauge {self.token()} stands", self._body(), author="Ada Weir")

    def _body(self) -> str:
        return f"<p>{self.text()}</p><ul><li>{self.text()}</li></ul>"

    def pass_a_day(self) -> int:
        """New articles everywhere; some of those that are shown are edited, some get another address."""
        self.site.clock.advance(86_400)
        for feed in self.site.feeds.values():
            for _ in range(3):
                self._publish(feed)
            *edited, moved = self.rng.sample(feed.shown[3:], 5)
            for post in edited:
                self.site.edit(post, title=f"Weir {self.token()}", body=self._body())
            self.site.move(moved, f"/archive{moved.path}")
        # Another address is another version: the article behind it is read, and is the same.
        return FEEDS

    def take_away(self) -> int:
        """Articles leave every feed; of those that Atom had it is told, and they go."""
        self.site.clock.advance(86_400)
        for feed in self.site.feeds.values():
            gone, left = self.rng.sample(feed.shown, 2)
            if feed.form != "atom":
                self._left.append((feed, gone))
            self._left.append((feed, left))
            self.site.delete(gone)
            self.site.drop(left)
        return 0

    # -- what the index must hold ---------------------------------------------------------------

    def shown(self) -> dict[str, Shown]:
        """All that the feeds ever showed, but for what they say is gone."""
        posts = [(feed, post) for feed in self.site.feeds.values() for post in feed.posts]
        host = urlsplit(self._url).netloc
        return {
            f"{FeedPlace(f'{self._url}{feed.path}').id}:{post.guid}": Shown(
                f"{host}{post.path}", tokens_in(post.title, post.body)
            )
            for feed, post in (*posts, *self._left)
        }
