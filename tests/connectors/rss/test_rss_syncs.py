"""Feeds through the product's own lanes: what the index holds is what the site shows, at the least cost."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.rss import Simulation
from tests.support.rss import asked, expected, key, words_of
from tests.support.vault import Vault, counts, done

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
