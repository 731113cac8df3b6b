"""What fails in the samples is told in full, as in tests."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "tests.contract.aimable_samples", "tests.contract.trove_samples", "tests.contract.zensearch_samples"
)
