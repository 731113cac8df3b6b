"""The bytes of files: their address is asked for anew each time, since it ends after an hour."""

from __future__ import annotations

from msgspec.structs import replace

from catchment.core.clock import Clock
from catchment.kit import Content, Item, ItemUnreadable
from catchment.kit.http import Missing
from connectors.notion.api import Api
from connectors.notion.downloads import Downloads
from connectors.notion.files import (
    PropertyPlace,
    Wanted,
    address_of,
    block_of,
    file_in,
    item_of_block,
    items_of_properties,
)
from connectors.notion.people import People
from connectors.notion.words import Raw, is_trashed

_GONE = "It was deleted, or is not shared with the integration any more."


class FileReader:
    """Reads files in blocks and properties; used by many threads at once."""

    def __init__(
        self, api: Api, people: People, downloads: Downloads, clock: Clock, *, wanted: Wanted
    ) -> None:
        self._api = api
        self._people = people
        self._downloads = downloads
        self._clock = clock
        self._wanted = wanted

    def content(self, item: Item) -> Content:
        """Return the bytes of a file as a stream, with the facts of this moment.

        Raises:
            ItemUnreadable: gone; or permission, where its host refuses also an address that is new.
            SourceError: Notion, or the host of the file, does not answer.
        """
        fresh, address = self._asked(item)
        try:
            return self._downloads.open(fresh, address)
        except ItemUnreadable as error:
            if error.reason != "permission":
                raise
        # An address that has ended is refused just so: a slow run may have waited between the two.
        return self._downloads.open(*self._asked(item))

    def _asked(self, item: Item) -> tuple[Item, str]:
        """Ask Notion for a file: its facts, and where its bytes are now."""
        block, place = block_of(item.key), PropertyPlace.read(item.key)
        try:
            found = self._in_block(item, self._api.block(block)) if block else None
            if place is not None:
                found = self._in_property(item, self._api.page(place.page))
        except Missing as error:
            raise ItemUnreadable(item.key, "gone", _GONE) from error
        if found is None or not self._wanted.has(found[1]):
            raise ItemUnreadable(item.key, "gone", _GONE)
        return found[0], address_of(found[1])

    def _in_block(self, item: Item, raw: Raw) -> tuple[Item, Raw] | None:
        file = file_in(raw)
        if file is None or is_trashed(raw):
            return None
        above = item.path.rpartition("/")[0]
        return item_of_block(raw, above, people=self._people.names, now=self._clock.now()), file

    def _in_property(self, item: Item, raw: Raw) -> tuple[Item, Raw] | None:
        if is_trashed(raw):
            return None
        found = items_of_properties(
            str(raw["id"]),
            str(raw.get("last_edited_time") or ""),
            raw.get("properties") or {},
            item.path.rpartition("/")[0],
            wanted=self._wanted,
            now=self._clock.now(),
        )
        return next(
            ((replace(each, path=item.path), file) for each, file in found if each.key == item.key), None
        )
