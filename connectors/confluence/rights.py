"""What Cloud says about who may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catchment.core.errors import SourceDown
from catchment.kit.http import Missing
from connectors.confluence.access import Circle, Place
from connectors.confluence.client import PAGE_ITEMS, Client
from connectors.confluence.cloud import V2, Cloud
from connectors.confluence.records import ATTACHMENT, BLOGPOST, FOLDER, FOOTER, INLINE, PAGE, Record, Space

_MEMBERS = 200
_NAMED = 100
_READS_ALL = ("read", "space")


class CloudRights:
    """See `access.Rights`."""

    def __init__(self, client: Client, api: Cloud) -> None:
        self._client = client
        self._api = api
        self._known: dict[str, Record | None] = {}

    def places(self, keys: Sequence[str]) -> Mapping[str, Place]:
        """Return where each of these stands, many at a time."""
        parts = {key: self._part(key) for key in keys if not key.isdecimal()}
        self._learn([key for key in keys if key.isdecimal()])
        for key in keys:
            if key.isdecimal() and self._known.get(key) is None:
                # Neither page nor post; a comment, then.
                parts[key] = self._part(key)
        self._learn([record.container for record in parts.values() if record is not None])
        holders = {key: parts[key].container if parts.get(key) else key for key in keys}  # type: ignore[union-attr]
        self._climb(holder for holder in holders.values())
        return {key: place for key, holder in holders.items() if (place := self._place(holder)) is not None}

    def space_name(self, space: Space) -> str:
        """Return the id: permissions are asked for by it."""
        return space.id

    def readers(self, space: str) -> Circle:
        """Return who may view a space: users and groups by name, and those in roles that allow it."""
        users: set[str] = set()
        groups: set[str] = set()
        roles: set[str] = set()
        for row in self._client.rows(f"{V2}/spaces/{space}/permissions", {"limit": PAGE_ITEMS}):
            operation, principal = row.get("operation") or {}, row.get("principal") or {}
            if (operation.get("key"), operation.get("targetType")) != _READS_ALL:
                continue
            kinds = {"user": users, "group": groups, "role": roles}
            if principal.get("type") in kinds and principal.get("id"):
                kinds[principal["type"]].add(str(principal["id"]))
        for role in sorted(roles):
            self._members_of_role(space, role, users, groups)
        return Circle(frozenset(users), frozenset(groups))

    def restriction(self, id: str) -> Circle:
        """Return whom a page, post or folder is restricted to."""
        path = f"/wiki/rest/api/content/{id}/restriction/byOperation/read"
        return restriction_at(self._client, path, user="accountId", group="id")

    def members(self, group: str) -> frozenset[str]:
        """Return the account ids in a group."""
        path = f"/wiki/rest/api/group/{group}/membersByGroupId"
        return frozenset(str(row["accountId"]) for row in rows_by_place(self._client, path, _MEMBERS))

    def _members_of_role(self, space: str, role: str, users: set[str], groups: set[str]) -> None:
        path = f"{V2}/spaces/{space}/role-assignments"
        for row in self._client.rows(path, {"role-id": role, "limit": PAGE_ITEMS}):
            principal = row.get("principal") or {}
            # Classes of people (all who may sign in, anybody) are no names, and let nobody in.
            kinds = {"USER": users, "GROUP": groups}
            if principal.get("principalType") in kinds and row.get("roleId") == role:
                kinds[principal["principalType"]].add(str(principal.get("principalId")))

    def _part(self, key: str) -> Record | None:
        for kind in (ATTACHMENT,) if key.startswith("att") else (FOOTER, INLINE):
            try:
                return self._api.one(kind, key)
            except Missing:
                continue
        return None

    def _learn(self, ids: Sequence[str]) -> None:
        """Ask for pages, then posts, that are not known yet."""
        wanted = list(dict.fromkeys(id for id in ids if id and id not in self._known))
        for kind in (PAGE, BLOGPOST):
            if wanted:
                self._known.update((record.id, record) for record in self._api.by_ids(kind, wanted))
                wanted = [id for id in wanted if id not in self._known]
        self._known.update(dict.fromkeys(wanted))

    def _climb(self, ids: Any) -> None:
        """Ask for everything above these, a level at a time."""
        level = list(ids)
        while level:
            above = [known.parent for id in level if (known := self._known.get(id)) and known.parent]
            new = [id for id in dict.fromkeys(above) if id not in self._known]
            for id in level:
                known = self._known.get(id)
                if known and known.parent in new and known.parent_kind == FOLDER:
                    self._known[known.parent] = self._folder(known.parent)
            self._learn([id for id in new if id not in self._known])
            level = new

    def _folder(self, id: str) -> Record | None:
        try:
            return self._api.one(FOLDER, id)
        except Missing:
            return None

    def _place(self, holder: str) -> Place | None:
        """Return the chain up to the top; None where a part of it is hidden: nobody knows what it says."""
        chain: list[str] = []
        step: str | None = holder
        while step:
            known = self._known.get(step)
            if known is None or step in chain:
                return None
            chain.append(step)
            step = known.parent
        space = self._known[holder].space if chain else ""  # type: ignore[union-attr]
        return Place(space, tuple(chain)) if space else None


def restriction_at(client: Client, path: str, *, user: str, group: str) -> Circle:
    """Read a restriction of version 1, whose users and groups share one position.

    Args:
        client: The site.
        path: Of the restriction to read.
        user: What names a user.
        group: What names a group.
    """
    users: set[str] = set()
    groups: set[str] = set()
    start = 0
    while True:
        params = {"expand": "restrictions.user,restrictions.group", "start": start, "limit": _NAMED}
        named = client.get(path, params).get("restrictions")
        if not isinstance(named, dict) or "user" not in named or "group" not in named:
            raise SourceDown(f"The answer of {path} does not say who may read.")
        found = {kind: named[kind].get("results") or [] for kind in ("user", "group")}
        users |= {_named(row, user) for row in found["user"]}
        groups |= {_named(row, group) for row in found["group"]}
        if max(map(len, found.values())) < _NAMED:
            return Circle(frozenset(users), frozenset(groups))
        start += _NAMED


def _named(row: dict[str, Any], name: str) -> str:
    """Return the name of somebody; one without is a name that nobody has, so that a restriction stays one."""
    return str(row.get(name) or "")


def rows_by_place(client: Client, path: str, limit: int) -> list[dict[str, Any]]:
    """Return the rows of a list of version 1, which go on until a page is not full."""
    rows: list[dict[str, Any]] = []
    while True:
        page = client.get(path, {"start": len(rows), "limit": limit}).get("results")
        if not isinstance(page, list):
            raise SourceDown(f"The answer of {path} is no page of a list.")
        rows += [row for row in page if isinstance(row, dict)]
        if len(page) < limit:
            return rows
