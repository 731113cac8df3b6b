"""All that is shared: what search knows, the rows of every data source, and what either of them left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from catchment.core.errors import SourceError
from catchment.kit import Item, SourceDown
from catchment.kit.http import Missing
from connectors.notion.api import Api
from connectors.notion.attached import Attached
from connectors.notion.items import DATA_SOURCE, ROW, Facts, RecentRows, facts_of, item_of
from connectors.notion.people import People
from connectors.notion.places import Places
from connectors.notion.words import Raw, is_trashed

Within = Callable[[frozenset[str]], bool]
"""Whether something belongs to a scope, by the ids of all that it lies in."""


class Listing:
    """One look at everything.

    Search lists by the last edit, and an edit moves a page to the other end: it could be passed over. So the
    latest come first, and the newest hundred are looked at once more at the end; where they differ, all is
    read a second time, the other way round. Rows come from their data source by the time they were made,
    which no edit changes.
    """

    def __init__(self, api: Api, rows: RecentRows, people: People, attached: Attached, *, now: float) -> None:
        self._api = api
        self._rows = rows
        self._people = people
        self._attached = attached
        self._now = now
        self._places = Places(api)
        self._things: set[str] = set()
        """Ids of all that is listed; what is known of each `Places` keeps."""

    def items(self, within: Within, root: str | None = None) -> Iterator[Item]:
        """Yield what lies within; what search told before it failed is yielded, too.

        Args:
            within: Tells by the ids of all that something lies in.
            root: Page or data source that all of it lies in, looked up where search tells nothing of it.

        Raises:
            SourceError: Not everything could be read.
        """
        failure: SourceError | None = None
        try:
            self._search()
        except SourceError as error:
            failure = error
        if root is not None and not any(within(self._places.way(each).ids) for each in self._told()):
            self._places.look_up(root)
        yield from self._pages(within)
        if failure is not None:
            raise failure
        for source in [each for each in self._told() if each.kind == DATA_SOURCE]:
            if within(self._places.way(source).ids):
                yield from self._of_source(source)

    def _told(self) -> Iterator[Facts]:
        return self._places.in_order(self._things)

    # -- pages and data sources -------------------------------------------------------------------

    def _search(self) -> None:
        falling, before, cut = self._pass("descending")
        if len(falling) == len(before) and not cut:
            return
        if before == self._newest() and not cut:
            return
        rising, _, _ = self._pass("ascending")
        if cut and rising.isdisjoint(falling):
            raise SourceDown(
                "Notion lists only a part of what is shared with the integration.",
                remedy="Share less with it, and make a second integration for the rest.",
            )

    def _newest(self) -> list[tuple[str, str]]:
        """Return what was edited last."""
        answer = next(self._api.search())
        self._note(answer)
        return _edits(answer)

    def _pass(self, direction: str) -> tuple[set[str], list[tuple[str, str]], bool]:
        """Read all; return the ids, what came first, and whether Notion left something out."""
        seen: set[str] = set()
        first: list[tuple[str, str]] | None = None
        cut = False
        for answer in self._api.search(direction=direction):
            self._note(answer)
            first = _edits(answer) if first is None else first
            seen.update(str(raw["id"]) for raw in answer["results"])
            cut = cut or _is_cut(answer)
        return seen, first or [], cut

    def _note(self, answer: Raw) -> None:
        for raw in answer["results"]:
            known = self._whole(raw)
            if known is None or is_trashed(known):
                continue
            facts = facts_of(known)
            before = self._places.facts(facts.id)
            if before is None or before.edited <= facts.edited:
                self._things.add(facts.id)
                self._places.note(facts)

    def _whole(self, raw: Raw) -> Raw | None:
        """Return a hit with all that the API tells of it; some come with their id alone."""
        if "parent" in raw:
            return raw
        try:
            if raw.get("object") == "data_source":
                return self._api.data_source(str(raw["id"]))
            return self._api.page(str(raw["id"]))
        except Missing:
            return None

    def _pages(self, within: Within) -> Iterator[Item]:
        """Yield pages and data sources; those too that were only found as parents of others."""
        for facts in self._told_and_found():
            # Of a row its parents are looked at: its data source may be one that search did not tell.
            way = self._places.way(facts)
            if way.trashed or not within(way.ids):
                continue
            if facts.kind == ROW and within(way.ids - {facts.id}):
                # Its data source tells of it; unless the row alone was chosen.
                continue
            yield item_of(facts, way.path, people=self._people.names, now=self._now)
            if facts.kind == ROW:
                # Search told its properties, too, but of thousands of pages nobody keeps them.
                raw = self._whole({"object": "page", "id": facts.id}) or {}
                yield from self._attached.in_properties(facts, raw, way.path, now=self._now)

    def _told_and_found(self) -> Iterator[Facts]:
        """Yield what lists told, and then what is found meanwhile as a parent of others."""
        yield from self._told()
        while found := [each for each in self._places.found.values() if each.id not in self._things]:
            self._things.update(each.id for each in found)
            yield from found

    # -- rows -----------------------------------------------------------------------------------

    def _of_source(self, source: Facts) -> Iterator[Item]:
        way = self._places.way(source)
        if way.trashed:
            return
        try:
            for facts, raw in read_rows(self._api, source.id, by="created_time"):
                self._rows.keep(facts, raw)
                path = self._places.way(facts).path
                yield item_of(facts, path, people=self._people.names, now=self._now)
                yield from self._attached.in_properties(facts, raw, path, now=self._now)
        except Missing:
            # Gone, or not shared any more, since search told of it; if it is still there, that was no answer.
            try:
                self._api.data_source(source.id)
            except Missing:
                return
            raise


def read_rows(api: Api, source: str, *, by: str, since: str | None = None) -> Iterator[tuple[Facts, Raw]]:
    """Yield every row of a data source once, earliest first, and go on where Notion gives no more at once.

    Raises:
        Missing: There is no such data source.
        SourceDown: More rows have one and the same time than Notion lists.
        SourceError: Notion does not answer.
    """
    seen: dict[str, str | None] = {}
    while True:
        cut, last = False, since
        for answer in api.rows(source, by=by, since=since):
            cut = cut or _is_cut(answer)
            for raw in answer["results"]:
                if raw.get("object") != "page" or "parent" not in raw or is_trashed(raw):
                    continue
                facts, at = facts_of(raw), raw.get(by)
                # Rows of one minute share one text.
                last = at if at and at != last else last
                if facts.id not in seen:
                    seen[facts.id] = last
                    yield facts, raw
        if not cut:
            return
        if last == since:
            raise SourceDown("Notion lists only a part of the rows of a data source.")
        # Those of the last minute come once more, and only they.
        since, seen = last, {each: at for each, at in seen.items() if at == last}


def _edits(answer: Raw) -> list[tuple[str, str]]:
    return [(str(raw["id"]), str(raw.get("last_edited_time"))) for raw in answer["results"]]


def _is_cut(answer: Raw) -> bool:
    status = answer.get("request_status")
    return isinstance(status, dict) and status.get("type") == "incomplete"
