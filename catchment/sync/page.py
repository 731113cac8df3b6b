"""Listed items on their way to the ledger: as many as are compared with it together."""

from __future__ import annotations

import time

from catchment.core.items import Item
from catchment.core.settings import SyncSettings
from catchment.sync.intake import PAGE_SECONDS


class Page:
    """What is held of a listing: bounded by number, by the bytes that items bring along, and by time.

    Attributes:
        items: In the order of the listing.
    """

    def __init__(self, settings: SyncSettings) -> None:
        self.items: list[Item] = []
        self._settings = settings
        self._bytes = 0
        self._since = time.monotonic()

    def full_with(self, item: Item) -> bool:
        """Take an item in, and tell whether nothing more may follow."""
        self.items.append(item)
        if item.content is not None and isinstance(item.content.body, bytes):
            self._bytes += len(item.content.body)
        return (
            len(self.items) >= self._settings.page_items
            or self._bytes >= self._settings.batch_bytes
            or time.monotonic() - self._since >= PAGE_SECONDS
        )
