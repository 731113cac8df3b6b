"""Who may read a repository: everybody, on GitHub's word, or those whom it lists; else nobody."""

from __future__ import annotations

from collections.abc import Sequence

from catchment.kit import AccessEntry, AccessList, Item
from connectors.github.client import Client, Repository, query
from connectors.github.places import FilePlace, read_talk


class Access:
    """Reads the access lists of repositories, each once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lists: dict[str, AccessList] = {}

    def lists(self, items: Sequence[Item]) -> dict[str, AccessList]:
        """Return who may read each item: whoever may read its repository.

        The list of collaborators is the effective one: it has members of teams and of the organisation, as
        far as they may read.

        Raises:
            PermissionMissing: The credentials may not see the collaborators.
            SourceError: They cannot be read.
        """
        found: dict[str, AccessList] = {}
        for item in items:
            place, talk = FilePlace.read(item.key), read_talk(item.path)
            if place is not None:
                found[item.key] = self._of(str(place.repository))
            elif talk is not None:
                found[item.key] = self._of(talk.repository)
        return found

    def _of(self, name: str) -> AccessList:
        if name not in self._lists:
            # It is asked for anew, since whether it is public may be just what has changed.
            address = f"/repositories/{name}" if name.isdecimal() else f"/repos/{name}"
            self._lists[name] = self._read(Repository.of(self._client.http.get_json(address)))
        return self._lists[name]

    def _read(self, repository: Repository) -> AccessList:
        if repository.is_public:
            return AccessList(public=True)
        people = [
            AccessEntry("user", str(raw["login"]))
            for page in self._client.pages(query(f"{repository.api}/collaborators", affiliation="all"))
            for raw in page
            if (raw.get("permissions") or {}).get("pull") is not False
        ]
        return AccessList(entries=tuple(people))
