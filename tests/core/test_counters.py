"""The counters of a run."""

from __future__ import annotations

from catchment.core.counters import COUNTER_NAMES, Counters


def test_what_is_shown_leaves_out_what_is_gone() -> None:
    """Seven counters are public; gone only makes the sum right."""
    counters = Counters(*range(1, 9))
    assert set(counters.public()) == set(COUNTER_NAMES) - {"gone"}
    assert "gone" not in counters.public()


def test_settled_is_every_end_that_an_item_can_come_to() -> None:
    """Skipped, indexed, failed and gone; not what was merely read."""
    counters = Counters(
        collected=99, fetched=99, parsed=99, deleted=99, skipped=1, indexed=2, failed=4, gone=8
    )
    assert counters.settled == 15


def test_a_copy_stands_still() -> None:
    """What was reported does not change under the reader."""
    counters = Counters(indexed=1)
    copy = counters.copy()
    counters.indexed += 1
    assert (copy.indexed, counters.indexed) == (1, 2)
