"""What a source says on its way to the ledger: as much as is compared with it together."""

from __future__ import annotations

import time

from catchment.core.items import Changed, Content, Deleted, Item
from catchment.core.settings import SyncSettings
from catchment.sync.intake import PAGE_SECONDS


class _Bounded:
    """Ends by number, by the bytes that items bring along, and by time."""

    def __init__(self, settings: SyncSettings) -> None:
        self._most_items, self._most_bytes = settings.page_items, settings.batch_bytes
        self._bytes = 0
        self._until = time.monotonic() + PAGE_SECONDS

    def _is_full(self, number: int, brought: Content | None) -> bool:
        """Tell whether nothing more may follow after so many things, of which the last brought this along."""
        if brought is not None and isinstance(brought.body, bytes):
            self._bytes += len(brought.body)
        return (
            number >= self._most_items or self._bytes >= self._most_bytes or time.monotonic() >= self._until
        )


class Page(_Bounded):
    """What is held of a listing.

    Attributes:
        items: In the order of the listing.
    """

    def __init__(self, settings: SyncSettings) -> None:
        super().__init__(settings)
        self.items: list[Item] = []

    def full_with(self, item: Item) -> bool:
        """Take an item in, and tell whether nothing more may follow."""
        self.items.append(item)
        return self._is_full(len(self.items), item.content)


class Reports(_Bounded):
    """What is held of a change feed.

    Attributes:
        said: The last word about each key, in the order of those words.
    """

    def __init__(self, settings: SyncSettings) -> None:
        super().__init__(settings)
        self.said: dict[str, Changed | Deleted] = {}

    def full_with(self, said: Changed | Deleted) -> bool:
        """Take a report in, and tell whether nothing more may follow."""
        item = said.item if isinstance(said, Changed) else None
        key = said.item.key if isinstance(said, Changed) else said.key
        self.said.pop(key, None)
        self.said[key] = said
        return self._is_full(len(self.said), item.content if item is not None else None)
