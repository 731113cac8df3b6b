"""Feeds through the product's own lanes: what the index holds is what the site shows, at the least cost."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.rss import Feed, Simulation
from catchment.sync import index
from connectors.rss import connector
from tests.support.rss import asked, expected, key, words_of
from tests.support.vault import Crash, Vault, counts, done
from tests.support.waiting import until

DAY = 86_400.0


def words_in(house: Vault) -> Mapping[str, list[str]]:
    """The words of each visible document, by key."""
    return {key: words_of(text) for key, text in house.texts().items()}


def test_first_same_changed_and_taken_away(house: Vault, site: Simulation, url: str) -> None:
    """The index has all that the site ever showed, but for what it says is gone."""
    feed = site.add_feed("journal", form="atom", window=10, paged=True)
    posts = [
        site.publish("journal", f"Day {n}", f"<p>The gauge read {n} on this day.</p>") for n in range(35)
    ]
    house.add("rss", {"feedUrl": f"{url}{feed.path}"})
    assert counts(house.sync()) == done(35)
    assert words_in(house) == expected(url, feed)
    site.asked.clear()
    assert counts(house.sync()) == {}
    assert asked(site) == {"feed": 1}
    site.edit(posts[33], body="<p>The gauge was read again.</p>")
    new = site.publish("journal", "News", "<p>The heron is back.</p>")
    site.asked.clear()
    assert counts(house.sync()) == done(2)
    assert asked(site) == {"feed": 1}
    assert words_in(house) == expected(url, feed)
    site.delete(posts[34])
    site.drop(posts[30])
    run = house.sync()
    assert (run.state, counts(run)) == ("SUCCEEDED", {"deleted": 1})
    assert words_in(house) == expected(url, feed, [*feed.posts, posts[30]])
    site.restore(posts[34], "journal")
    assert counts(house.sync()) == done(1)
    assert key(url, feed, new) in house.shown()
    house.check_index()


@pytest.mark.parametrize("full_text", [False, True])
def test_with_faults_everywhere_it_ends_the_same(house: Vault, full_text: bool) -> None:
    """A week in which requests are refused, broken off, cut short or asked to wait."""
    site = Simulation.demo(3)
    site.clock = house.clock  # type: ignore[assignment]
    chance = 0.02 if full_text else 0.15
    with site.serve() as url:
        feeds = list(site.feeds.values())
        first, *more = (f"{url}{feed.path}" for feed in feeds)
        house.add("rss", {"feed_url": first, "feed_urls": more, "full_text": full_text})
        for wrong in (faults.answer(500), faults.cut(40), faults.malformed()):
            site.faults.add(Fault(wrong, chance=chance))
        site.faults.add(Fault(faults.answer(429, headers={"Retry-After": "0"}), chance=chance))
        for day in range(5):
            house.sync()
            house.clock.advance(DAY)
            for feed in feeds:
                site.edit(feed.posts[-2 - day], body=f"<p>Edited on day {day} for the {feed.name}.</p>")
                site.publish(feed.name, f"Day {day} of {feed.name}", f"<p>Fresh words of day {day}.</p>")
        site.faults.clear()
        run = house.sync()
        assert run.state == "SUCCEEDED"
        wanted = {
            name: words for feed in feeds for name, words in expected(url, feed, full_text=full_text).items()
        }
        assert words_in(house) == wanted
        assert site.faults.happened > 10
        site.asked.clear()
        assert counts(house.sync()) == {}
        assert asked(site) == {"feed": len(feeds)}


def open_feed(house: Vault, site: Simulation, url: str, count: int = 5, **settings: object) -> Feed:
    """A feed of some articles, and the connector to it."""
    feed = site.add_feed("news", window=10)
    for number in range(count):
        site.publish("news", f"Article {number}", f"<p>The gauge read {number}.</p>")
    house.add("rss", {"feed_url": f"{url}{feed.path}", **settings})
    return feed


class TestModes:
    def test_incremental_takes_what_is_new_and_full_takes_all(
        self, house: Vault, site: Simulation, url: str
    ) -> None:
        """What the feed shows no longer stays in either."""
        feed = open_feed(house, site, url, 14)
        assert counts(house.sync(mode="incremental")) == done(10)
        site.publish("news", "New", "<p>x</p>")
        assert counts(house.sync(mode="incremental")) == done(1)
        assert counts(house.sync(mode="full")) == done(10)
        assert len(house.shown()) == 11
        assert counts(house.sync()) == {}
        del feed

    def test_a_dry_run_moves_nothing(self, house: Vault, site: Simulation, url: str) -> None:
        """And asks for no page."""
        open_feed(house, site, url, full_text=True)
        run = house.sync(dry_run=True)
        assert (run.state, asked(site)) == ("SUCCEEDED", {"feed": 1})
        assert house.shown() == set()
        assert counts(house.sync()) == done(5)

    def test_one_entry_by_its_link(self, house: Vault, site: Simulation, url: str) -> None:
        """As a person has it from the browser."""
        feed = open_feed(house, site, url)
        run = house.sync(file_filter=[f"{url}{feed.posts[2].path}"])
        assert counts(run) == done(1)
        assert house.shown() == {key(url, feed, feed.posts[2])}

    def test_what_was_left_out_comes_when_it_is_wanted(
        self, house: Vault, site: Simulation, url: str
    ) -> None:
        """Though the feed did not change meanwhile."""
        feed = open_feed(house, site, url, exclude=["*-article-1"])
        assert counts(house.sync()) == done(4)
        house.configure(feed_url=f"{url}{feed.path}")
        assert counts(house.sync())["indexed"] == 1
        assert len(house.shown()) == 5

    def test_what_is_left_out_goes_though_the_feed_shows_it_no_longer(
        self, house: Vault, site: Simulation, url: str
    ) -> None:
        """Acceptance 30: and what the feed still shows comes back with the settings."""
        feed = open_feed(house, site, url, 14)
        feed.window = 20
        house.sync()
        feed.window = 5
        narrow = {"feed_url": f"{url}{feed.path}", "exclude": ["*-article-1*"]}
        house.configure(**narrow)
        run = house.sync()
        assert (run.state, run.deleted, run.details["narrowed"]) == ("SUCCEEDED", 5, 5)
        assert house.shown() == {
            key(url, feed, post) for post in feed.posts if not post.title.startswith("Article 1")
        }
        house.configure(feed_url=f"{url}{feed.path}")
        assert counts(house.sync())["indexed"] == 4
        assert len(house.shown()) == 13

    def test_settings_that_were_only_tried_lose_nothing(
        self, house: Vault, site: Simulation, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The run dies before the mark is gone, and the old settings come back: nothing was removed."""
        feed = open_feed(house, site, url)
        house.sync()
        house.configure(feed_url=f"{url}{feed.path}", exclude=["*-article-1"])

        def die(*_: object) -> None:
            raise Crash

        with monkeypatch.context() as patched:
            patched.setattr(index, "find_left_out", die)
            assert house.crash()
        house.configure(feed_url=f"{url}{feed.path}")
        house.sync()
        assert words_in(house) == expected(url, feed)


class TestWhatGoesWrong:
    def test_a_feed_that_fails_leaves_the_others_alone(
        self, house: Vault, site: Simulation, url: str
    ) -> None:
        """Acceptance 1: its mark stays, the run names it, and its documents are not removed."""
        feed = open_feed(house, site, url)
        other = site.add_feed("other")
        house.configure(feed_url=f"{url}{feed.path}", feed_urls=[f"{url}{other.path}"])
        house.sync()
        feed.gone = 410
        site.publish("other", "Elsewhere", "<p>x</p>")
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "scope_incomplete")
        assert "gone for good" in run.details["scopes"][f"{url}{feed.path}"]["error"]
        assert run.details["scopes"][f"{url}{other.path}"]["state"] == "complete"
        assert len(house.shown()) == 6

    def test_a_page_that_fails_is_tried_again_though_the_feed_is_unchanged(
        self, house: Vault, site: Simulation, url: str
    ) -> None:
        """Acceptance 5: recorded, the others indexed, and mended by the next run."""
        feed = open_feed(house, site, url, full_text=True)
        site.faults.add(Fault(faults.answer(500), path=feed.posts[2].path))
        run = house.sync()
        assert counts(run) == {"collected": 5, "fetched": 4, "parsed": 4, "indexed": 4, "failed": 1}
        assert house.fact(key(url, feed, feed.posts[2]), "state") == "failed"
        site.faults.clear()
        house.clock.advance(DAY)
        assert counts(house.sync()) == done(1)
        assert len(house.shown()) == 5

    def test_what_failed_and_left_the_feed_is_not_removed(
        self, house: Vault, site: Simulation, url: str
    ) -> None:
        """Acceptance 6: an older text stays, and the tries come to an end."""
        feed = open_feed(house, site, url, full_text=True)
        house.sync()
        post = feed.posts[2]
        site.edit(post, body="<p>The gauge was read again, and again.</p>")
        site.faults.add(Fault(faults.answer(500), path=post.path))
        house.sync()
        site.drop(post)
        for _ in range(6):
            house.clock.advance(10 * DAY)
            run = house.sync()
            assert (run.state, run.deleted) == ("SUCCEEDED", 0)
        assert house.fact(key(url, feed, post), "state") == "quarantined"
        assert "read 2" in house.texts()[key(url, feed, post)]

    def test_a_crash_in_the_middle_loses_nothing(
        self, house: Vault, site: Simulation, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 7 and 20: the mark did not move; the rerun reads only the pages that are missing."""
        feed = open_feed(house, site, url, 10, full_text=True)
        house.tune(first_batch_items=2, batch_items=2, queue_batches=1, fetches=1)
        real, seen = connector.read_article, []

        def dying(*arguments: object, **more: object) -> object:
            seen.append(arguments)
            if len(seen) == 6:
                until(lambda: bool(house.shown()))
                raise Crash
            return real(*arguments, **more)  # type: ignore[arg-type]

        with monkeypatch.context() as patched:
            patched.setattr(connector, "read_article", dying)
            assert house.crash()
        indexed = len(house.shown())
        assert 0 < indexed < 10
        site.asked.clear()
        assert house.sync().state == "SUCCEEDED"
        assert asked(site) == {"feed": 1, "page": 10 - indexed}
        assert words_in(house) == expected(url, feed, full_text=True)
        house.check_index()

    def test_the_same_guid_in_two_feeds_is_two_documents(
        self, house: Vault, site: Simulation, url: str
    ) -> None:
        """Acceptance 17: a guid is unique in one feed only."""
        feed = open_feed(house, site, url)
        other = site.add_feed("other")
        site.share(feed.posts[0], "other")
        house.configure(feed_url=f"{url}{feed.path}", feed_urls=[f"{url}{other.path}"])
        assert counts(house.sync()) == done(6)
        house.configure(feed_url=f"{url}{feed.path}")
        run = house.sync()
        assert (run.state, len(house.shown())) == ("SUCCEEDED", 5)

    def test_a_lost_mark_costs_one_look(self, house: Vault, site: Simulation, url: str) -> None:
        """Nothing is read again that the ledger knows."""
        open_feed(house, site, url, full_text=True)
        house.sync()
        house.cursors.saved.clear()
        site.asked.clear()
        run = house.sync()
        assert counts(run) == {"collected": 5, "skipped": 5}
        assert asked(site) == {"feed": 1}


@pytest.mark.parametrize("status", [429, 503])
def test_a_feed_that_wants_a_day_holds_no_other_feed_up(
    house: Vault, site: Simulation, url: str, status: int
) -> None:
    """It fails by its name, at once; the next run whose time has come reads it."""
    feeds = [site.add_feed(name) for name in ("first", "second")]
    for name in ("first", "second"):
        site.publish(name, f"News of the {name}", f"<p>The {name} gauge rose.</p>")
    busy = Fault(faults.answer(status, headers={"Retry-After": "86400"}), path=feeds[0].path)
    site.faults.add(busy)
    first, second = (f"{url}{feed.path}" for feed in feeds)
    house.add("rss", {"feedUrl": first, "feed_urls": [second]})
    began = house.clock.now()
    run = house.sync()
    assert house.clock.now() - began < 60.0, "nobody waited"
    assert run.state == "FAILED"
    assert [words for words in words_in(house).values() if "second" in words]
    assert not [words for words in words_in(house).values() if "first" in words]
    states = {part["state"] for part in run.details["scopes"].values()}
    assert states == {"complete", "incomplete"}
    site.faults.clear()
    house.clock.advance(DAY)
    assert house.sync().state == "SUCCEEDED"
    assert words_in(house) == {**expected(url, feeds[0]), **expected(url, feeds[1])}
