"""How much of a listing or a change feed is held before it is compared with the ledger."""

from __future__ import annotations

from catchment.core.items import Changed, Content, Deleted, Item
from catchment.core.settings import SyncSettings
from catchment.sync.page import Page, Reports


def items_until_full(settings: SyncSettings, *, body: bytes | None = None) -> int:
    page = Page(settings)
    for number in range(10_000):
        content = Content(body) if body is not None else None
        if page.full_with(Item(f"k{number}", f"k{number}", content=content)):
            return len(page.items)
    raise AssertionError("A page never gets full.")


def test_items_alone_are_counted() -> None:
    """By default so many as fit into one question to the ledger."""
    assert items_until_full(SyncSettings(page_items=7)) == 7


def test_bodies_that_come_along_are_weighed() -> None:
    """A page of bodies takes no more memory than a batch."""
    settings = SyncSettings(page_items=1000, batch_bytes=4096)
    assert items_until_full(settings, body=b"x" * 1000) == 5
    assert items_until_full(settings, body=b"") == 1000


def test_reports_are_bounded_alike() -> None:
    """A feed that brings bodies along takes no more memory than a listing does."""
    reports = Reports(SyncSettings(page_items=7, batch_bytes=4096))
    said = [Changed(Item(f"k{number}", f"k{number}", content=Content(b"x" * 1000))) for number in range(5)]
    assert [reports.full_with(one) for one in said] == [False] * 4 + [True]
    reports = Reports(SyncSettings(page_items=7, batch_bytes=4096))
    assert [reports.full_with(Deleted(f"k{number}")) for number in range(7)] == [False] * 6 + [True]


def test_the_last_word_of_a_page_counts() -> None:
    """What is reported twice is one thing, and takes one place."""
    reports = Reports(SyncSettings(page_items=3))
    again = Changed(Item("a", "a", version="2"))
    full = [reports.full_with(one) for one in (Changed(Item("a", "a")), Deleted("b"), again)]
    assert not any(full)
    assert list(reports.said.items()) == [("b", Deleted("b")), ("a", again)]
