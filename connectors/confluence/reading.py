"""A site in Cloud as located records: all of a scope, what was changed lately, and single ones by id."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Protocol

from catchment.core.errors import PermissionMissing
from catchment.kit.http import Missing
from connectors.confluence.cloud import Cloud
from connectors.confluence.config import ConfluenceConfig
from connectors.confluence.labels import Labels, bare, small
from connectors.confluence.records import (
    ATTACHMENT,
    BLOGPOST,
    FOLDER,
    FOOTER,
    INLINE,
    PAGE,
    Located,
    Record,
    Space,
    day_of,
    post_trail,
)
from connectors.confluence.tree import Tree

MOST_SHARED = 50_000
"""Parts of the site that are kept for the next scope of the same run; more are asked for again."""
MOST_HELD = 1_000
"""So many of what is kept keep the bodies that came along, too."""


class Reading(Protocol):
    """What listings, changes and look-ups are made of, whatever the dialect."""

    def spaces(self, keys: Sequence[str] = ()) -> Iterator[Space]:
        """Yield the spaces with these keys, or all that are read."""

    def walk(self, space: Space | None, *, with_bodies: bool = False) -> Iterator[Located]:
        """Yield everything in a space, or in the whole site; with the bodies that cost no more."""

    def recent(self, space: Space | None, since: float) -> Iterator[Located]:
        """Yield at least what has had a new version since then, in any order."""

    def look_up(self, ids: Sequence[str]) -> Iterator[tuple[str, Located | None]]:
        """Yield each id, and what it is: None where the source does not show it."""


class CloudReading:
    """See `Reading`."""

    def __init__(self, api: Cloud, config: ConfluenceConfig) -> None:
        self._api = api
        self._config = config
        self._tree = Tree(self._parent)
        self._holders: dict[str, Record | None] = {}
        self._folders: dict[str, Record | None] = {}
        self._labels = Labels(api)
        self._by_id: dict[str, Space] | None = None
        self._shared: dict[str, list[Record]] = {}
        self._lately: dict[str, tuple[float, list[Record]]] = {}

    def spaces(self, keys: Sequence[str] = ()) -> Iterator[Space]:
        """Yield the spaces with these keys, or all that are read."""
        return self._api.spaces(keys)

    # -- everything -------------------------------------------------------------------------------

    def walk(self, space: Space | None, *, with_bodies: bool = False) -> Iterator[Located]:
        """Yield pages, posts, and then what belongs to them.

        Pages come by id, so that edits do not move them between the pages of the list. One whose parent
        comes later is held until then.
        """
        spaces = {space.id: space} if space is not None else self._all_spaces()
        tree, days = Tree(self._folder), dict[str, str]()
        yield from self._pages(space, spaces, tree, with_bodies=with_bodies)
        for record in self._documents(BLOGPOST, space, with_bodies=with_bodies):
            if record.space in spaces:
                tree.add(record)
                days[sys.intern(record.id)] = sys.intern(day_of(record.created))
                yield Located(record, spaces[record.space].key, post_trail(record.created, record.title))
        for kind in self._part_kinds():
            for record in self._all_parts(kind, with_bodies=with_bodies):
                node = tree.get(record.container)
                if node is not None:
                    day = days.get(record.container)
                    above = (
                        ("blog", day, node.title) if day else tree.trail(record.container, ask_for_pages=True)
                    )
                    yield Located(record, spaces[node.space].key, above or ())

    def _documents(self, kind: str, space: Space | None, *, with_bodies: bool) -> Iterator[Record]:
        records = self._api.documents(kind, space, with_bodies=with_bodies)
        return self._labels.put_on(kind, map(small, records)) if with_bodies else records

    def _pages(
        self, space: Space | None, spaces: dict[str, Space], tree: Tree, *, with_bodies: bool
    ) -> Iterator[Located]:
        held: list[Record] = []
        for record in self._documents(PAGE, space, with_bodies=with_bodies):
            if record.space not in spaces:
                continue
            tree.add(record)
            trail = tree.trail(record.id, ask_for_pages=False)
            if trail is None:
                held.append(bare(record) if len(held) >= MOST_HELD else record)
            else:
                yield Located(record, spaces[record.space].key, trail)
        for record in held:
            # A parent that the whole list does not have is restricted or archived: nothing above it is shown.
            trail = tree.trail(record.id, ask_for_pages=True) or (record.title,)
            yield Located(record, spaces[record.space].key, trail)

    def _all_parts(self, kind: str, *, with_bodies: bool) -> Iterator[Record]:
        """Yield the parts of the site; several scopes of one run ask only once."""
        if kind in self._shared:
            yield from self._shared[kind]
            return
        keep = len(self._config.space_keys) > 1
        kept: list[Record] = []
        for record in map(small, self._api.parts(kind, with_bodies=with_bodies)):
            if keep:
                kept.append(bare(record) if len(kept) >= MOST_HELD else record)
                keep = sum(map(len, self._shared.values())) + len(kept) <= MOST_SHARED
            yield record
        if keep:
            self._shared[kind] = kept

    # -- what is new ------------------------------------------------------------------------------

    def recent(self, space: Space | None, since: float) -> Iterator[Located]:
        """Yield what has had a new version since then, newest first within each kind."""
        for kind in (PAGE, BLOGPOST):
            for record in self._api.documents(kind, space, newest_first=True):
                if record.modified is not None and record.modified < since:
                    break
                if (located := self._located(record, space)) is not None:
                    yield located
        for kind in self._part_kinds():
            for record in self._recent_parts(kind, since):
                if (located := self._located(record, space)) is not None:
                    yield located

    def _recent_parts(self, kind: str, since: float) -> Iterator[Record]:
        """Yield the newest parts of the site; the next scope of a run begins later, and asks nothing."""
        before, known = self._lately.get(kind, (float("inf"), []))
        if since < before:
            known = []
            for record in self._api.parts(kind, newest_first=True):
                if record.modified is not None and record.modified < since:
                    break
                known.append(record)
            self._lately[kind] = (since, known)
        yield from (record for record in known if record.modified is None or record.modified >= since)

    # -- single ones ------------------------------------------------------------------------------

    def look_up(self, ids: Sequence[str]) -> Iterator[tuple[str, Located | None]]:
        """Yield each id and what it is: pages and posts many at a time, the others one by one."""
        numbers = [id for id in ids if id.isdecimal()]
        found = {record.id: record for record in self._api.by_ids(PAGE, numbers)} if numbers else {}
        rest = [id for id in numbers if id not in found]
        found |= {record.id: record for record in self._api.by_ids(BLOGPOST, rest)} if rest else {}
        for id in ids:
            record = found.get(id) or self._part(id)
            yield id, self._located(record, None) if record is not None else None

    def _part(self, id: str) -> Record | None:
        kinds = (ATTACHMENT,) if id.startswith("att") else (FOOTER, INLINE)
        for kind in kinds:
            if kind in self._part_kinds():
                try:
                    return self._api.one(kind, id)
                except Missing:
                    continue
        return None

    def _located(self, record: Record, space: Space | None) -> Located | None:
        """Return where a record stands; None where that is out of what is read."""
        holder = self._holder(record) if record.is_part else record
        if holder is None or not self._is_read(holder):
            return None
        if space is not None and holder.space != space.id:
            return None
        key = space.key if space is not None else self._key_of(holder.space)
        if key is None:
            return None
        if holder.kind == BLOGPOST:
            return Located(record, key, post_trail(holder.created, holder.title))
        self._tree.add(holder)
        return Located(record, key, self._tree.trail(holder.id, ask_for_pages=True) or (holder.title,))

    def _holder(self, record: Record) -> Record | None:
        """Return the page or post that a part belongs to."""
        id = record.container
        if id not in self._holders:
            try:
                self._holders[id] = self._api.one(record.container_kind, id) if id else None
            except Missing:
                self._holders[id] = None
        return self._holders[id]

    def _is_read(self, record: Record) -> bool:
        return record.status == "current" or (record.status == "archived" and self._config.include_archived)

    def _parent(self, kind: str, id: str) -> Record | None:
        """Ask for a page or folder above, and answer as the list of all would."""
        if kind != PAGE:
            return self._folder(kind, id)
        try:
            found = self._api.one(kind, id)
        except Missing:
            return None
        return found if self._is_read(found) else None

    def _folder(self, kind: str, id: str) -> Record | None:
        """Ask for a folder above; one that may not be seen has no name, and nothing above it."""
        if kind != FOLDER:
            return None
        if id not in self._folders:
            try:
                self._folders[id] = self._api.one(kind, id)
            except (Missing, PermissionMissing):
                self._folders[id] = None
        return self._folders[id]

    def _part_kinds(self) -> list[str]:
        return [ATTACHMENT] * self._config.attachments + [FOOTER, INLINE] * self._config.comments

    def _all_spaces(self) -> dict[str, Space]:
        if self._by_id is None:
            keys = self._config.space_keys
            self._by_id = {space.id: space for space in self._api.spaces(keys)}
        return self._by_id

    def _key_of(self, space_id: str) -> str | None:
        space = self._all_spaces().get(space_id)
        return space.key if space is not None else None
