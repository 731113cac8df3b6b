"""The simulated site: it answers as a web server does, and keeps its own history straight."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import httpx
import pytest

from catchment.simulators.rss import Form, Simulation

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def site() -> Simulation:
    return Simulation()


@pytest.fixture
def web(site: Simulation) -> Iterator[httpx.Client]:
    with site.serve() as url, httpx.Client(base_url=url, timeout=10) as client:
        yield client


def titles(response: httpx.Response) -> list[str]:
    """The titles of the entries of a feed, in its order."""
    if response.headers["content-type"].startswith("application/feed+json"):
        return [item["title"] for item in response.json()["items"]]
    root = ET.fromstring(response.content)
    entries = [one for one in root.iter() if one.tag.rpartition("}")[2] in ("item", "entry")]
    return [
        next(part.text or "" for part in entry if part.tag.rpartition("}")[2] == "title") for entry in entries
    ]


@pytest.mark.parametrize("form", ["rss", "rdf", "atom", "json"])
class TestEveryFormat:
    def test_the_newest_stand_first_and_pages_go_on(
        self, site: Simulation, web: httpx.Client, form: Form
    ) -> None:
        """As many as the window has; markup in titles is escaped."""
        feed = site.add_feed("f", form=form, window=2, paged=True)
        for number in range(5):
            site.publish("f", f"A <{number}> & b", "<p>x & y</p>")
        first, third = web.get(feed.path), web.get(feed.path, params={"page": 3})
        assert titles(first) == ["A <4> & b", "A <3> & b"]
        assert titles(third) == ["A <0> & b"]
        if form != "rdf":
            assert "page=2" in first.text.replace("\\/", "/")
            assert "page=4" not in third.text

    def test_a_condition_is_honoured_and_a_change_seen(
        self, site: Simulation, web: httpx.Client, form: Form
    ) -> None:
        """By ETag, by time, or by neither where the feed is so."""
        feed = site.add_feed("f", form=form)
        post = site.publish("f", "One", "<p>x</p>")
        got = web.get(feed.path)
        by_tag = {"If-None-Match": got.headers["etag"]}
        by_time = {"If-Modified-Since": got.headers["last-modified"]}
        assert parsedate_to_datetime(got.headers["last-modified"]).timestamp() == site.clock.now()
        assert [web.get(feed.path, headers=one).status_code for one in (by_tag, by_time)] == [304, 304]
        assert web.get(feed.path, headers=by_tag).content == b""
        site.clock.advance(60)
        site.edit(post, title="Two")
        assert [web.get(feed.path, headers=one).status_code for one in (by_tag, by_time)] == [200, 200]
        feed.etag = feed.modified = False
        got = web.get(feed.path)
        assert "etag" not in got.headers
        assert "last-modified" not in got.headers

    def test_the_same_acts_give_the_same_bytes(self, site: Simulation, web: httpx.Client, form: Form) -> None:
        """Also a second site, but for its address."""
        feed = site.add_feed("f", form=form, relative=True)
        site.publish("f", "One", "<p>x</p>", author="Ann", tags=("a",), enclosure="https://f.example/a.mp3")
        assert web.get(feed.path).content == web.get(feed.path).content


class TestLife:
    def test_what_is_deleted_is_gone_and_atom_says_so(self, site: Simulation, web: httpx.Client) -> None:
        """Page and entry; restored, both are back and nothing is said."""
        feed = site.add_feed("f", form="atom")
        post = site.publish("f", "One", "<p>x</p>")
        site.delete(post)
        assert web.get(post.path).status_code == 404
        text = web.get(feed.path).text
        assert (post.guid in text, "deleted-entry" in text, "<entry>" in text) == (True, True, False)
        site.restore(post, "f")
        assert web.get(post.path).status_code == 200
        assert "deleted-entry" not in web.get(feed.path).text.partition("<entry>")[0]

    def test_what_is_dropped_keeps_its_page(self, site: Simulation, web: httpx.Client) -> None:
        """The feed says nothing of it."""
        feed = site.add_feed("f", form="atom")
        post = site.publish("f", "One", "<p>x</p>")
        site.drop(post)
        assert web.get(post.path).status_code == 200
        assert post.guid not in web.get(feed.path).text

    def test_a_page_that_moves_keeps_its_identity(self, site: Simulation, web: httpx.Client) -> None:
        """The link is another one, the guid the same."""
        feed = site.add_feed("f")
        post = site.publish("f", "One", "<p>x</p>")
        old = post.path
        site.move(post, "/elsewhere")
        assert [web.get(path).status_code for path in (old, "/elsewhere")] == [404, 200]
        assert "/elsewhere" in web.get(feed.path).text

    def test_feeds_move_end_and_are_closed(self, site: Simulation, web: httpx.Client) -> None:
        """Redirects, 410, a web page in place of a feed, and a password."""
        feed = site.add_feed("f")
        old = feed.path
        site.move_feed("f", "/new", status=308)
        assert (web.get(old).status_code, web.get(old).headers["location"]) == (308, "/new")
        assert web.get("/new").status_code == 200
        feed.sign_in = ("ann", "secret")
        asked = web.get("/new")
        assert (asked.status_code, asked.headers["www-authenticate"]) == (401, 'Basic realm="f"')
        assert web.get("/new", auth=("ann", "wrong")).status_code == 401
        strange = {"Authorization": "Basic äöü".encode()}
        assert web.get("/new", headers=strange).status_code == 401
        assert web.get("/new", auth=("ann", "secret")).status_code == 200
        feed.sign_in, feed.as_page = None, True
        assert web.get("/new").text.startswith("<!DOCTYPE html>")
        feed.gone = 410
        assert web.get("/new").status_code == 410

    def test_the_home_page_names_the_feeds(self, site: Simulation, web: httpx.Client) -> None:
        """Not those that moved away."""
        site.add_feed("f", form="atom", title="A & b")
        site.add_feed("g", form="json")
        site.move_feed("g", "/g")
        page = web.get("/").text
        assert page.count('rel="alternate"') == 2
        assert 'type="application/atom+xml" title="A &amp; b" href="/feeds/f.atom"' in page

    def test_dates_lie_as_they_are_told_to(self, site: Simulation, web: httpx.Client) -> None:
        """Of the moment, of the future, in words, or none."""
        feed = site.add_feed("f")
        site.publish("f", "One", "<p>x</p>")
        site.clock.advance(86_400)

        def date() -> str:
            return web.get(feed.path).text.partition("<pubDate>")[2].partition("</pubDate>")[0]

        honest = parsedate_to_datetime(date()).timestamp()
        feed.dates = "now"
        assert parsedate_to_datetime(date()).timestamp() == honest + 86_400
        feed.dates = "future"
        assert parsedate_to_datetime(date()).timestamp() > honest + 300 * 86_400
        feed.dates = "wrong"
        assert date() == "the day before yesterday"
        feed.dates = "none"
        assert date() == ""

    def test_a_limit_is_told_with_the_wait(self, site: Simulation, web: httpx.Client) -> None:
        """And is over when the minute is."""
        site.requests_a_minute = 2
        answers = [web.get("/") for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        site.clock.advance(int(answers[2].headers["retry-after"]))
        assert web.get("/").status_code == 200
        assert web.post("/").status_code == 405


class TestDemo:
    def test_a_few_hundred_articles_the_same_for_a_seed(self) -> None:
        """In feeds of three formats, each with a text of its own."""

        def told(seed: int) -> list[tuple[str, str]]:
            return [(post.title, post.body) for post in Simulation.demo(seed).posts.values()]

        one = told(1)
        assert one == told(1) != told(2)
        assert len(one) == len(set(one)) == 240
        assert {feed.form for feed in Simulation.demo(1).feeds.values()} == {"rss", "atom", "json"}

    def test_it_says_how_to_connect(self) -> None:
        """Commands with whole addresses."""
        how = Simulation.demo(1).how_to_connect("http://127.0.0.1:1")
        assert how.startswith("catchment sync http://127.0.0.1:1/feeds/news.rss")
        assert "feed_urls=http://127.0.0.1:1/feeds/journal.atom,http://" in how


def test_json_is_a_json_feed(site: Simulation, web: httpx.Client) -> None:
    """With what the format asks of a feed and its items."""
    feed = site.add_feed("f", form="json")
    site.publish("f", "One", "<p>x</p>", author="Ann")
    told = json.loads(web.get(feed.path).content)
    assert told["version"] == "https://jsonfeed.org/version/1.1"
    assert {"id", "title", "url", "content_html", "authors"} <= set(told["items"][0])
