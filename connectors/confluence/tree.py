"""Where pages stand: the titles from the top of a space down to each, put together from parents."""

from __future__ import annotations

import sys
from collections.abc import Callable

from msgspec import Struct

from connectors.confluence.records import PAGE, Record

MOST_DEPTH = 200
Find = Callable[[str, str], Record | None]


class Node(Struct, frozen=True):
    """What is kept of a page, post or folder: enough for the paths of everything at and below it."""

    title: str
    parent: str | None
    parent_kind: str
    space: str


class Tree:
    """Pages, posts and folders by id.

    Args:
        find: Asks the source for the parent of that kind and id; None where it does not show one.
    """

    def __init__(self, find: Find) -> None:
        self._find = find
        self._nodes: dict[str, Node | None] = {}

    def add(self, record: Record) -> None:
        """Keep a record's place."""
        # Each answer writes its ids, kinds and spaces anew: one text of each is enough for all.
        parent = sys.intern(record.parent) if record.parent is not None else None
        kind, space = sys.intern(record.parent_kind), sys.intern(record.space)
        self._nodes[sys.intern(record.id)] = Node(record.title, parent, kind, space)

    def get(self, id: str) -> Node | None:
        """Return what was kept."""
        return self._nodes.get(id)

    def trail(self, id: str, *, ask_for_pages: bool) -> tuple[str, ...] | None:
        """Return the titles from the top down; what is above a parent that is not shown is left out.

        Args:
            id: A record that was added.
            ask_for_pages: Whether a parent page that is not kept yet is asked for; otherwise the answer is
                None, since a listing is about to bring it.
        """
        titles: list[str] = []
        step, kind, seen = id, PAGE, {""}
        while step not in seen and len(seen) <= MOST_DEPTH:
            seen.add(step)
            if step not in self._nodes:
                if kind == PAGE and not ask_for_pages:
                    return None
                found = self._find(kind, step)
                self._nodes[step] = None
                if found is not None:
                    self.add(found)
            node = self._nodes[step]
            if node is None:
                break
            titles.append(node.title)
            step, kind = node.parent or "", node.parent_kind or PAGE
        return tuple(reversed(titles))
