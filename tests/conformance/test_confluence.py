"""The Confluence connector keeps every promise of the kit: in Cloud, and at Data Center."""

from __future__ import annotations

from pathlib import Path

import pytest

from catchment.conformance import Check, World, all_checks, require
from tests.conformance.confluence import ConfluenceWorld
from tests.conformance.confluence_data_center import DataCenterWorld


@pytest.mark.parametrize("world", [ConfluenceWorld, DataCenterWorld], ids=["cloud", "data center"])
@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_confluence_keeps_the_promise(check: Check, world: type[World], tmp_path: Path) -> None:
    require(check, world, tmp_path)
