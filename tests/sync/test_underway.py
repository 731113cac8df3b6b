"""What a run has put on its way."""

from __future__ import annotations

from catchment.core.runs import ItemState
from catchment.store.items import Known
from catchment.sync.pkset import PkSet
from catchment.sync.underway import Underway


def known(pk: int) -> Known:
    return Known("a", pk, 1, "a", "source", ItemState.INDEXED, "1", None, None, 0, None, 0.0, None, True)


def test_it_is_idle_only_while_the_ledger_may_be_believed_of_everything() -> None:
    """An item that is being worked on ends that, and so does a scope that loses what it did not name."""
    working, sweeping, adding = Underway(), Underway(), Underway()
    assert working.is_idle
    assert not working.has_known(7, 1)
    working.note("a", known(7))
    assert not working.is_idle
    assert working.has_known(7, 1)
    sighted = PkSet()
    sighted.add(8)
    sweeping.swept(1, sighted)
    assert not sweeping.is_idle
    assert sweeping.has_known(7, 1)
    assert not sweeping.has_known(8, 1)
    adding.note("new", None)  # nothing that the ledger knows
    assert adding.is_idle
