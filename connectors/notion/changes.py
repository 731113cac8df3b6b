"""What happened since a moment: edits by search and by each data source, and what went into the trash."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from catchment.core.clock import iso
from catchment.kit import Changed, CursorExpired, Deleted, FeedEvent, Item
from catchment.kit.http import Missing
from connectors.notion.api import Api
from connectors.notion.attached import Attached
from connectors.notion.finding import Finder
from connectors.notion.items import ROW, Facts, RecentRows, facts_of, item_of
from connectors.notion.listing import Within, read_rows
from connectors.notion.people import People
from connectors.notion.places import Places
from connectors.notion.words import Raw, is_trashed, seconds

LOOK_BACK_SECONDS = 600.0
"""Search learns of edits late, times are rounded down to the minute, and Notion's clock is not ours."""
_AHEAD_SECONDS = 86_400.0


def mark_at(now: float) -> str:
    """Return the mark of a moment."""
    return json.dumps({"v": 1, "since": now})


def since_of(mark: str, *, now: float) -> float:
    """Return the moment of a mark.

    Raises:
        CursorExpired: It is none of ours, or lies in the future.
    """
    try:
        told = json.loads(mark)
        since = float(told["since"]) if told.get("v") == 1 else None
    except (ValueError, TypeError, KeyError, AttributeError):
        since = None
    if since is None or not 0 <= since <= now + _AHEAD_SECONDS:
        raise CursorExpired("The mark is none that this connector can begin at.")
    return since


class Changes:
    """One look at what is new."""

    def __init__(
        self, api: Api, rows: RecentRows, people: People, attached: Attached, finder: Finder, *, now: float
    ) -> None:
        self._api = api
        self._rows = rows
        self._people = people
        self._attached = attached
        self._finder = finder
        self._now = now
        self._places = Places(api)

    def events(self, since: float, within: Within) -> Iterator[FeedEvent]:
        """Yield what changed since a moment, earliest first, and then what went into the trash.

        Raises:
            SourceError: Notion does not answer.
        """
        bound = since - LOOK_BACK_SECONDS
        found = self._edited(bound)
        trashed: list[str] = []
        pages = self._pages(found, within, trashed)
        for item, files, gone in self._attached.found(pages, self._finder.file, now=self._now):
            yield Changed(item)
            yield from map(Changed, self._attached.not_recorded(files))
            yield from map(Deleted, gone)
        thrown = (str(raw["id"]) for raw in self._since(bound, in_trash=True))
        trashed.extend(each for each in thrown if each not in found)
        for key in trashed:
            yield Deleted(key)
            yield from map(Deleted, self._attached.known_files(key))

    def _edited(self, bound: float) -> dict[str, tuple[Facts, Raw]]:
        """Return what search and the data sources say was edited, by id."""
        found: dict[str, tuple[Facts, Raw]] = {}
        for raw in self._since(bound, in_trash=False):
            facts = facts_of(raw)
            found[facts.id] = facts, raw
            self._places.note(facts)
        for source in self._sources():
            self._places.note(source)
            try:
                for facts, raw in read_rows(self._api, source.id, by="last_edited_time", since=iso(bound)):
                    found[facts.id] = facts, raw
            except Missing:
                continue
        return found

    def _pages(
        self, found: Mapping[str, tuple[Facts, Raw]], within: Within, trashed: list[str]
    ) -> Iterator[Item]:
        """Yield what was edited, earliest first; what lies in something trashed is told apart."""
        for facts, raw in sorted(found.values(), key=lambda each: each[0].edited):
            way = self._places.way(facts)
            if way.trashed:
                trashed.append(facts.id)
            elif within(way.ids):
                yield item_of(facts, way.path, people=self._people.names, now=self._now)
                if facts.kind == ROW:
                    self._rows.keep(facts, raw)
                    yield from self._attached.in_properties(facts, raw, way.path, now=self._now)

    def _since(self, bound: float, *, in_trash: bool) -> Iterator[Raw]:
        for answer in self._api.search(in_trash=in_trash):
            for raw in answer["results"]:
                if (seconds(raw.get("last_edited_time")) or self._now) < bound:
                    return
                if "parent" in raw and is_trashed(raw) is in_trash:
                    yield raw

    def _sources(self) -> list[Facts]:
        return [
            facts_of(raw)
            for answer in self._api.search(kind="data_source")
            for raw in answer["results"]
            if "parent" in raw and not is_trashed(raw)
        ]
