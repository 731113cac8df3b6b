"""The S3 connector keeps every promise that has a meaning for buckets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import botocore.session
import pytest

from catchment.conformance import Check, all_checks, require
from tests.conformance.s3 import BucketWorld
from tests.support.s3 import Moto


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    """One server for all checks; each has a bucket of its own."""
    with pytest.MonkeyPatch.context() as patch:
        # Every run makes a client; what botocore reads of its files for one is read once for all.
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        server = Moto()
        yield server
        server.close()


@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_s3_keeps_the_promise(check: Check, moto: Moto, tmp_path: Path) -> None:
    require(check, partial(BucketWorld, moto), tmp_path)
