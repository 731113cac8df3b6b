"""A small site with articles and feeds of them, as RSS 2.0, RSS 1.0, Atom and JSON Feed.

site = Simulation()
site.add_feed("news", form="rss", window=10)
post = site.publish("news", "Gate opened", "<p>The relief gate was opened at noon.</p>")
site.edit(post, body="<p>It was closed again.</p>")
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlencode

from catchment.simulators.server import Simulator
from catchment.simulators.wire import Reply, Request

Form = Literal["rss", "rdf", "atom", "json"]
Dates = Literal["true", "now", "future", "none", "wrong"]
_TYPES: dict[Form, str] = {
    "rss": "application/rss+xml",
    "rdf": "application/rdf+xml",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
}
_ENDINGS: dict[Form, str] = {"rss": "rss", "rdf": "rdf", "atom": "atom", "json": "json"}
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_AGENCY = "https://site.example"
_TAGS = re.compile(r"<[^>]*>")


@dataclass(slots=True)
class Post:
    """One article.

    Attributes:
        number: Counts up.
        guid: Identity in the feeds; empty for none.
        title: Plain text.
        body: HTML: what the article's page says.
        author: Name; empty for none.
        tags: Categories.
        published: POSIX seconds.
        updated: POSIX seconds of the last edit.
        path: Where its page is; empty for none.
        enclosure: Address of a file that comes with it; empty for none.
        stamp: Counts up with every edit at the site.
    """

    number: int
    guid: str
    title: str
    body: str
    author: str
    tags: tuple[str, ...]
    published: float
    updated: float
    path: str
    enclosure: str = ""
    stamp: int = 0

    @property
    def summary(self) -> str:
        """The beginning of the text, as feeds that bring no more have it."""
        words = html.unescape(_TAGS.sub(" ", self.body)).split()
        return " ".join(words[:12])


@dataclass(slots=True)
class Feed:
    """One feed.

    Attributes:
        name: What the site calls it.
        form: Its format.
        title: Plain text.
        path: Where it is.
        window: Entries on a page, the newest.
        paged: Whether it links to pages with the older ones.
        by_change: Whether what was changed last comes first, as many feeds of Atom have it.
        brief: Whether it brings the beginnings of texts only.
        etag: Whether it tells an ETag and honours one.
        modified: Whether it tells and honours a time of the last change.
        dates: ``now`` dates everything by the moment of the request, ``future`` a year ahead, ``wrong``
            writes nonsense, ``none`` nothing.
        relative: Whether links are relative, to an ``xml:base`` where the format has one.
        charset: Encoding of the XML.
        posts: The articles in it, the oldest first.
        tombstones: Guids of articles that were taken away, told by Atom.
        moved: Status and address of a redirect.
        gone: Status in place of an answer, 404 or 410.
        as_page: Whether a web page is answered instead.
        sign_in: User name and password that are asked for.
    """

    name: str
    form: Form
    title: str
    path: str
    window: int = 20
    paged: bool = False
    by_change: bool = False
    brief: bool = False
    etag: bool = True
    modified: bool = True
    dates: Dates = "true"
    relative: bool = False
    charset: str = "utf-8"
    posts: list[Post] = field(default_factory=list)
    tombstones: list[str] = field(default_factory=list)
    moved: tuple[int, str] | None = None
    gone: int | None = None
    as_page: bool = False
    sign_in: tuple[str, str] | None = None

    @property
    def shown(self) -> list[Post]:
        """The articles on its first page, the newest first."""
        return self.posts[::-1][: self.window]


class Simulation(Simulator):
    """The site."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.feeds: dict[str, Feed] = {}
        self.posts: dict[str, Post] = {}
        self.requests_a_minute: int | None = None
        self._number = self._stamp = 0
        self._minute = (0, 0)

    # -- the site's own acts ----------------------------------------------------------------------

    def add_feed(self, name: str, *, form: Form = "rss", title: str = "", **facts: Any) -> Feed:
        """Open a feed at ``/feeds/<name>.<format>``."""
        with self.lock:
            path = f"/feeds/{name}.{_ENDINGS[form]}"
            feed = Feed(name, form, title or f"The {name} of the site", path, **facts)
            self.feeds[name] = feed
            return feed

    def publish(self, feed: str, title: str, body: str, **facts: Any) -> Post:
        """Write an article and put it into a feed."""
        with self.lock:
            self._number += 1
            now = self.clock.now()
            usual = {
                "guid": f"tag:site.example,2025:{self._number}",
                "author": "",
                "tags": (),
                "path": f"/posts/{self._number}-{_slug(title)}",
                "published": now,
                "updated": now,
            }
            post = Post(self._number, title=title, body=body, **{**usual, **facts})
            self.feeds[feed].posts.append(post)
            if post.path:
                self.posts[post.path] = post
            return post

    def share(self, post: Post, feed: str) -> None:
        """Put an article into another feed as well."""
        with self.lock:
            self.feeds[feed].posts.append(post)

    def edit(self, post: Post, **facts: Any) -> None:
        """Change an article."""
        with self.lock:
            for name, value in facts.items():
                setattr(post, name, value)
            self._stamp += 1
            post.updated, post.stamp = self.clock.now(), self._stamp

    def move(self, post: Post, path: str) -> None:
        """Give an article's page another address; its identity stays."""
        with self.lock:
            self.posts.pop(post.path, None)
            post.path = path
            self.posts[path] = post

    def drop(self, post: Post) -> None:
        """Let an article leave its feeds without a word; its page stays."""
        with self.lock:
            for feed in self.feeds.values():
                feed.posts = [one for one in feed.posts if one is not post]

    def delete(self, post: Post) -> None:
        """Take an article and its page away; Atom feeds that had it tell so."""
        with self.lock:
            for feed in self.feeds.values():
                if post in feed.posts and feed.form == "atom":
                    feed.tombstones.append(post.guid)
            self.drop(post)
            self.posts.pop(post.path, None)

    def restore(self, post: Post, feed: str) -> None:
        """Bring an article back."""
        with self.lock:
            self.feeds[feed].posts.append(post)
            self.posts[post.path] = post
            for one in self.feeds.values():
                one.tombstones = [guid for guid in one.tombstones if guid != post.guid]

    def move_feed(self, name: str, path: str, *, status: int = 301) -> None:
        """Let a feed answer at another path, and redirect from where it was."""
        with self.lock:
            feed = self.feeds[name]
            old = Feed(f"{name} (old)", feed.form, feed.title, feed.path, moved=(status, path))
            self.feeds[old.name] = old
            feed.path = path

    # -- the site's answers ------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        """Answer as a web server does."""
        if (busy := self._busy()) is not None:
            return busy
        if request.method not in ("GET", "HEAD"):
            return Reply(
                405, b"<html><body>Method Not Allowed</body></html>", {**_HTML, "Allow": "GET, HEAD"}
            )
        if request.path == "/":
            return Reply(200, self._home(request).encode(), dict(_HTML))
        for feed in self.feeds.values():
            if feed.path == request.path:
                return self._feed(feed, request)
        post = self.posts.get(request.path)
        if post is not None:
            return Reply(200, self._page(post).encode(), dict(_HTML))
        return Reply(404, b"<html><body><h1>Not Found</h1></body></html>", dict(_HTML))

    def _busy(self) -> Reply | None:
        if self.requests_a_minute is None:
            return None
        minute = int(self.clock.now() // 60)
        self._minute = (minute, self._minute[1] + 1 if self._minute[0] == minute else 1)
        if self._minute[1] <= self.requests_a_minute:
            return None
        rest = 60 - int(self.clock.now() % 60)
        return Reply(429, b"Too Many Requests", {"Content-Type": "text/plain", "Retry-After": str(rest)})

    def _feed(self, feed: Feed, request: Request) -> Reply:
        if feed.gone is not None:
            return Reply(feed.gone, b"<html><body>This feed is gone.</body></html>", dict(_HTML))
        if feed.moved is not None:
            return Reply(feed.moved[0], b"", {"Location": feed.moved[1], **_HTML})
        if feed.sign_in is not None and not _may(request, feed.sign_in):
            wanted = {"WWW-Authenticate": f'Basic realm="{feed.name}"'}
            return Reply(401, b"<html><body>Sign in.</body></html>", {**wanted, **_HTML})
        if feed.as_page:
            return Reply(200, self._home(request).encode(), dict(_HTML))
        page = int(request.query.get("page", "1"))
        body = self._document(feed, page, request).encode(feed.charset, "xmlcharrefreplace")
        headers = {"Content-Type": f"{_TYPES[feed.form]}; charset={feed.charset}"}
        changed = max((post.updated for post in feed.posts), default=0.0)
        if feed.etag:
            headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if feed.modified:
            headers["Last-Modified"] = format_datetime(_moment(changed), usegmt=True)
        if _is_unchanged(request, headers):
            return Reply(304, None, headers)
        return Reply(200, body, headers)

    def _document(self, feed: Feed, page: int, request: Request) -> str:
        newest = feed.posts[::-1]
        if feed.by_change:
            newest.sort(key=lambda post: (-post.updated, -post.stamp))
        posts = newest[(page - 1) * feed.window : page * feed.window]
        older = ""
        if feed.paged and len(newest) > page * feed.window:
            older = f"{request.base_url}{feed.path}?{urlencode({'page': page + 1})}"
        write = {"rss": self._rss, "rdf": self._rdf, "atom": self._atom, "json": self._json}[feed.form]
        return write(feed, posts, older, request.base_url)

    def _rss(self, feed: Feed, posts: list[Post], older: str, base: str) -> str:
        link = f'<atom:link rel="next" href="{_x(older)}"/>' if older else ""
        return (
            f'<?xml version="1.0" encoding="{feed.charset}"?>\n'
            '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" '
            'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
            f"<title>{_x(feed.title)}</title><link>{base}/</link><description>{_x(feed.title)}</description>"
            f"{link}{''.join(self._rss_item(feed, post, base) for post in posts)}</channel></rss>\n"
        )

    def _rss_item(self, feed: Feed, post: Post, base: str) -> str:
        date = self._date(feed, post.published)
        parts = [f"<title>{_x(post.title)}</title>"]
        if post.path:
            parts.append(f"<link>{_x(self._link(feed, post, base))}</link>")
        if post.guid:
            parts.append(f'<guid isPermaLink="false">{_x(post.guid)}</guid>')
        parts.append(f"<description>{_x(html.escape(post.summary, quote=False))}</description>")
        if not feed.brief:
            parts.append(f"<content:encoded>{_x(post.body)}</content:encoded>")
        if post.author:
            parts.append(f"<dc:creator>{_x(post.author)}</dc:creator>")
        parts += [f"<category>{_x(tag)}</category>" for tag in post.tags]
        if date is not None:
            told = date if isinstance(date, str) else format_datetime(_moment(date), usegmt=True)
            parts.append(f"<pubDate>{told}</pubDate>")
        if post.enclosure:
            parts.append(f'<enclosure url="{_x(post.enclosure)}" length="1" type="audio/mpeg"/>')
        return f"<item>{''.join(parts)}</item>"

    def _rdf(self, feed: Feed, posts: list[Post], older: str, base: str) -> str:  # noqa: ARG002
        items = "".join(
            f'<item rdf:about="{_x(self._link(feed, post, base))}"><title>{_x(post.title)}</title>'
            f"<link>{_x(self._link(feed, post, base))}</link><description>{_x(post.body)}</description>"
            f"<dc:date>{_moment(post.updated).isoformat()}</dc:date></item>"
            for post in posts
        )
        return (
            f'<?xml version="1.0" encoding="{feed.charset}"?>\n'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f'<channel rdf:about="{base}/"><title>{_x(feed.title)}</title><link>{base}/</link></channel>'
            f"{items}</rdf:RDF>\n"
        )

    def _atom(self, feed: Feed, posts: list[Post], older: str, base: str) -> str:
        links = f'<link rel="next" href="{_x(older)}"/>' if older else ""
        stones = "".join(
            f'<at:deleted-entry ref="{_x(guid)}" when="{_moment(self.clock.now()).isoformat()}"/>'
            for guid in feed.tombstones
        )
        where = f' xml:base="{base}/"' if feed.relative else ""
        return (
            f'<?xml version="1.0" encoding="{feed.charset}"?>\n'
            f'<feed xmlns="http://www.w3.org/2005/Atom" '
            f'xmlns:at="http://purl.org/atompub/tombstones/1.0"{where}>'
            f"<id>{_AGENCY}/{feed.name}</id><title>{_x(feed.title)}</title>{links}{stones}"
            f"{''.join(self._atom_entry(feed, post, base) for post in posts)}</feed>\n"
        )

    def _atom_entry(self, feed: Feed, post: Post, base: str) -> str:
        parts = [f"<id>{_x(post.guid)}</id><title>{_x(post.title)}</title>"]
        for name, seconds in (("published", post.published), ("updated", post.updated)):
            date = self._date(feed, seconds)
            if date is not None:
                told = date if isinstance(date, str) else _moment(date).isoformat()
                parts.append(f"<{name}>{told}</{name}>")
        if post.path:
            parts.append(f'<link rel="alternate" href="{_x(self._link(feed, post, base))}"/>')
        if post.enclosure:
            parts.append(f'<link rel="enclosure" type="audio/mpeg" href="{_x(post.enclosure)}"/>')
        if post.author:
            parts.append(f"<author><name>{_x(post.author)}</name></author>")
        parts += [f'<category term="{_x(tag)}"/>' for tag in post.tags]
        parts.append(f"<summary>{_x(post.summary)}</summary>")
        if not feed.brief:
            parts.append(f'<content type="html">{_x(post.body)}</content>')
        return f"<entry>{''.join(parts)}</entry>"

    def _json(self, feed: Feed, posts: list[Post], older: str, base: str) -> str:
        told: dict[str, Any] = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "home_page_url": f"{base}/",
            "items": [self._json_item(feed, post, base) for post in posts],
        }
        if older:
            told["next_url"] = older
        return json.dumps(told, ensure_ascii=False)

    def _json_item(self, feed: Feed, post: Post, base: str) -> dict[str, Any]:
        item: dict[str, Any] = {"id": post.guid, "title": post.title, "summary": post.summary}
        if not feed.brief:
            item["content_html"] = post.body
        if post.path:
            item["url"] = self._link(feed, post, base)
        if post.author:
            item["authors"] = [{"name": post.author}]
        if post.tags:
            item["tags"] = list(post.tags)
        for name, seconds in (("date_published", post.published), ("date_modified", post.updated)):
            date = self._date(feed, seconds)
            if date is not None:
                item[name] = date if isinstance(date, str) else _moment(date).isoformat()
        if post.enclosure:
            item["attachments"] = [{"url": post.enclosure, "mime_type": "audio/mpeg"}]
        return item

    def _date(self, feed: Feed, seconds: float) -> float | str | None:
        """Return what the feed says of a moment."""
        told: dict[Dates, float | str | None] = {
            "true": seconds,
            "now": self.clock.now(),
            "future": seconds + 366 * 86_400,
            "wrong": "the day before yesterday",
            "none": None,
        }
        return told[feed.dates]

    def _link(self, feed: Feed, post: Post, base: str) -> str:
        return post.path if feed.relative else f"{base}{post.path}"

    def _home(self, request: Request) -> str:
        links = "".join(
            f'<link rel="alternate" type="{_TYPES[feed.form]}" title="{_x(feed.title)}" href="{feed.path}">'
            for feed in self.feeds.values()
            if feed.moved is None and not feed.as_page
        )
        listed = "".join(
            f'<li><a href="{path}">{_x(post.title)}</a></li>' for path, post in self.posts.items()
        )
        return (
            f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>The site</title>{links}'
            f'<link rel="canonical" href="{request.base_url}/"></head>'
            f"<body><h1>The site</h1><ul>{listed}</ul></body></html>"
        )

    def _page(self, post: Post) -> str:
        by = f'<p class="by">By {_x(post.author)}</p>' if post.author else ""
        return (
            f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{_x(post.title)} - The site</title>'
            '<script>var tracker = "visitors";</script></head><body>'
            '<nav><a href="/">Start page</a> <a href="/imprint">Imprint</a></nav>'
            f"<article><h1>{_x(post.title)}</h1>{by}{post.body}</article>"
            "<footer>Subscribe to our newsletter for more</footer></body></html>"
        )

    # -- a site to try -----------------------------------------------------------------------------

    @classmethod
    def demo(cls, seed: int = 0) -> Simulation:
        """Return a site with 240 articles in four feeds of all formats."""
        site = cls(seed=seed)
        words = random.Random(seed)  # noqa: S311 - no secret
        site.add_feed("news", form="rss", title="News from the river", window=30, paged=True)
        site.add_feed("journal", form="atom", title="Journal of the wardens", window=25, paged=True)
        site.add_feed("bulletin", form="json", title="Water bulletin", window=40, paged=True)
        site.add_feed("papers", form="rss", title="Papers, in brief", window=60, brief=True)
        for number in range(240):
            site.clock.advance(words.randrange(1800, 14_400))
            name = ("news", "journal", "bulletin", "papers")[number % 4]
            title, body = _article(words, number)
            site.publish(
                name, title, body, author=words.choice(_PEOPLE), tags=tuple(words.sample(_SUBJECTS, 2))
            )
        return site

    def how_to_connect(self, url: str) -> str:
        """Return what to type to sync from this site."""
        feeds = [f"{url}{feed.path}" for feed in self.feeds.values() if feed.moved is None]
        lines = [f"catchment sync {feeds[0]}"] if feeds else []
        if len(feeds) > 1:
            more = ",".join(feeds[1:])
            lines += [
                "",
                "All feeds, and the pages that they link to:",
                f"catchment connector add rss --name site --set feed_url={feeds[0]} "
                f"--set feed_urls={more} --set full_text=true",
                "catchment sync site",
            ]
        return "\n".join(lines)


def _may(request: Request, sign_in: tuple[str, str]) -> bool:
    told = base64.b64encode(":".join(sign_in).encode()).decode()
    given = request.headers.get("authorization", "")
    return hmac.compare_digest(given.encode("utf-8", "replace"), f"Basic {told}".encode())


def _is_unchanged(request: Request, headers: dict[str, str]) -> bool:
    """Whether the client has this already; an ETag counts more than a time."""
    asked = request.headers.get("if-none-match")
    if asked is not None and "ETag" in headers:
        return headers["ETag"] in [tag.strip().removeprefix("W/") for tag in asked.split(",")]
    since = request.headers.get("if-modified-since")
    if since is None or "Last-Modified" not in headers:
        return False
    return parsedate_to_datetime(since) >= parsedate_to_datetime(headers["Last-Modified"])


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _x(text: str) -> str:
    return html.escape(text, quote=True)


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "post"


_PEOPLE = ("Ada Weir", "Bram Sluis", "Chidi Okoro", "Dina Rossi", "Emil Novak", "Farah Haddad")
_SUBJECTS = ("gauges", "locks", "herons", "floods", "sampling", "sluices", "ice", "eels", "mills")
_THINGS = ("the north gauge", "the relief gate", "the eel ladder", "the mill weir", "the lower lock")
_ACTS = ("was read twice", "was repaired", "stood dry", "was opened at dawn", "was measured again")
_TIMES = ("before the frost", "after the storm", "in the second week", "at low water", "during the count")
_REASONS = (
    "because the sensor drifted",
    "since the bank had slipped",
    "as the plan of the wardens asks",
    "for the heron survey",
)


def _sentences(words: random.Random, count: int) -> Iterator[str]:
    for _ in range(count):
        thing, act = words.choice(_THINGS), words.choice(_ACTS)
        sentence = f"{thing} {act} {words.choice(_TIMES)}, {words.choice(_REASONS)}."
        yield sentence[0].upper() + sentence[1:]


def _article(words: random.Random, number: int) -> tuple[str, str]:
    """Make an article up: a title with a number of its own, and some paragraphs with a heading and a list."""
    subject = words.choice(_SUBJECTS)
    title = f"Report {number + 1}: {subject} {words.choice(_TIMES)}"
    paragraphs = "".join(f"<p>{' '.join(_sentences(words, words.randrange(2, 6)))}</p>" for _ in range(3))
    listed = "".join(f"<li>{sentence}</li>" for sentence in _sentences(words, 3))
    return title, f"{paragraphs}<h2>Measured</h2><ul>{listed}</ul>"
