"""What a sync of a service costs at the wire, to the request: the fewest that would do, and no body twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks import vendor_minimum
from benchmarks.catchment_adapter import Source, open_search, run_without_prefect
from benchmarks.vendor_minimum import FORMULAS, Minimum
from benchmarks.vendor_server import kinds
from benchmarks.vendor_worlds import VENDORS, Vendor, confluence, github
from catchment.core.home import home_settings

ITEMS = {"github": 400, "confluence": 120, "notion": 250, "rss": 80}
BESIDES_AT_FIRST = {"notion": 3}
"""Notion: its newest pages are looked at twice, and each of two data sources is read anew for its text."""
BESIDES = {"notion": 1}


@dataclass
class Bureau:
    """A vendor that is served, and a home to sync it into."""

    name: str
    vendor: Vendor
    source: Source
    home: Path

    @property
    def minimum(self) -> Minimum:
        return FORMULAS[self.name](self.vendor.world)

    def sync(self, *, keeps_cursor: bool = True) -> int:
        """Sync, and return how many requests that took."""
        self.vendor.world.asked.clear()
        run_without_prefect(self.source, self.home, keeps_cursor=keeps_cursor)
        return len(self.vendor.world.asked)


@pytest.fixture(params=list(VENDORS))
def bureau(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bureau]:
    monkeypatch.setenv("CATCHMENT_HOME", str(tmp_path))
    home_settings.cache_clear()
    vendor = VENDORS[request.param](ITEMS[request.param])
    with vendor.world.serve() as url:
        source = Source(request.param, vendor.config(url), vendor.credentials)
        yield Bureau(request.param, vendor, source, tmp_path)
    home_settings.cache_clear()


def test_a_sync_costs_what_it_must_and_no_more(bureau: Bureau) -> None:
    """The first one, one from its mark with nothing to do, and a complete listing with nothing to do."""
    least, more = bureau.minimum, BESIDES.get(bureau.name, 0)
    assert bureau.sync() == least.whole + BESIDES_AT_FIRST.get(bureau.name, 0), kinds(
        bureau.vendor.world.asked
    )
    with open_search(bureau.home) as search:
        assert all(len(search(token)) == 1 for token in bureau.vendor.tokens.values())
    assert bureau.sync() == least.noticed + more, kinds(bureau.vendor.world.asked)
    assert bureau.sync(keeps_cursor=False) == least.relisted + more, kinds(bureau.vendor.world.asked)


class TestMinimum:
    def test_counts_pages_and_knows_what_comes_together(self) -> None:
        """Of 400 things at GitHub: two repositories of 100 files and 100 issues, 30 of them pull requests."""
        world = github(400).world
        least = vendor_minimum.of_github(world)  # type: ignore[arg-type]
        assert (least.listing["issues"], least.bodies) == (2, {"files": 4, "reviews": 2})
        assert least.noticed == 2 * 6

    def test_takes_the_cheaper_way_to_labels(self) -> None:
        """By label, or by page."""
        site = confluence(300).world
        by_label = vendor_minimum.of_confluence(site).bodies["labels"]  # type: ignore[arg-type]
        for one in site.world.contents.values():  # type: ignore[attr-defined]
            one.labels = (f"label of {one.id}",)
        by_page = vendor_minimum.of_confluence(site).bodies["labels"]  # type: ignore[arg-type]
        documents = sum(one.kind in ("page", "blogpost") for one in site.world.contents.values())  # type: ignore[attr-defined]
        assert by_label < by_page == documents

    def test_waits_for_lists_one_by_one_and_for_bodies_side_by_side(self) -> None:
        """Ten lists and forty bodies, eight at a time, half a second each."""
        least = Minimum({"lists": 10}, {"bodies": 40}, {})
        assert least.seconds(latency=0.5, width=8) == 7.5
