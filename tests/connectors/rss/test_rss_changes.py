"""What a feed reports against its mark: new, different, taken away, missed, and what it says by mistake."""

from __future__ import annotations

import json
import re

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import SourceDown
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.rss import Form, Simulation
from catchment.simulators.wire import Reply, Request
from connectors.rss.following import MOST_IDLE_PAGES
from connectors.rss.mark import MOST_ENTRIES, Mark
from tests.support.rss import MakeSource, items_in, key, read, removed_in

DAY = 86_400.0
FORMS: tuple[Form, ...] = ("rss", "atom", "json", "rdf")


def fill(site: Simulation, count: int, feed: str = "news") -> None:
    """Publish some articles, one an hour."""
    for number in range(count):
        site.clock.advance(3600)
        site.publish(feed, f"Article {number}", f"<p>The gauge read {number}.</p>")


@pytest.mark.parametrize("form", FORMS)
class TestEveryFormat:
    def test_new_and_edited_are_reported_once(
        self, site: Simulation, url: str, make_source: MakeSource, form: Form
    ) -> None:
        """By the same key; and nothing else."""
        feed = site.add_feed("news", form=form)
        fill(site, 5)
        source = make_source(feed.path)
        events, mark = read(source)
        first = items_in(events)
        assert set(first) == {f"Article {number}" for number in range(5)}
        site.edit(feed.posts[1], body="<p>The gauge was read again.</p>")
        site.publish("news", "New", "<p>x</p>")
        events, mark = read(source, mark)
        second = items_in(events)
        assert set(second) == {"Article 1", "New"}
        assert second["Article 1"].key == first["Article 1"].key
        assert second["Article 1"].version != first["Article 1"].version
        assert read(source, mark) == ([], mark)

    @pytest.mark.parametrize("window", [1, 2, 7, 8])
    def test_pages_of_any_size_hold_the_same(
        self, site: Simulation, make_source: MakeSource, form: Form, window: int
    ) -> None:
        """Each entry once, whatever the page; where there are no pages, the newest alone."""
        feed = site.add_feed("news", form=form, window=window, paged=True)
        fill(site, 7)
        events, _ = read(make_source(feed.path))
        assert len(events) == (min(window, 7) if form == "rdf" else 7)
        assert len(items_in(events)) == len(events)

    def test_dates_that_lie_change_nothing(
        self, site: Simulation, make_source: MakeSource, form: Form, clock: SetClock
    ) -> None:
        """Dated by the moment of each request, a year ahead, not at all, or in words."""
        feed = site.add_feed("news", form=form)
        fill(site, 3)
        source = make_source(feed.path)
        _, mark = read(source)
        for dates in ("now", "future", "none", "wrong", "now"):
            clock.advance(DAY)
            feed.dates = dates  # type: ignore[assignment]
            events, mark = read(source, mark)
            assert events == [], dates
        feed.dates = "future"
        events, _ = read(make_source(feed.path))
        assert {item.created_at for item in items_in(events).values()} <= (
            {None} if form != "rdf" else {post.updated for post in feed.posts} | {None}
        )


class TestHistory:
    def test_older_pages_are_read_at_first_only(self, site: Simulation, make_source: MakeSource) -> None:
        """One request for each page, then one for all."""
        feed = site.add_feed("news", window=5, paged=True)
        fill(site, 23)
        source = make_source(feed.path)
        events, mark = read(source)
        assert (len(events), len(site.asked)) == (23, 5)
        site.asked.clear()
        site.publish("news", "New", "<p>x</p>")
        assert set(items_in(read(source, mark)[0])) == {"New"}
        assert len(site.asked) == 1

    def test_entries_that_were_missed_are_found_on_older_pages(
        self, site: Simulation, make_source: MakeSource
    ) -> None:
        """As far as something is known again."""
        feed = site.add_feed("news", window=5, paged=True)
        fill(site, 30)
        source = make_source(feed.path)
        _, mark = read(source)
        fill(site, 12)
        site.asked.clear()
        assert len(read(source, mark)[0]) == 12
        assert len(site.asked) == 3

    def test_they_are_left_where_a_person_wants_none(self, site: Simulation, make_source: MakeSource) -> None:
        """The first page alone."""
        feed = site.add_feed("news", window=5, paged=True)
        fill(site, 23)
        assert len(read(make_source(feed.path, history=False))[0]) == 5

    def test_an_older_page_that_fails_leaves_the_mark(
        self, site: Simulation, make_source: MakeSource
    ) -> None:
        """What was read before counts, and the next run reads on; one that is not there is the end."""
        feed = site.add_feed("news", window=5, paged=True)
        fill(site, 12)
        source = make_source(feed.path)
        site.faults.add(Fault(faults.answer(500), query={"page": "3"}))
        seen = []
        with pytest.raises(SourceDown):
            for event in source.changes(source.scopes()[0], None):
                seen.append(event)
        assert len(seen) == 10
        site.faults.clear()
        site.faults.add(Fault(faults.answer(404), query={"page": "3"}))
        assert len(read(source)[0]) == 10

    def test_pages_that_go_round_end(self, site: Simulation, url: str, make_source: MakeSource) -> None:
        """A page that names itself, and pages without end that show what was there."""
        feed = site.add_feed("news", window=5, paged=True)
        fill(site, 12)

        def circle(request: Request, reply: Reply) -> None:
            reply.body = reply.content().replace(b"page=3", b"page=2")

        site.faults.add(Fault(faults.changed(circle)))
        site.asked.clear()
        source = make_source(feed.path)
        events, mark = read(source)
        assert (len(events), len(site.asked)) == (10, 2)
        pages = iter(range(2, 1000))

        def endless(_: Request, reply: Reply) -> None:
            reply.body = re.sub(rb"page=\d+", b"page=%d" % next(pages), first.content())

        first = site.answer(Request.of("GET", feed.path, {}, b"", url))
        site.faults.clear()
        site.faults.add(Fault(faults.changed(endless)))
        site.asked.clear()
        assert len(read(make_source(feed.path))[0]) == 5
        assert len(site.asked) == 1 + MOST_IDLE_PAGES
        site.faults.clear()
        site.publish("news", "New", "<p>x</p>")
        assert len(items_in(read(source, mark)[0])) == 3, "what lies behind is found once the links are right"

    def test_links_to_older_pages_that_come_later_are_followed_whole(
        self, site: Simulation, make_source: MakeSource
    ) -> None:
        """And once: then a page that shows something as it was is the end again."""
        feed = site.add_feed("news", window=5)
        fill(site, 23)
        source = make_source(feed.path)
        _, mark = read(source)
        feed.paged = True
        site.publish("news", "New", "<p>x</p>")
        events, mark = read(source, mark)
        assert len(events) == 19
        site.asked.clear()
        site.publish("news", "Newer", "<p>x</p>")
        assert len(read(source, mark)[0]) == 1
        assert len(site.asked) == 1

    def test_edits_that_do_not_fit_a_page_are_followed(
        self, site: Simulation, make_source: MakeSource
    ) -> None:
        """Where what was changed last comes first: as far as the mark remembers, and no further."""
        feed = site.add_feed("news", window=5, paged=True, by_change=True)
        fill(site, 60)
        source = make_source(feed.path)
        _, mark = read(source)
        for post in feed.posts[-12:]:
            site.edit(post, body="<p>otherwise</p>")
        site.asked.clear()
        events, mark = read(source, mark)
        assert (len(events), len(site.asked)) == (12, 3)
        for post in feed.posts:
            site.edit(post, body="<p>again otherwise</p>")
        site.asked.clear()
        read(source, mark)
        assert len(site.asked) == 5, "of a small feed twenty entries are remembered"

    def test_what_moves_to_the_next_page_meanwhile_is_reported_once(
        self, site: Simulation, make_source: MakeSource
    ) -> None:
        """A new entry between two requests pushes one over the edge."""
        feed = site.add_feed("news", window=5, paged=True)
        fill(site, 12)
        new = faults.meanwhile(lambda: site.publish("news", "Meanwhile", "<p>x</p>"))
        site.faults.add(Fault(new, query={"page": "2"}, times=1))
        source = make_source(feed.path)
        events, mark = read(source)
        assert (len(events), len(items_in(events))) == (12, 12)
        assert set(items_in(read(source, mark)[0])) == {"Meanwhile"}


class TestTakenAway:
    def test_a_tombstone_removes_and_silence_does_not(
        self, site: Simulation, url: str, make_source: MakeSource
    ) -> None:
        """And what comes back is reported again."""
        feed = site.add_feed("news", form="atom")
        fill(site, 5)
        source = make_source(feed.path)
        _, mark = read(source)
        dropped, deleted = feed.posts[1], feed.posts[2]
        site.drop(dropped)
        site.delete(deleted)
        events, mark = read(source, mark)
        assert (items_in(events), removed_in(events)) == ({}, {key(url, feed, deleted)})
        site.restore(deleted, "news")
        site.restore(dropped, "news")
        assert set(items_in(read(source, mark)[0])) == {"Article 2"}

    def test_a_feed_that_is_empty_for_a_while_loses_nothing(
        self, site: Simulation, make_source: MakeSource
    ) -> None:
        """Nor is all of it new afterwards."""
        feed = site.add_feed("news")
        fill(site, 5)
        source = make_source(feed.path)
        _, mark = read(source)
        posts, feed.posts = feed.posts, []
        events, mark = read(source, mark)
        assert events == []
        feed.posts = posts
        assert read(source, mark)[0] == []


class TestMark:
    def test_other_settings_ask_for_another_look(self, site: Simulation, make_source: MakeSource) -> None:
        """What was left out before may be wanted now; the server is asked without a condition."""
        feed = site.add_feed("news")
        fill(site, 5)
        _, mark = read(make_source(feed.path))
        for settings in ({"exclude": ["x"]}, {"full_text": True}, {"max_age_days": 3}):
            assert len(read(make_source(feed.path, **settings), mark)[0]) == 5
        assert read(make_source(feed.path, auto_strategy="listing"), mark) == ([], mark)

    def test_it_is_small_and_holds_no_text(self, site: Simulation, make_source: MakeSource) -> None:
        """Twenty characters an entry, and for as many as the feed shows twice."""
        feed = site.add_feed("news", window=50, paged=True)
        fill(site, 400)
        _, mark = read(make_source(feed.path))
        told = json.loads(mark)
        assert len(told["entries"]) == 100 * 20
        assert len(mark) < 100 * 20 + 300
        assert "site.example" not in mark
        assert "Article" not in mark

    def test_it_does_not_grow_without_end(self) -> None:
        """Of a feed with more entries than are remembered, the rest is left to the ledger."""
        mark = Mark("m")
        for number in range(MOST_ENTRIES + 10):
            mark.note(f"key {number}", "version-1")
        assert (len(mark.entries), mark.room) == (MOST_ENTRIES, MOST_ENTRIES)
        assert Mark.read(mark.text()) == mark
        assert mark.has("key 0", "version-1")
        assert not mark.has("key 0", "version-2")
        assert not mark.knows(f"key {MOST_ENTRIES}")


class TestFind:
    def test_by_key_path_and_link(self, site: Simulation, url: str, make_source: MakeSource) -> None:
        """In any feed; what no feed shows may still be there."""
        news, other = site.add_feed("news"), site.add_feed("other", form="atom")
        fill(site, 3)
        fill(site, 3, "other")
        source = make_source(news.path, other.path)
        scopes = source.scopes()
        names = [
            key(url, news, news.posts[0]),
            f"{url}{other.posts[1].path}",
            f"{url[7:]}{news.posts[2].path}",
            "no",
        ]
        found = {one.name: one for one in source.find(scopes, names)}
        assert [found[name].item is not None for name in names] == [True, True, True, False]
        assert [found[name].scope for name in names[:3]] == [scopes[0].key, scopes[1].key, scopes[0].key]
        assert found["no"].unknown
        item = found[names[0]].item
        assert item is not None
        assert item.content is not None

    def test_a_key_is_looked_for_in_its_own_feed(
        self, site: Simulation, url: str, make_source: MakeSource
    ) -> None:
        """The others are not asked."""
        news, other = site.add_feed("news"), site.add_feed("other")
        fill(site, 3)
        source = make_source(news.path, other.path)
        list(source.find(source.scopes(), [key(url, news, news.posts[0])]))
        assert [request.path for request in site.asked] == [news.path]

    def test_one_feed_that_is_gone_does_not_stop_the_others(
        self, site: Simulation, url: str, make_source: MakeSource
    ) -> None:
        """Of its entries nothing can be told; where none can be read, nothing is said at all."""
        news, other = site.add_feed("news"), site.add_feed("other")
        fill(site, 1)
        fill(site, 1, "other")
        source = make_source(news.path, other.path)
        names = [key(url, news, news.posts[0]), key(url, other, other.posts[0])]
        news.gone = 410
        found = {one.name: one for one in source.find(source.scopes(), names)}
        assert "gone for good" in found[names[0]].unknown
        assert found[names[1]].item is not None
        other.gone = 404
        with pytest.raises(Exception, match="gone for good"):
            list(source.find(source.scopes(), names))
