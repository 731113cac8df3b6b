"""The sync against a model, with a real bucket as the source: whatever happens, the index ends as it is."""

from __future__ import annotations

from hypothesis.stateful import run_state_machine_as_test

from tests.support.model import Syncing, examples, machine
from tests.support.side_s3 import BucketSide, Ground, s3_ground

__all__ = ["machine", "s3_ground"]


class OnBuckets(Syncing):
    """The model's machine, playing with a bucket."""

    side_type = BucketSide


def test_whatever_happens_to_a_bucket_a_quiet_run_makes_the_index_equal_to_it(
    machine: type[Syncing], s3_ground: Ground
) -> None:
    """Pages and objects that fail, are refused, cut off or unanswered; archives, moves between prefixes."""
    OnBuckets.ground = s3_ground
    run_state_machine_as_test(OnBuckets, settings=examples(16, 1000))
