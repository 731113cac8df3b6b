"""Services as people sync them: 5,000 items at a vendor that fails in one of a hundred requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catchment.store.rows import RunRow
from tests.support.journey import Journey, counts
from tests.support.service_confluence import ConfluencePlace
from tests.support.service_github import GitHubPlace
from tests.support.service_notion import NotionPlace
from tests.support.service_places import Difference, ServicePlace
from tests.support.service_rss import FeedsPlace
from tests.support.weather import KINDS

pytestmark = pytest.mark.prefect

ITEMS = 5_000
CHANCE = 0.01
FIRST_DEATH = ITEMS * 45 // 100
"""Indexed when the process of the first sync dies: at GitHub behind a position in the midst of the issues."""
DAY_DEATH = 8
SEED = 5
PLACES = (GitHubPlace, ConfluencePlace, NotionPlace, FeedsPlace)


@pytest.fixture(params=PLACES, ids=lambda place: place.slug)
def service(request: pytest.FixtureRequest, journey: Journey) -> Iterator[ServicePlace]:
    """A vendor full of items, and a connector to it."""
    place: ServicePlace = request.param(journey, seed=SEED)
    place.populate(ITEMS)
    with place.open():
        yield place


class TestServices:
    def test_what_the_vendor_has_is_what_the_index_has(self, service: ServicePlace) -> None:
        """First sync, nothing new, a day's changes, deletions; faults in every run, two deaths by kill -9.

        Acceptance 7 and 20 for github, confluence, notion and rss.
        """
        assert len(service.shown()) == ITEMS
        first_sync(service)
        nothing_new(service)
        a_days_changes(service)
        deletions(service)
        assert set(service.weather.met) == set(KINDS), service.weather.met


def first_sync(service: ServicePlace) -> None:
    """Every item is indexed once, though the process dies in between; what goes on reads only the rest."""
    service.weather.turn(CHANCE, surely=KINDS)
    killed, last = service.sync_through_a_death(indexed=FIRST_DEATH)
    service.check()
    assert killed.indexed + last.indexed == ITEMS
    assert counts(last)["fetched"] == last.indexed


def nothing_new(service: ServicePlace) -> None:
    """Nothing is fetched, and nothing but lists is asked for, among faults as well."""
    service.weather.turn(CHANCE, surely=("429, at once", "cut", "malformed"))
    begun, before = len(service.vendor.asked), service.weather.met.total()
    same = service.sync()
    assert service.weather.met.total() >= before + 3
    # What reports changes may look back a little, and name again what it named before.
    assert counts(same).keys() <= {"collected", "skipped"}, counts(same)
    assert not service.relists or same.collected == ITEMS
    asked = service.vendor.asked[begun:]
    assert [f"{one.method} {one.path}" for one in asked if not service.lists(one)] == []


def a_days_changes(service: ServicePlace) -> None:
    """What is new, edited, renamed or moved is taken in, once, though the process dies in between.

    Whatever becomes of an item, its document stays the same one as long as the vendor says that it is it.
    """
    before, ids = service.shown(), service.ids()
    reread = service.pass_a_day()
    day = Difference.between(before, service.shown())
    killed, last = service.sync_through_a_death(indexed=DAY_DEATH)
    service.check(deep=False)
    assert ids.items() <= service.ids().items() | {(key, ids[key]) for key in day.gone}
    assert killed.indexed + last.indexed == len(day.read)
    assert killed.deleted + last.deleted == len(day.gone)
    assert last.fetched <= len(day.read) + reread - killed.indexed
    add_up(service, last)


def deletions(service: ServicePlace) -> None:
    """What the vendor has no longer goes, and nothing else."""
    before = service.shown()
    reread = service.take_away()
    day = Difference.between(before, service.shown())
    run = service.sync()
    service.check()
    assert (run.deleted, run.indexed) == (len(day.gone), len(day.read))
    assert run.fetched == len(day.read) + reread
    add_up(service, run)


def add_up(service: ServicePlace, run: RunRow) -> None:
    """The counters of a good run say where everything ended, and nothing failed."""
    assert "failed" not in counts(run)
    if service.relists:
        assert run.collected == len(service.shown())
