"""The rows about services: what they compare, and that a sync which loses something has no figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import rows, service_rows
from benchmarks.bench import Bench, Sizes
from benchmarks.measure import python_job
from benchmarks.tools import NAIVE, Tool
from benchmarks.vendor_server import kinds, vendor_server
from catchment.simulators.wire import Request


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, rounds=1, sizes=Sizes(items=16))


def test_a_row_compares_requests_and_items_with_what_would_do(bench: Bench) -> None:
    """Three counts, which are exact, and one time."""
    done = rows.run("rss", bench)
    assert [result.ratio for result in done[:3]] == [1.0, 1.0, 1.0]
    assert [result.against for result in done[:3]] == ["24 would do", "8 would do", "8 would do"]
    assert done[0].measured == "24"
    assert done[3].measured.endswith("items/s")
    assert done[3].ratio
    assert not any(result.failed for result in done)


def test_a_sync_that_loses_items_has_no_figures(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few its requests were."""

    def forgetful(*_: Any, **__: Any) -> Tool:
        def sync(_: Path, index: Path) -> list[str]:
            return python_job("benchmarks.naive", index, index / "naive.db")

        return replace(NAIVE, command=sync)

    monkeypatch.setattr(service_rows, "product", forgetful)
    last = rows.run("rss", bench)[-1]
    assert (last.failed, last.ratio) == (True, None)
    assert "16 missing" in last.remarks


def test_the_name_of_a_group_stands_for_its_rows() -> None:
    """Among others."""
    assert command._row_names("s3,services") == ["s3", "github", "confluence", "notion", "rss"]


def test_a_vendor_tells_what_it_was_asked_since_the_last_look() -> None:
    """In a process of its own."""
    with vendor_server("rss", items=8) as vendor:
        assert len(vendor.tokens) == 8
        assert vendor.counted().total() == 0


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/repos/catchment/river", "repository"),
        ("/repositories/1000/issues", "issues"),
        ("/repos/catchment/river/git/blobs/0af3", "git/blobs"),
        ("/wiki/api/v2/labels/17/pages", "labels/pages"),
        ("/v1/blocks/393abc1e-edcd-4000-8000-000000000001/children", "blocks/children"),
        ("/posts/17-gate", "posts"),
    ],
)
def test_requests_are_counted_by_what_they_are_for(path: str, kind: str) -> None:
    """Without the names of single things."""
    assert kinds([Request("GET", path, {}, (), {}, b"", "")]) == {kind: 1}
