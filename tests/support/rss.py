"""Feeds in tests: connectors to the simulated site, and what an index of it must hold."""

from __future__ import annotations

import html
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from catchment.core.clock import SetClock
from catchment.core.items import Changed, Complete, Deleted, Item
from catchment.kit import FeedEvent, Session
from catchment.simulators.rss import Feed, Post, Simulation
from connectors.rss import RSS, RSSConfig, RSSCredentials
from connectors.rss.addresses import Place

MakeSource = Callable[..., RSS]


def source_of(
    url: str,
    *paths: str,
    credentials: RSSCredentials | None = None,
    session: Session | None = None,
    **settings: Any,
) -> RSS:
    """Return a connector to feeds, each a path of the site or a whole address."""
    first, *more = (path if "://" in path else f"{url}{path}" for path in paths)
    config = RSSConfig(feed_url=first, feed_urls=more, **settings)
    return RSS(config, credentials, session)


def read(source: RSS, cursor: str | None = None, *, scope: int = 0) -> tuple[list[FeedEvent], str]:
    """Read what changed in a feed, and return it with the mark that the reading ended in."""
    *events, last = source.changes(source.scopes()[scope], cursor)
    assert isinstance(last, Complete)
    assert last.mark is not None
    return events, last.mark


def items_in(events: Iterable[FeedEvent]) -> dict[str, Item]:
    """Return the items that were reported as changed, by title."""
    return {event.item.title or "": event.item for event in events if isinstance(event, Changed)}


def removed_in(events: Iterable[FeedEvent]) -> set[str]:
    """Return the keys that were reported as gone."""
    return {event.key for event in events if isinstance(event, Deleted)}


def key(url: str, feed: Feed, post: Post) -> str:
    """Return the key that an article must have."""
    return f"{Place(f'{url}{feed.path}').id}:{post.guid}"


def words_of(text: str) -> list[str]:
    """Return the words of a text, whatever its markup is."""
    return re.findall(r"\w+", html.unescape(re.sub(r"<[^>]*>", " ", text)))


def expected(
    url: str, feed: Feed, posts: Iterable[Post] | None = None, *, full_text: bool = False
) -> dict[str, list[str]]:
    """Return the words that the index must have of each article, by its key.

    A page has the author's name where it has more to say than the feed.
    """
    return {
        key(url, feed, post): words_of(
            f"{post.title} {_by(post) if full_text else ''} {_text(feed, post, full_text)}"
        )
        for post in (feed.posts if posts is None else posts)
    }


def _by(post: Post) -> str:
    return f"By {post.author}" if post.author else ""


def _text(feed: Feed, post: Post, full_text: bool) -> str:
    return post.body if full_text or not feed.brief else post.summary


def asked(site: Simulation) -> Counter[str]:
    """Return how many feeds and how many pages were asked for since the record was cleared."""
    return Counter("feed" if request.path.startswith("/feeds/") else "page" for request in site.asked)


class Waits:
    """A session whose waits pass at once, move its clock and are counted."""

    def __init__(self, clock: SetClock) -> None:
        self.clock = clock
        self.seconds: list[float] = []
        waits = self

        class Stop(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                waits.clock.advance(timeout or 0)
                return self.is_set()

        self.session = Session(clock=clock, stop=Stop(), on_wait=self._note)

    def _note(self, reason: str, seconds: float) -> None:
        if reason:
            self.seconds.append(seconds)
