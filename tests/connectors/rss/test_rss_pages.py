"""The pages that entries link to: what is taken of them, and when the text of the feed stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from catchment.core.errors import SourceDown
from catchment.kit import ItemUnreadable
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.rss import Simulation
from catchment.simulators.wire import Reply, Request
from connectors.rss import RSS
from tests.support.rss import MakeSource, asked, items_in, read

FEED = "/feeds/news.rss"


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
