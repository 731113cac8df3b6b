"""Single pages and data sources, by id."""

from __future__ import annotations

from catchment.kit import Item
from catchment.kit.http import Missing
from connectors.notion.api import Api
from connectors.notion.files import (
    PREFIX,
    PropertyPlace,
    Wanted,
    block_of,
    file_in,
    item_of_block,
    items_of_properties,
)
from connectors.notion.items import FILE, ROW, Facts, RecentRows, facts_of, item_of
from connectors.notion.people import People
from connectors.notion.places import Places, Way
from connectors.notion.words import Raw, is_trashed, parent_of


class Finder:
    """Looks things up; where they lie is asked for once."""

    def __init__(self, api: Api, rows: RecentRows, people: People, *, wanted: Wanted, now: float) -> None:
        self._api = api
        self._rows = rows
        self._people = people
        self._wanted = wanted
        self._now = now
        self._places = Places(api)

    def find(self, key: str) -> tuple[Item, Way] | None:
        """Return a page or data source; None where it is not there, not shared, or in the trash.

        Raises:
            SourceError: Notion does not answer.
        """
        if key.startswith(PREFIX):
            return self._file(key)
        raw = self._ask(key)
        if raw is None or is_trashed(raw):
            return None
        facts = facts_of(raw)
        way = self._places.way(facts)
        if way.trashed:
            return None
        if facts.kind == ROW:
            self._rows.keep(facts, raw)
        return item_of(facts, way.path, people=self._people.names, now=self._now), way

    def file(self, key: str) -> Item | None:
        """Return the file with this key; None where it is no more.

        Raises:
            SourceError: Notion does not answer.
        """
        found = self._file(key)
        return found[0] if found is not None else None

    def _file(self, key: str) -> tuple[Item, Way] | None:
        block, place = block_of(key), PropertyPlace.read(key)
        try:
            if block is not None:
                return self._in_block(self._api.block(block))
            return self._in_property(key, self._api.page(place.page)) if place is not None else None
        except Missing:
            return None

    def _in_block(self, raw: Raw) -> tuple[Item, Way] | None:
        if is_trashed(raw) or not self._wanted.has(file_in(raw) or {}):
            return None
        way = self._places.way(Facts(str(raw["id"]), FILE, FILE, parent_of(raw), None, "", None, None, None))
        if way.trashed:
            return None
        above = way.path.rpartition("/")[0]
        return item_of_block(raw, above, people=self._people.names, now=self._now), way

    def _in_property(self, key: str, raw: Raw) -> tuple[Item, Way] | None:
        facts = facts_of(raw)
        way = self._places.way(facts)
        if is_trashed(raw) or way.trashed:
            return None
        found = items_of_properties(
            facts.id, facts.edited, raw.get("properties") or {}, way.path, wanted=self._wanted, now=self._now
        )
        return next(((item, way) for item, _ in found if item.key == key), None)

    def _ask(self, key: str) -> Raw | None:
        for ask in (self._api.page, self._api.data_source):
            try:
                return ask(key)
            except Missing:
                continue
        return None

    def sees(self, key: str) -> bool:
        """Whether a page, data source or database is there and not in the trash.

        Raises:
            SourceError: Notion does not answer.
        """
        if self.find(key) is not None:
            return True
        try:
            return not is_trashed(self._api.database(key))
        except Missing:
            return False
