"""The set of item numbers, beside the interpreter's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catchment.sync.pkset import PkSet

numbers = st.lists(st.integers(0, 200_000), max_size=40)


@given(st.lists(numbers, max_size=6), numbers)
def test_it_holds_what_was_put_in_and_counts_what_is_new(pages: list[list[int]], others: list[int]) -> None:
    seen, model = PkSet(), set[int]()
    for number, page in enumerate(pages):
        new = len(set(page) - model)
        model |= set(page)
        assert (seen.add_all(page) if number % 2 else sum(map(seen.add, page))) == new
    assert seen.count == len(model)
    assert all((pk in seen) is (pk in model) for pk in (*model, *others))
    assert seen.covers(sorted(model))
    assert seen.covers(others) is (set(others) <= model)
    again = PkSet(seen.packed())
    assert again.count == len(model)
    assert again.covers(sorted(model))
