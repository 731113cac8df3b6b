"""Identifiers."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from catchment.core import ids


class TestUuid7:
    def test_says_its_version_and_variant(self) -> None:
        """Other programs recognise it for what it is."""
        made = ids.uuid7()
        assert (made.version, made.variant) == (7, uuid.RFC_4122)

    def test_sorts_by_the_time_it_was_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A later millisecond sorts behind an earlier one, as number and as text."""
        made = []
        for milliseconds in (0, 1, 1_700_000_000_000, 1_700_000_000_001, 2**48 - 1):
            monkeypatch.setattr(ids.time, "time_ns", lambda now=milliseconds: now * 1_000_000 + 999_999)
            made.append(ids.uuid7())
            assert made[-1].int >> 80 == milliseconds
        assert made == sorted(made)
        assert [one.hex for one in made] == sorted(one.hex for one in made)

    def test_is_never_made_twice(self) -> None:
        """Not within one millisecond and not by threads."""
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: ids.new_id(), range(20_000)))
        assert len(set(made)) == 20_000


def test_ids_of_rows_are_32_hexadecimal_digits() -> None:
    """The form that the store keeps."""
    assert re.fullmatch("[0-9a-f]{32}", ids.new_id())


def test_ids_of_documents_are_16_hexadecimal_digits() -> None:
    """Short enough to copy."""
    assert re.fullmatch("[0-9a-f]{16}", ids.new_short_id())


def test_ids_made_together_differ_and_lie_side_by_side() -> None:
    """A batch of documents touches a few pages of their index, not one for each."""
    made = ids.new_short_ids(10_000)
    assert len(set(made)) == 10_000
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in made)
    assert made == sorted(made)
    assert len({one[:8] for one in made}) == 1
    assert ids.new_short_ids(1)[0][:8] != made[0][:8]
    assert ids.new_short_ids(0) == []
