"""Where pages lie: the way from the workspace to each of them, asked for only where a listing has gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from catchment.core.errors import PermissionMissing
from catchment.kit.http import Missing
from connectors.notion.api import Api
from connectors.notion.items import DATA_SOURCE, Facts, facts_of, packed, path_part, unpacked
from connectors.notion.words import is_trashed, parent_of, title_of

_DEEPEST = 1000


class Node(Struct, frozen=True):
    """One step of a way.

    Attributes:
        title: Its part of the path; empty for what is passed over, such as columns.
        parent: Kind and id of the next step outwards.
        trashed: It lies in the trash itself.
    """

    title: str
    parent: tuple[str, str] | None
    trashed: bool = False


class Way(Struct, frozen=True):
    """How to get to a page.

    Attributes:
        path: With a slash between the titles; its own is the last.
        ids: Of all that it lies in, itself included.
        trashed: Something on the way lies in the trash, and so the page does.
        is_top: It lies in nothing that is shared.
    """

    path: str
    ids: frozenset[str]
    trashed: bool
    is_top: bool


class Places:
    """What is known about where things lie; asks for what is not known, once.

    Of each thing that a list told one small text is kept: there may be hundreds of thousands.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._told: dict[str, str] = {}
        self._nodes: dict[str, Node | None] = {}
        self.found: dict[str, Facts] = {}
        """Pages and data sources that no list told, and that were asked for as parents of others."""

    def note(self, facts: Facts) -> None:
        """Learn from a listing."""
        self._told[facts.id] = packed(facts)
        self._nodes.pop(facts.id, None)
        if facts.kind == DATA_SOURCE and facts.parent is not None:
            # The database has no part in paths: it is called as its data source mostly is.
            self._nodes.setdefault(facts.parent[1], Node("", facts.beyond))

    def facts(self, thing: str) -> Facts | None:
        """Return what a listing told of something last."""
        text = self._told.get(thing)
        return unpacked(text) if text is not None else None

    def in_order(self, things: Iterable[str]) -> Iterator[Facts]:
        """Yield the facts of things that were noted, earliest edit first."""
        return map(unpacked, sorted(self._told[thing] for thing in things))

    def look_up(self, thing: str) -> None:
        """Look at a page or data source that no list told, so that it is among `found` if it is there.

        Raises:
            SourceError: Notion does not answer.
        """
        for kind in ("page", "data_source"):
            if thing not in self._told and self._nodes.get(thing) is None:
                self._nodes.pop(thing, None)
                self._node(kind, thing)

    def way(self, facts: Facts) -> Way:
        """Return how to get to something.

        What is not shared with the integration, or is there no more, ends the way.

        Raises:
            SourceError: Notion does not answer.
        """
        parts = [path_part(facts.title)]
        ids = {facts.id}
        trashed, step = False, facts.parent
        while step is not None and step[1] not in ids and len(ids) < _DEEPEST:
            node = self._node(*step)
            if node is None:
                ids.add(step[1])
                break
            ids.add(step[1])
            if node.title:
                parts.append(node.title)
            trashed = trashed or node.trashed
            step = node.parent
        return Way("/".join(reversed(parts)), frozenset(ids), trashed, is_top=len(parts) == 1)

    def _node(self, kind: str, thing: str) -> Node | None:
        if thing not in self._nodes:
            told = self.facts(thing)
            try:
                self._nodes[thing] = _node_of(told) if told is not None else self._ask(kind, thing)
            except (Missing, PermissionMissing):
                self._nodes[thing] = None
        return self._nodes[thing]

    def _ask(self, kind: str, thing: str) -> Node:
        if kind == "block":
            raw = self._api.block(thing)
            return Node("", parent_of(raw), is_trashed(raw))
        if kind == "database":
            raw = self._api.database(thing)
            return Node(path_part(title_of(raw)), parent_of(raw), is_trashed(raw))
        raw = self._api.page(thing) if kind == "page" else self._api.data_source(thing)
        facts = facts_of(raw)
        if not is_trashed(raw):
            self.found[thing] = facts
        self.note(facts)
        return _node_of(facts, trashed=is_trashed(raw))


def _node_of(facts: Facts, *, trashed: bool = False) -> Node:
    return Node(path_part(facts.title), facts.parent, trashed)
