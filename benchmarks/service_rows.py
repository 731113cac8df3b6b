"""The rows about services: requests against the fewest that would do, and items a second against the wire.

The vendors are the simulators of the tests, each in a process of its own. Requests are exact: they are what
the simulator was asked. The fewest that would do stand in `vendor_minimum`, by formulas over its state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import catchment_adapter
from benchmarks.bench import Bench
from benchmarks.catchment_adapter import Source
from benchmarks.check import Search
from benchmarks.corpora import Corpus
from benchmarks.figures import GOALS, MUSTS, details
from benchmarks.measure import Measured
from benchmarks.report import Result
from benchmarks.tools import PLAIN, Tool
from benchmarks.vendor_server import Served, vendor_server

LATENCY_SECONDS = 0.05
"""What a vendor takes before it answers, in the rows about items a second."""
_SHOWN_KINDS = 8


def github(bench: Bench) -> Iterator[Result]:
    """Two repositories: files, issues, pull requests."""
    yield from _service(bench, "github")


def confluence(bench: Bench) -> Iterator[Result]:
    """Three spaces of Cloud."""
    yield from _service(bench, "confluence")


def notion(bench: Bench) -> Iterator[Result]:
    """A workspace with two databases."""
    yield from _service(bench, "notion")


def rss(bench: Bench) -> Iterator[Result]:
    """Eight feeds, with the pages that their entries link to."""
    yield from _service(bench, "rss")


def _service(bench: Bench, name: str) -> Iterator[Result]:
    if reason := catchment_adapter.provider_is_missing(name):
        yield Result(name, f"sync of {name}", remarks=reason)
        return
    with vendor_server(name, items=bench.sizes.items) as vendor, bench.folder() as index:
        yield from _of_requests(bench, name, vendor, index)
    yield _of_time(bench, name)


def _of_requests(bench: Bench, name: str, vendor: Served, index: Path) -> Iterator[Result]:
    """Sync, then twice with nothing to do: from the mark of the first, and by a complete listing."""
    corpus, least = Corpus(bench.cache, dict(vendor.tokens)), vendor.minimum
    runs = (
        (f"requests, first sync, {len(corpus.tokens):,} items", True, least.whole),
        ("requests, nothing changed", True, least.noticed),
        ("requests, nothing changed, a complete listing", False, least.relisted),
    )
    for what, keeps_cursor, fewest in runs:
        vendor.counted()
        bench.sync(product(name, vendor, keeps_cursor=keeps_cursor), corpus, index)
        asked = vendor.counted()
        yield Result(
            name,
            what,
            f"{asked.total():,}",
            f"{fewest:,} would do",
            asked.total() / fewest,
            GOALS["requests"],
            _told(asked),
            must=MUSTS["requests"],
        )


def _told(asked: Counter[str]) -> str:
    most = asked.most_common(_SHOWN_KINDS)
    rest = asked.total() - sum(count for _, count in most)
    return ", ".join(f"{count:,} {kind}" for kind, count in most) + (f", {rest} others" if rest else "")


def _of_time(bench: Bench, name: str) -> Result:
    """Compare a first sync over a slow wire with what the wire alone would take, or the sync without it."""
    items = bench.sizes.items
    with (
        vendor_server(name, items=items) as near,
        vendor_server(name, items=items, latency=LATENCY_SECONDS) as far,
    ):
        jobs = {
            key: partial(_first_sync, bench, name, vendor) for key, vendor in (("near", near), ("far", far))
        }
        done = bench.in_turn(jobs)
        width, least, total = _width(name), far.minimum, len(far.tokens)
    wire, local = least.seconds(latency=LATENCY_SECONDS, width=width), done["near"].seconds
    ideal, seconds = max(wire, local), done["far"].seconds
    return Result(
        name,
        f"first sync, {LATENCY_SECONDS * 1000:.0f} ms before each answer",
        f"{total / seconds:,.0f} items/s",
        f"{total / ideal:,.0f} items/s ideal",
        seconds / ideal,
        GOALS["services"],
        f"{seconds:.2f} s; {least.relisted:,} lists in sequence and {least.whole - least.relisted:,} bodies,"
        f" {width} at a time, wait {wire:.2f} s; the same sync without the wait takes {local:.2f} s;"
        f" {details(done['far'])}",
        must=MUSTS["services"],
    )


def _first_sync(bench: Bench, name: str, vendor: Served) -> Measured:
    with bench.folder() as index:
        return bench.sync(product(name, vendor), Corpus(bench.cache, dict(vendor.tokens)), index)


def _width(name: str) -> int:
    """Return how many bodies a connector asks for at a time."""
    from catchment.core.settings import SyncSettings
    from catchment.kit.registry import provider

    return min(provider(name).fetches, SyncSettings().fetches)


def product(name: str, vendor: Served, *, keeps_cursor: bool = False) -> Tool:
    """Return the product, which syncs from a vendor whatever folder it is called with."""
    source = Source(name, vendor.config, vendor.credentials)
    return replace(
        PLAIN,
        command=lambda _, index: catchment_adapter.job(source, index, keeps_cursor=keeps_cursor),
        search=partial(_search, vendor),
    )


@contextmanager
def _search(vendor: Served, index: Path) -> Iterator[Search]:
    """Open the store; keys of entries begin with a hash of their feed's address, here with its path."""
    from connectors.rss.addresses import Place

    feeds = [vendor.config["feed_url"], *vendor.config["feed_urls"]] if "feed_url" in vendor.config else []
    paths = {Place(url).id: url[url.index("/feeds/") :] for url in feeds}
    with catchment_adapter.open_search(index) as search:

        def found(word: str) -> list[str]:
            keys = (key.partition(":") for key in search(word))
            return [f"{paths.get(head, head)}{colon}{rest}" for head, colon, rest in keys]

        yield found
