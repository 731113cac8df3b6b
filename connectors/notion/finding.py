"""Single pages and data sources, by id."""

from __future__ import annotations

from catchment.kit import Item
from catchment.kit.http import Missing
from connectors.notion.api import Api
from connectors.notion.items import ROW, RecentRows, facts_of, item_of
from connectors.notion.people import People
from connectors.notion.places import Places, Way
from connectors.notion.words import Raw, is_trashed


class Finder:
    """Looks things up; where they lie is asked for once."""

    def __init__(self, api: Api, rows: RecentRows, people: People, *, now: float) -> None:
        self._api = api
        self._rows = rows
        self._people = people
        self._now = now
        self._places = Places(api)

    def find(self, key: str) -> tuple[Item, Way] | None:
        """Return a page or data source; None where it is not there, not shared, or in the trash.

        Raises:
            SourceError: Notion does not answer.
        """
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
