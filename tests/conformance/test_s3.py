"""The S3 connector keeps every promise that has a meaning for buckets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from catchment.conformance import Check, all_checks, require
from tests.conformance.s3 import BucketWorld
from tests.support.s3 import Moto


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    """One server for all checks; each has a bucket of its own."""
    server = Moto()
    yield server
    server.close()


@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_s3_keeps_the_promise(check: Check, moto: Moto, tmp_path: Path) -> None:
    require(check, partial(BucketWorld, moto), tmp_path)
