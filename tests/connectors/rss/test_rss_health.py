"""What a person is told: by check, by browse, and by no means any secret."""

from __future__ import annotations

import logging

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import SourceError
from catchment.kit import Health
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.rss import Simulation
from connectors.rss import RSSCredentials
from tests.support.rss import MakeSource, Waits, items_in, read

FEED = "/feeds/news.rss"


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
