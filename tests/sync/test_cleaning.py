"""What sources say is made fit for a database before anything believes it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catchment.core.items import Item
from catchment.sync.cleaning import fit, fit_item, fit_key, is_fit, is_short
from tests.support.scripted import World
from tests.support.vault import Vault

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


@given(ANY_TEXT)
def test_any_text_becomes_fit_and_a_fit_one_stays(text: str) -> None:
    """Nothing that a source says can break a transaction."""
    assert is_fit(fit(text))
    assert is_fit(fit_key(text))
    if is_fit(text) and is_short(text):
        assert fit(text) == fit_key(text) == text


def test_different_keys_stay_different() -> None:
    """An identity is escaped, not replaced."""
    assert len({fit_key(key) for key in ("a\0", "a\ud800", "a\ud801", "a", "a\ufffd")}) == 5


def test_an_endless_key_keeps_its_ends_and_stays_itself() -> None:
    """Two that differ in the middle only are two, and a rule on the ending still holds."""
    keys = [f"a/{letter * 5000}/z.txt" for letter in "bcü"]
    short = [fit_key(key) for key in keys]
    assert len(set(short)) == 3
    assert all(key.startswith("a/") and key.endswith("/z.txt") for key in short)
    assert all(len(key.encode()) <= 2400 for key in short)
    assert [fit_key(key) for key in short] == short
    assert fit_key("x" * 2400) == "x" * 2400


def test_a_fit_item_is_the_very_same() -> None:
    """The usual case costs one look."""
    item = Item("k", "p", title="Grüße", metadata={"mode": "0644"})
    assert fit_item(item) is item


def test_a_document_with_half_a_surrogate_in_its_names_costs_no_batch(house: Vault, world: World) -> None:
    """It is indexed with its neighbours, and unchanged the next time."""
    world.put("bad\ud800\0", "one text")
    world.put("good", "another text")
    run = house.sync()
    assert (run.state, run.indexed, run.failed) == ("SUCCEEDED", 2, 0)
    assert house.sync().skipped == 2
