"""Feeds from servers as they are: conditions, redirects, refusals, waits, and addresses out of bounds."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from catchment.core.errors import (
    AuthRejected,
    ConfigRejected,
    PermissionMissing,
    RunCancelled,
    SourceBusy,
    SourceDown,
    SourceError,
)
from catchment.kit import Health, ItemUnreadable, Session
from catchment.kit.network import Network
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.rss import Simulation
from catchment.simulators.wire import Reply, Request
from connectors.rss import RSS, RSSCredentials, reading
from connectors.rss.mark import Mark
from tests.support.clock import SetClock
from tests.support.rss import MakeSource, asked, items_in, read, words_of

FEED = "/feeds/news.rss"
DAY = 86_400.0


@pytest.fixture
def news(site: Simulation, url: str) -> Simulation:
    """A site with a feed of three articles."""
    site.add_feed("news")
    for number in range(3):
        site.publish("news", f"Article {number}", f"<p>The gauge read {number}.</p>")
    return site


def sent(site: Simulation, header: str) -> list[str | None]:
    """What a header of each request was."""
    return [request.headers.get(header) for request in site.asked]


class TestConditions:
    @pytest.mark.parametrize(
        ("etag", "modified"), [(True, True), (True, False), (False, True), (False, False)]
    )
    def test_what_did_not_change_is_not_reported(
        self,
        news: Simulation,
        make_source: MakeSource,
        monkeypatch: pytest.MonkeyPatch,
        etag: bool,
        modified: bool,
    ) -> None:
        """Whatever the server knows of conditions; the mark stays as it is, byte for byte."""
        feed = news.feeds["news"]
        feed.etag, feed.modified = etag, modified
        source = make_source(FEED)
        events, mark = read(source)
        assert len(events) == 3
        # The same bytes are not even looked into.
        monkeypatch.setattr(reading, "read_document", None)
        assert read(source, mark) == ([], mark)
        assert [value is not None for value in sent(news, "if-none-match")] == [False, etag]
        assert [value is not None for value in sent(news, "if-modified-since")] == [False, modified]

    def test_once_a_day_it_is_read_whatever_the_server_says(
        self, news: Simulation, make_source: MakeSource, clock: SetClock
    ) -> None:
        """Some never tell of a change."""
        source = make_source(FEED)
        _, mark = read(source)
        news.publish("news", "Unseen", "<p>x</p>")
        news.faults.add(
            Fault(lambda request, usual: Reply(304) if "if-none-match" in request.headers else usual(request))
        )
        assert read(source, mark)[0] == []
        clock.advance(DAY)
        events, later = read(source, mark)
        assert set(items_in(events)) == {"Unseen"}
        assert Mark.read(later).whole_at == clock.now()

    def test_a_server_that_says_unasked_that_nothing_changed_makes_no_sense(
        self, news: Simulation, make_source: MakeSource
    ) -> None:
        """It is no empty feed."""
        news.faults.add(Fault(faults.answer(304)))
        with pytest.raises(SourceDown, match="not asked"):
            read(make_source(FEED))

    def test_a_feed_that_is_not_well_formed_is_always_read_whole(
        self, news: Simulation, make_source: MakeSource
    ) -> None:
        """What was not understood may be in it."""

        def spoil(_: Request, reply: Reply) -> None:
            reply.body = reply.content().replace(b"</title>", b" &nope; </title>", 1)

        news.faults.add(Fault(faults.changed(spoil)))
        source = make_source(FEED)
        events, mark = read(source)
        assert len(events) == 3
        assert read(source, mark) == ([], mark)
        assert sent(news, "if-none-match") == [None, None]

    @pytest.mark.parametrize(
        "mark", ["", "{}", "[]", "null", '{"meaning": 1}', '{"meaning": "", "entries": []}']
    )
    def test_a_mark_of_somebody_else_is_refused(
        self, news: Simulation, make_source: MakeSource, mark: str
    ) -> None:
        """The sync then begins without one."""
        from catchment.core.errors import CursorExpired

        if mark == '{"meaning": 1}':
            assert len(read(make_source(FEED), mark)[0]) == 3  # of other settings
            return
        with pytest.raises(CursorExpired):
            read(make_source(FEED), mark)


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 308])
    def test_what_moved_for_good_is_asked_there(
        self, news: Simulation, make_source: MakeSource, status: int
    ) -> None:
        """From the next run on, with its conditions; its entries are who they were."""
        source = make_source(FEED)
        _, mark = read(source)
        news.move_feed("news", "/new/feed", status=status)
        news.publish("news", "More", "<p>x</p>")
        events, mark = read(source, mark)
        assert set(items_in(events)) == {"More"}
        news.asked.clear()
        assert read(source, mark) == ([], mark)
        assert [request.path for request in news.asked] == ["/new/feed"]

    @pytest.mark.parametrize("status", [302, 303, 307])
    def test_what_moved_for_a_while_is_asked_where_it_was(
        self, news: Simulation, make_source: MakeSource, status: int
    ) -> None:
        """Each time."""
        news.move_feed("news", "/new/feed", status=status)
        source = make_source(FEED)
        _, mark = read(source)
        news.asked.clear()
        assert read(source, mark)[0] == []
        assert [request.path for request in news.asked] == [FEED, "/new/feed"]

    def test_what_moved_back_is_found(self, news: Simulation, make_source: MakeSource) -> None:
        """A permanent redirect that ends in nothing is forgotten."""
        source = make_source(FEED)
        news.move_feed("news", "/new/feed")
        _, mark = read(source)
        del news.feeds["news (old)"]
        news.feeds["news"].path = FEED
        events, mark = read(source, mark)
        assert events == []
        assert Mark.read(mark).url == ""

    def test_an_address_with_a_secret_is_not_kept(self, news: Simulation, make_source: MakeSource) -> None:
        """A mark is shown to people."""
        news.move_feed("news", "/new/feed?token=canary")
        news.feeds["news"].path = "/new/feed"
        _, mark = read(make_source(FEED))
        assert "canary" not in mark

    def test_relative_links_are_of_where_the_feed_is(
        self, news: Simulation, make_source: MakeSource, url: str
    ) -> None:
        """After a redirect."""
        news.feeds["news"].relative = True
        news.move_feed("news", "/deep/er/feed")
        events, _ = read(make_source(FEED))
        item = items_in(events)["Article 0"]
        assert item.url == f"{url}/posts/1-article-0"


class TestRefusals:
    def test_gone_for_good(self, news: Simulation, make_source: MakeSource) -> None:
        """410 names the setting and what to do; it is asked once."""
        news.feeds["news"].gone = 410
        with pytest.raises(ConfigRejected, match="gone for good") as caught:
            read(make_source(FEED))
        assert (caught.value.setting, "settings" in caught.value.remedy) == ("feed_url", True)
        assert len(news.asked) == 1

    def test_not_there(self, news: Simulation, make_source: MakeSource) -> None:
        """404, of the second feed."""
        source = make_source(FEED, "/feeds/nothing")
        read(source)
        with pytest.raises(ConfigRejected, match="404") as caught:
            read(source, scope=1)
        assert caught.value.setting == "feed_urls"

    def test_a_web_page_names_the_feeds_to_set(
        self, news: Simulation, make_source: MakeSource, url: str
    ) -> None:
        """In the error and in browse; a page in place of a feed moves no mark."""
        with pytest.raises(ConfigRejected, match="a web page") as caught:
            read(make_source("/"))
        assert f"{url}{FEED}" in caught.value.remedy
        page = make_source("/").browse(f"{url}/")
        assert [(one.id, one.kind) for one in page.resources] == [(f"{url}{FEED}", "feed")]
        source = make_source(FEED)
        _, mark = read(source)
        news.feeds["news"].as_page = True
        news.feeds["news"].etag = news.feeds["news"].modified = False
        with pytest.raises(ConfigRejected):
            read(source, mark)

    def test_forbidden(self, news: Simulation, make_source: MakeSource) -> None:
        """Asked once."""
        news.faults.add(Fault(faults.answer(403)))
        with pytest.raises(PermissionMissing):
            read(make_source(FEED))
        assert len(news.asked) == 1

    def test_one_that_is_too_long_is_not_read(
        self, news: Simulation, make_source: MakeSource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Memory is bounded, and it is not asked for again."""
        monkeypatch.setattr(reading, "MOST_BYTES", 1000)
        with pytest.raises(SourceDown, match="longer than"):
            read(make_source(FEED))
        assert len(news.asked) == 1

    @pytest.mark.parametrize(
        "wrong", [faults.answer(500), faults.cut(50), faults.malformed(), faults.answer(502)]
    )
    def test_what_breaks_once_is_asked_again(
        self, news: Simulation, make_source: MakeSource, wrong: faults.Answer
    ) -> None:
        """Also a feed that comes by half."""
        news.faults.add(Fault(wrong, times=1))
        assert len(read(make_source(FEED))[0]) == 3
        assert len(news.asked) == 2

    @pytest.mark.parametrize("wrong", [faults.answer(500), faults.cut(50), faults.malformed()])
    def test_what_stays_broken_is_no_feed_without_entries(
        self, news: Simulation, make_source: MakeSource, wrong: faults.Answer
    ) -> None:
        """It is given up, and nothing is reported."""
        news.faults.add(Fault(wrong))
        with pytest.raises(SourceDown):
            read(make_source(FEED))

    def test_a_redirect_in_a_circle(self, news: Simulation, make_source: MakeSource) -> None:
        """Ends."""
        news.faults.add(Fault(faults.answer(301, headers={"Location": FEED})))
        with pytest.raises(SourceDown, match="without an end"):
            read(make_source(FEED))


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


class TestWaiting:
    @pytest.mark.parametrize("form", ["0", "7", "date", "", "600"])
    def test_every_form_of_retry_after(
        self, news: Simulation, make_source: MakeSource, clock: SetClock, form: str
    ) -> None:
        """Acceptance 18: none, seconds, a date; the wait is as long as was asked for, and shown."""
        wanted = {"": 60.0, "date": 90.0}.get(form, float(form) if form not in ("", "date") else 0)
        later = format_datetime(datetime.fromtimestamp(clock.now(), UTC) + timedelta(seconds=90), usegmt=True)
        headers = {"Retry-After": later if form == "date" else form} if form else {}
        news.faults.add(Fault(faults.answer(429, headers=headers), times=1))
        waits = Waits(clock)
        began = clock.now()
        assert len(read(make_source(FEED, session=waits.session))[0]) == 3
        assert clock.now() - began == pytest.approx(wanted)

    def test_a_site_with_a_limit_is_read_at_its_pace(
        self, news: Simulation, make_source: MakeSource, clock: SetClock
    ) -> None:
        """All pages, however long it takes."""
        news.requests_a_minute = 2
        waits = Waits(clock)
        source = make_source(FEED, session=waits.session, full_text=True)
        events, _ = read(source)
        texts = [source.fetch(item).body for item in items_in(events).values()]
        assert len(texts) == 3
        assert waits.seconds

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_site_that_wants_a_day_is_left_for_later(
        self, news: Simulation, make_source: MakeSource, status: int
    ) -> None:
        """The other feeds do not wait for it."""
        news.faults.add(Fault(faults.answer(status, headers={"Retry-After": "86400"}), path=FEED))
        news.add_feed("other")
        source = make_source(FEED, "/feeds/other.rss")
        with pytest.raises(SourceBusy) as caught:
            read(source)
        assert caught.value.retry_after_seconds == DAY
        assert read(source, scope=1)[0] == []

    def test_a_cancel_ends_a_drip(self, news: Simulation, make_source: MakeSource, clock: SetClock) -> None:
        """Acceptance 19: though the body never ends."""
        news.faults.add(Fault(faults.drip(0.2)))
        session = Session(clock=clock)
        threading.Timer(0.3, session.stop.set).start()
        with pytest.raises(RunCancelled):
            read(make_source(FEED, session=session))

    def test_a_cancel_does_not_wait_for_a_large_feed(
        self, news: Simulation, make_source: MakeSource, clock: SetClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Reading one takes seconds that nothing can interrupt."""
        session, free = Session(clock=clock), threading.Event()

        def slow(*_: object) -> None:
            session.stop.set()
            free.wait(60)

        monkeypatch.setattr(reading, "_LARGE_BYTES", 10)
        monkeypatch.setattr(reading, "read_document", slow)
        with pytest.raises(RunCancelled):
            read(make_source(FEED, session=session))
        free.set()

    def test_a_large_feed_is_read_like_any_other(
        self, news: Simulation, make_source: MakeSource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And its errors are its errors."""
        monkeypatch.setattr(reading, "_LARGE_BYTES", 10)
        assert len(read(make_source(FEED))[0]) == 3
        with pytest.raises(ConfigRejected, match="a web page"):
            read(make_source("/"))


class TestSigningIn:
    KEYS = RSSCredentials(username="ann", password="canary-secret")  # type: ignore[arg-type]

    @pytest.fixture
    def closed(self, news: Simulation) -> Simulation:
        """The feed asks for a password."""
        news.feeds["news"].sign_in = ("ann", "canary-secret")
        return news

    def test_with_and_without(self, closed: Simulation, make_source: MakeSource) -> None:
        """Without any the person is told what to store; wrong ones are refused."""
        assert len(read(make_source(FEED, credentials=self.KEYS))[0]) == 3
        with pytest.raises(PermissionMissing, match="user name and password"):
            read(make_source(FEED))
        wrong = RSSCredentials(username="ann", password="canary-wrong")  # type: ignore[arg-type]
        with pytest.raises(AuthRejected) as caught:
            read(make_source(FEED, credentials=wrong))
        assert "canary" not in str(caught.value)

    def test_nobody_else_sees_them(self, closed: Simulation, make_source: MakeSource, url: str) -> None:
        """Another host does not, be it another feed's, a redirect's, a page's or an older page's."""
        other = Simulation()
        other.add_feed("other")
        other.publish("other", "x", "<p>x</p>")
        with other.serve() as elsewhere:
            post = closed.publish("news", "Linked", "<p>y</p>", path="")
            closed.edit(post, path=f"{elsewhere}/posts/1-x")
            closed.feeds["news"].relative = True
            source = make_source(FEED, f"{elsewhere}/feeds/other.rss", credentials=self.KEYS, full_text=True)
            events, _ = read(source)
            for item in items_in(events).values():
                source.fetch(item)
            read(source, scope=1)
        assert other.asked
        assert sent(other, "authorization") == [None] * len(other.asked)
        assert None not in sent(closed, "authorization")


class TestBounds:
    def guarded(self, clock: SetClock) -> Session:
        """Whoever made the connector is not the operator."""
        return Session(clock=clock, trusted=False)

    def test_a_private_address_is_out_of_bounds(
        self, news: Simulation, make_source: MakeSource, clock: SetClock
    ) -> None:
        """Design §8: for those that were made through a face; nothing is asked."""
        with pytest.raises(ConfigRejected, match="private network"):
            read(make_source(FEED, session=self.guarded(clock)))
        assert news.asked == []

    def test_a_link_of_a_feed_leads_nobody_into_a_private_network(
        self, news: Simulation, make_source: MakeSource
    ) -> None:
        """Not even for the operator: strangers wrote it. The feed's own text is taken then, with a remark."""
        inside = Simulation()
        inside.add_feed("x")
        inside.publish("x", "secret", "<p>canary</p>")
        with inside.serve() as address:
            hidden = address.replace("127.0.0.1", "localhost")
            post = news.publish("news", "Trap", "<p>words of the feed</p>", path="")
            news.edit(post, path=f"{hidden}/posts/1-secret")
            news.feeds["news"].relative = True
            source = make_source(FEED, full_text=True)
            item = items_in(read(source)[0])["Trap"]
            content = source.fetch(item)
        assert inside.asked == []
        assert b"words of the feed" in content.body  # type: ignore[operator]
        assert content.item is not None
        assert "private network" in content.item.metadata["full_text"]

    def test_an_older_page_elsewhere_is_out_of_bounds_too(
        self, news: Simulation, make_source: MakeSource, url: str
    ) -> None:
        """What a feed links to is what strangers wrote."""

        def elsewhere(_: Request, reply: Reply) -> None:
            link = b'<atom:link rel="next" href="http://localhost:9/secret"/>'
            reply.body = reply.content().replace(b"<item>", link + b"<item>", 1)

        news.faults.add(Fault(faults.changed(elsewhere)))
        with pytest.raises(ConfigRejected, match="private network"):
            read(make_source(FEED))

    def test_an_intranet_is_read_where_the_feed_is_of_it(
        self, news: Simulation, make_source: MakeSource
    ) -> None:
        """Pages on the feed's own host are what the operator asked for."""
        source = make_source(FEED, full_text=True)
        item = items_in(read(source)[0])["Article 1"]
        assert words_of(source.fetch(item).body.decode()) == words_of("Article 1 Article 1 The gauge read 1")  # type: ignore[union-attr]

    def test_what_the_operator_allows_is_reached(
        self, news: Simulation, make_source: MakeSource, clock: SetClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By a connector of anybody's."""
        allowed = Network(allowed=("127.0.0.1",), guarded=True)
        monkeypatch.setattr("catchment.kit.session.network_settings", lambda **_: allowed)
        assert len(read(make_source(FEED, session=self.guarded(clock)))[0]) == 3


class TestFullText:
    @pytest.fixture
    def source(self, news: Simulation, make_source: MakeSource) -> RSS:
        news.feeds["news"].brief = True
        return make_source(FEED, full_text=True)

    def body(self, source: RSS, title: str = "Article 1") -> tuple[str, str]:
        """The text of an entry, and the remark at it."""
        item = items_in(read(source)[0])[title]
        content = source.fetch(item)
        assert isinstance(content.body, bytes)
        return content.body.decode(), content.item.metadata["full_text"] if content.item else ""

    def test_the_article_of_the_page_is_taken(self, news: Simulation, source: RSS) -> None:
        """Neither its navigation nor its footer; one request for each new entry, none for the others."""
        news.publish("news", "Long", "<p>" + "Many words about the weir. " * 20 + "</p>")
        text, remark = self.body(source, "Long")
        assert text.count("Many words about the weir.") == 20
        assert "newsletter" not in text
        assert remark == ""
        _, mark = read(source)
        news.asked.clear()
        assert read(source, mark)[0] == []
        assert asked(news) == {"feed": 1}

    @pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
    def test_a_page_that_is_refused_leaves_the_text_of_the_feed(
        self, news: Simulation, source: RSS, status: int
    ) -> None:
        """With a remark why."""
        news.faults.add(Fault(faults.answer(status), path="/posts/.*"))
        text, remark = self.body(source)
        assert "The gauge read 1." in text
        assert str(status) in remark

    def test_a_server_that_is_down_fails_the_entry(self, news: Simulation, source: RSS) -> None:
        """Another run tries again: the page may be well tomorrow."""
        news.faults.add(Fault(faults.answer(500), path="/posts/.*"))
        with pytest.raises(SourceDown):
            self.body(source)

    def test_a_page_that_needs_a_browser_says_less_than_the_feed(self, news: Simulation, source: RSS) -> None:
        """So the feed's text stays."""
        page = b"<html><body><div id=app></div><script>boot()</script></body></html>"
        news.faults.add(Fault(faults.answer(200, page, {"Content-Type": "text/html"}), path="/posts/.*"))
        text, remark = self.body(source)
        assert ("The gauge read 1." in text, "less text" in remark) == (True, True)

    @pytest.mark.parametrize(("kind", "taken"), [("application/pdf", True), ("audio/mpeg", False)])
    def test_files_are_taken_where_they_can_be_read(
        self, news: Simulation, source: RSS, kind: str, taken: bool
    ) -> None:
        """A PDF is; a recording is not the text of its entry."""
        body = b"%PDF-1.4 " + b"more words than the feed has " * 20
        news.faults.add(Fault(faults.answer(200, body, {"Content-Type": kind}), path="/posts/.*"))
        item = items_in(read(source)[0])["Article 1"]
        content = source.fetch(item)
        assert (content.content_type == kind) is taken
        assert isinstance(content.body, bytes)
        assert (content.body == body, b"more words" in content.body) == (taken, taken)

    @pytest.mark.parametrize(
        ("link", "is_address"),
        [
            ("http://a b/", False),
            ("http://:80/", False),
            ("http://a:99999/", False),
            (f"http://127.0.0.1/{'x' * 70_000}", False),
            ("http://xn--/", False),
            (f"http://{'x' * 300}.example/", True),
        ],
    )
    def test_a_link_that_leads_nowhere_is_no_disaster(
        self, news: Simulation, make_source: MakeSource, link: str, is_address: bool
    ) -> None:
        """One that cannot be an address leaves the feed's text, one to nobody fails its entry alone."""

        def spoil(_: Request, reply: Reply) -> None:
            text = reply.content().decode().replace("<link>http", f"<link>{link}</link><link>http")
            if not is_address:
                text = text.replace("<item>", f'<atom:link rel="next" href="{link}"/><item>', 1)
            reply.body = text.encode()

        news.faults.add(Fault(faults.changed(spoil), path=FEED))
        source = make_source(FEED, full_text=True)
        items = items_in(read(source)[0])
        assert len(items) == 3
        item = items["Article 1"]
        item.url = link
        if is_address:
            with pytest.raises(SourceDown):
                source.fetch(item)
        else:
            content = source.fetch(item)
            assert content.item is not None
            assert "cannot be used" in content.item.metadata["full_text"]

    def test_a_page_without_end_is_not_kept(self, news: Simulation, make_source: MakeSource) -> None:
        """The limit for files holds for pages."""
        news.feeds["news"].brief = True
        long = news.publish("news", "Long", "<p>" + "x" * 5000 + "</p>")
        source = make_source(FEED, full_text=True, max_file_bytes=3000)
        text, remark = self.body(source, long.title)
        assert ("too long" in remark, len(text) < 6000) == (True, True)

    def test_an_article_that_comes_by_half_is_asked_for_again(self, news: Simulation, source: RSS) -> None:
        """Half of it would stay in the index."""
        news.publish("news", "Long", "<p>" + "Many words about the weir. " * 20 + "</p>")
        news.faults.add(Fault(faults.malformed(), path="/posts/4.*", times=1))
        text, _ = self.body(source, "Long")
        assert text.count("Many words about the weir.") == 20

    def test_the_charset_of_a_page_is_kept(self, news: Simulation, source: RSS) -> None:
        """As its head declares it."""
        page = '<html><meta charset="windows-1251"><body>Паводок прошёл у нижнего шлюза</body></html>'
        news.faults.add(
            Fault(faults.answer(200, page.encode("cp1251"), {"Content-Type": "text/html"}), path="/posts/.*")
        )
        assert "Паводок" in self.body(source)[0]

    def test_an_entry_is_read_after_its_feed_was_forgotten(
        self, news: Simulation, make_source: MakeSource
    ) -> None:
        """By another object, such as after a restart; one that the feed shows no longer is told so."""
        items = items_in(read(make_source(FEED))[0])
        later = make_source(FEED)
        assert b"read 1" in later.fetch(items["Article 1"]).body  # type: ignore[operator]
        assert b"read 2" in later.fetch(items["Article 2"]).body  # type: ignore[operator]
        assert asked(news)["feed"] == 2
        news.drop(next(iter(news.posts.values())))
        with pytest.raises(ItemUnreadable) as caught:
            make_source(FEED).fetch(items["Article 0"])
        assert caught.value.reason == "not_shown"

    def test_many_that_ask_for_a_forgotten_feed_read_it_once(
        self, news: Simulation, make_source: MakeSource
    ) -> None:
        """Entries are read by several threads at a time."""
        items = list(items_in(read(make_source(FEED))[0]).values())
        later = make_source(FEED)
        news.asked.clear()
        news.latency_seconds = 0.1
        with ThreadPoolExecutor(3) as pool:
            bodies = list(pool.map(lambda item: later.fetch(item).body, items))
        assert len(set(bodies)) == 3
        assert asked(news) == {"feed": 1}


class TestCheck:
    def test_each_way_to_stand_is_told_apart(
        self, news: Simulation, make_source: MakeSource, url: str
    ) -> None:
        """Well, no feed, nobody there, a password wanted, a wrong one; each with the remedy."""
        (well,) = make_source(FEED).check()
        assert (well.name, well.health, well.message) == (
            "list",
            Health.OK,
            "The feed is read, with 3 entries now.",
        )
        both = make_source(FEED, full_text=True).check()
        assert [(one.name, one.health) for one in both] == [("list", Health.OK), ("read", Health.OK)]
        page = make_source(FEED, "/").check()[0]
        assert (page.health, page.setting) == (Health.MISCONFIGURED, "feed_urls")
        assert FEED in page.remedy
        news.feeds["news"].sign_in = ("ann", "x")
        asks = make_source(FEED, full_text=True).check()
        assert [one.health for one in asks] == [Health.DENIED] * 2
        assert "catchment connector credentials" in asks[0].remedy
        wrong = make_source(FEED, credentials=RSSCredentials(username="ann")).check()[0]
        assert (wrong.health, "Sign in" in wrong.remedy) == (Health.DENIED, True)
        news.faults.add(Fault(faults.answer(500)))
        down = make_source(FEED).check()[0]
        assert (down.health, bool(down.remedy)) == (Health.UNREACHABLE, True)

    def test_a_page_that_cannot_be_read_is_told(self, news: Simulation, make_source: MakeSource) -> None:
        """It is no fault where the feed's text takes its place."""
        news.faults.add(Fault(faults.answer(403), path="/posts/.*"))
        said = make_source(FEED, full_text=True).check()[1]
        assert (said.health, "403" in said.message) == (Health.OK, True)


class TestBrowse:
    def test_feeds_and_their_entries(self, news: Simulation, make_source: MakeSource, url: str) -> None:
        """The newest first, 200 a page; the top asks nobody."""
        for number in range(3, 250):
            news.publish("news", f"Article {number}", "<p>x</p>")
        news.feeds["news"].window = 300
        source = make_source(FEED)
        (feed,) = source.browse().resources
        assert (feed.id, feed.kind, feed.has_children, news.asked) == (f"{url}{FEED}", "feed", True, [])
        first = source.browse(feed.id)
        second = source.browse(feed.id, first.next_page)
        names = [one.name for one in (*first.resources, *second.resources)]
        assert names == [f"Article {number}" for number in reversed(range(250))]
        assert (len(first.resources), second.next_page) == (200, None)
        for parent, page in (("https://other.example/", None), (feed.id, "x")):
            with pytest.raises(SourceError):
                source.browse(parent, page)


def test_no_secret_is_told(
    news: Simulation, make_source: MakeSource, caplog: pytest.LogCaptureFixture
) -> None:
    """Acceptance 29: not in errors, scopes, marks, items, results, pages to choose from, or logs."""
    caplog.set_level(logging.DEBUG)
    keys = RSSCredentials(username="ann", password="canary-password")  # type: ignore[arg-type]
    source = make_source(f"{FEED}?token=canary-token", credentials=keys, full_text=True)
    told: list[object] = [source.scopes(), source.browse(), source.check(), source.blind_spots]
    events, mark = read(source)
    told += [events, mark, *(source.fetch(item) for item in items_in(events).values())]
    wrongs = [faults.answer(status) for status in (401, 403, 404, 410, 429, 500)]
    for wrong in [*wrongs, faults.malformed(), faults.answer(200, b"<html></html>")]:
        news.faults.clear()
        news.faults.add(Fault(wrong))
        session = Waits(SetClock(news.clock.now())).session
        broken = make_source(f"{FEED}?token=canary-token", credentials=keys, session=session)
        told.append(broken.check())
        try:
            read(broken, mark)
        except SourceError as error:
            told += [error, repr(error)]
    logged = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(("catchment", "connectors"))
    ]
    assert "canary" not in "\n".join([*map(str, told), *logged])
