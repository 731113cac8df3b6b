"""The folder connector keeps every promise that has a meaning for folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from catchment.conformance import Check, all_checks, require
from tests.conformance.folder import FolderWorld


@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_the_folder_keeps_the_promise(check: Check, tmp_path: Path) -> None:
    require(check, FolderWorld, tmp_path)
