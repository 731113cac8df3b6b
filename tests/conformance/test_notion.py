"""The Notion connector keeps every promise of the kit."""

from __future__ import annotations

from pathlib import Path

import pytest

from catchment.conformance import Check, all_checks, require
from tests.conformance.notion import NotionWorld


@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_notion_keeps_the_promise(check: Check, tmp_path: Path) -> None:
    require(check, NotionWorld, tmp_path)
