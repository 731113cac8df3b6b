"""The reference connector keeps every promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from catchment.conformance import Check, Outcome, all_checks, run_check
from tests.conformance.shelf.world import ShelfWorld


@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_the_reference_keeps_the_promise(check: Check, tmp_path: Path) -> None:
    """And a skip would be a hole in the kit: this vendor can do everything."""
    result = run_check(check, ShelfWorld, tmp_path)
    assert result.outcome is Outcome.PASSED, result
