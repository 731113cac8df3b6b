"""Errors that say what to do."""

from __future__ import annotations

import inspect
import pickle

import pytest

from catchment.core import errors
from catchment.core.errors import CatchmentError, ConfigRejected, ItemUnreadable, SourceBusy, UsageError

OURS = [
    made
    for _, made in inspect.getmembers(errors, inspect.isclass)
    if issubclass(made, CatchmentError) and made not in (SourceBusy, ItemUnreadable)
]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_an_error_reads_as_a_sentence_and_its_remedy(kind: type[CatchmentError]) -> None:
    """What a person sees is both; without a remedy it ends after the sentence."""
    assert str(kind("It broke.", remedy="Mend it.")) == "It broke. Mend it."
    assert str(kind("It broke.")) == "It broke."


def test_every_case_has_a_code_of_its_own() -> None:
    """Programs tell the cases apart."""
    codes = [kind.code for kind in OURS] + [SourceBusy.code, ItemUnreadable.code]
    assert len(set(codes)) == len(codes)


def test_facts_are_attributes() -> None:
    """Nobody has to read them out of the sentence."""
    assert ConfigRejected("No.", setting="include").setting == "include"
    assert SourceBusy("Later.", retry_after_seconds=3.5).retry_after_seconds == 3.5
    unreadable = ItemUnreadable("a/b", "encrypted")
    assert (unreadable.key, unreadable.reason, str(unreadable)) == ("a/b", "encrypted", "encrypted")
    assert str(ItemUnreadable("a/b", "encrypted", "It has a password.")) == "It has a password."


def test_a_rejected_setting_is_wrong_use() -> None:
    """The command ends with the code for wrong use, not for a broken source."""
    assert issubclass(ConfigRejected, UsageError)


def test_the_sentence_survives_another_process() -> None:
    """An error that crosses a pipe still says what it said."""
    error = pickle.loads(pickle.dumps(ConfigRejected("No.", setting="include", remedy="Edit it.")))
    assert (str(error), error.setting) == ("No. Edit it.", "include")


def test_the_tree_at_the_top_of_the_file_is_the_tree() -> None:
    """The drawing names every class, in the place where it hangs."""
    drawn = inspect.getdoc(errors) or ""
    for kind in [*OURS, SourceBusy, ItemUnreadable]:
        assert f" {kind.__name__} " in drawn, kind.__name__
