"""How much of a listing is held before it is compared with the ledger."""

from __future__ import annotations

from catchment.core.items import Content, Item
from catchment.core.settings import SyncSettings
from catchment.sync.page import Page


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
