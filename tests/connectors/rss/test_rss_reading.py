"""Feeds from servers as they are: conditions, redirects, refusals, waits, and addresses out of bounds."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import (
    AuthRejected,
    ConfigRejected,
    PermissionMissing,
    RunCancelled,
    SourceBusy,
    SourceDown,
)
from catchment.kit import Session
from catchment.kit.network import Network
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.rss import Simulation
from catchment.simulators.wire import Reply, Request
from connectors.rss import RSSCredentials, reading
from connectors.rss.mark import Mark
from tests.support.rss import MakeSource, Waits, items_in, read, words_of

FEED = "/feeds/news.rss"
DAY = 86_400.0


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

    def test_a_mark_of_a_time_that_has_not_come_hides_nothing(
        self, news: Simulation, make_source: MakeSource, clock: SetClock
    ) -> None:
        """A clock was ahead for a while; and the server compares times."""
        source = make_source(FEED)
        meaning = Mark.read(read(source)[1]).meaning
        late = Mark(meaning, modified="Tue, 01 Jan 2999 00:00:00 GMT", whole_at=clock.now() + 365 * DAY)
        assert len(read(source, late.text())[0]) == 3

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
