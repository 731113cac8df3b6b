"""What Data Center says about who may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from catchment.kit import PermissionMissing
from catchment.kit.http import Missing
from connectors.confluence.access import Circle, Place
from connectors.confluence.client import Client
from connectors.confluence.datacenter import CONTENT, DataCenter
from connectors.confluence.records import Space
from connectors.confluence.rights import restriction_at, rows_by_place

_MEMBERS = 200


class DataCenterRights:
    """See `access.Rights`."""

    def __init__(self, client: Client, api: DataCenter) -> None:
        self._client = client
        self._api = api
        self._places: dict[str, Place | None] = {}
        self._names: dict[str, str] = {}

    def places(self, keys: Sequence[str]) -> Mapping[str, Place]:
        """Return where each of these stands, one request each, and one for each page that has parts."""
        return {key: place for key in keys if (place := self._place(key)) is not None}

    def space_name(self, space: Space) -> str:
        """Return the key: permissions are asked for by it."""
        return space.key

    def readers(self, space: str) -> Circle:
        """Return who may view a space.

        Raises:
            PermissionMissing: The site does not say.
        """
        try:
            rows = self._client.get_list(f"/rest/api/space/{quote(space)}/permissions")
        except Missing as error:
            raise PermissionMissing(
                f"The site does not say who may view the space {space}.",
                remedy="That takes Data Center 9.1, and an account that may administer the space.",
            ) from error
        users: set[str] = set()
        groups: set[str] = set()
        for row in rows:
            operation, subject = row.get("operation") or {}, row.get("subject") or {}
            if (operation.get("operationKey"), operation.get("targetType")) != ("read", "space"):
                continue
            if subject.get("type") == "group" and subject.get("name"):
                groups.add(str(subject["name"]))
            elif subject.get("type") == "user" and subject.get("userKey"):
                users.add(self._name_of(str(subject["userKey"])))
        return Circle(frozenset(users), frozenset(groups))

    def restriction(self, id: str) -> Circle:
        """Return whom a page or post is restricted to."""
        path = f"{CONTENT}/{quote(id)}/restriction/byOperation/read"
        return restriction_at(self._client, path, user="username", group="name")

    def members(self, group: str) -> frozenset[str]:
        """Return the users in a group, by name."""
        rows = rows_by_place(self._client, f"/rest/api/group/{quote(group, safe='')}/member", _MEMBERS)
        return frozenset(str(row["username"]) for row in rows if row.get("username"))

    def _place(self, key: str) -> Place | None:
        if key not in self._places:
            try:
                record, _, above = self._api.placed(key)
            except Missing:
                self._places[key] = None
            else:
                if record.is_part:
                    self._places[key] = self._place(record.container) if record.container else None
                else:
                    self._places[key] = Place(record.space, (record.id, *reversed(above)))
        return self._places[key]

    def _name_of(self, user_key: str) -> str:
        if user_key not in self._names:
            try:
                told = self._client.get("/rest/api/user", {"key": user_key})
            except Missing:
                told = {}
            self._names[user_key] = str(told.get("username") or "")
        return self._names[user_key]
