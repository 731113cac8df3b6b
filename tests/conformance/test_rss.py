"""The connector of feeds keeps every promise of the kit: with the feeds' own texts, and with articles."""

from __future__ import annotations

from pathlib import Path

import pytest

from catchment.conformance import Check, all_checks, require
from tests.conformance.rss import ArticlesWorld, TextsWorld

WORLDS = {"texts": TextsWorld, "articles": ArticlesWorld}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_feeds_keep_the_promise(check: Check, world: str, tmp_path: Path) -> None:
    require(check, WORLDS[world], tmp_path)
