"""The sync against a model, with a real bucket as the source: whatever happens, the index ends as it is."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import botocore.session
import pytest
from hypothesis.stateful import run_state_machine_as_test

from connectors.s3 import listing, pace
from tests.support.model import Syncing, examples, machine
from tests.support.s3 import Moto, Proxy
from tests.support.side_s3 import BucketSide, Ground

__all__ = ["machine"]


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """A server for all examples, and a way to it that can break; waits are a thousand times shorter."""
    monkeypatch.setattr(pace, "BUSY_SECONDS", 0.001)
    monkeypatch.setattr(pace, "DOWN_SECONDS", 0.001)
    monkeypatch.setattr(listing, "PAGE_KEYS", listing.PAGE_KEYS)  # each example has its own
    # Every run makes a client; what botocore reads of its files for one is read once for all.
    read_once = functools.cache(botocore.session.create_loader)
    monkeypatch.setattr(botocore.session, "create_loader", read_once)
    moto = Moto()
    proxy = Proxy(moto.url)
    yield Ground(moto, proxy)
    proxy.close()
    moto.close()


class OnBuckets(Syncing):
    """The model's machine, playing with a bucket."""

    side_type = BucketSide


def test_whatever_happens_to_a_bucket_a_quiet_run_makes_the_index_equal_to_it(
    machine: type[Syncing], ground: Ground
) -> None:
    """Pages and objects that fail, are refused, cut off or unanswered; archives, moves between prefixes."""
    OnBuckets.ground = ground
    run_state_machine_as_test(OnBuckets, settings=examples(16, 1000))
