"""Looking up single files and issues by key or path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from catchment.kit import Found, Item, Scope, SourceDown
from catchment.kit.http import Missing
from connectors.github.client import Client, Repository
from connectors.github.files import Files
from connectors.github.issues import item_of
from connectors.github.places import FILES, FilePlace, read_scope, read_talk
from connectors.github.trees import LINK, SUBMODULE, Leaf

NODES = 100
"""Most nodes that one question names."""
_QUESTION = (
    "query($ids: [ID!]!) { nodes(ids: $ids) { __typename"
    " ... on Issue { id number repository { databaseId } }"
    " ... on PullRequest { id number repository { databaseId } } } }"
)
_MODES = {"symlink": LINK, "submodule": SUBMODULE}


class Finder:
    """Answers each name once."""

    def __init__(self, client: Client, files: Files) -> None:
        self._client = client
        self._files = files

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        """Look names up, which are keys or paths.

        Raises:
            SourceError: GitHub cannot be asked, so that nothing can be said about absence.
        """
        branches: list[tuple[Repository, str, str]] = []
        talks: dict[int, tuple[Repository, str]] = {}
        for scope in scopes:
            read = read_scope(scope.key)
            if read is None:
                continue
            repository = self._client.repository_by_id(read[0])
            if read[1] == FILES:
                branches.append((repository, read[2], scope.key))
            else:
                talks[repository.id] = (repository, scope.key)
        nodes = []
        for name in names:
            # No path of a file has two colons as its key does; a node id has no slash.
            if FilePlace.read(name) is not None:
                yield self._by_key(branches, name)
            elif "/" in name:
                yield self._by_path(branches, talks, name)
            else:
                nodes.append(name)
        for start in range(0, len(nodes), NODES):
            yield from self._by_node(talks, nodes[start : start + NODES])

    def _by_key(self, branches: list[tuple[Repository, str, str]], name: str) -> Found:
        place = FilePlace.read(name)
        assert place is not None
        for repository, branch, scope in branches:
            if (repository.id, branch) == (place.repository, place.branch):
                return self._file(repository, branch, place.path, scope, name)
        return Found(name, None)

    def _by_path(
        self,
        branches: list[tuple[Repository, str, str]],
        talks: dict[int, tuple[Repository, str]],
        name: str,
    ) -> Found:
        talk = read_talk(name)
        for repository, scope in talks.values():
            if talk is not None and repository.name == talk[0]:
                item = self._issue(repository, talk[1])
                if item is not None:
                    return Found(name, item, scope)
        for repository, branch, scope in branches:
            if name.startswith(f"{repository.name}/"):
                found = self._file(repository, branch, name[len(repository.name) + 1 :], scope, name)
                if found.item is not None:
                    return found
        return Found(name, None)

    def _file(self, repository: Repository, branch: str, path: str, scope: str, name: str) -> Found:
        address = f"{repository.api}/contents/{quote(path)}?ref={quote(branch, safe='')}"
        try:
            told = self._client.http.get_json(address)
        except Missing:
            return Found(name, None)
        if not isinstance(told, dict) or not self._files.admits(path):
            return Found(name, None)  # a folder is a list
        leaf = Leaf(path, str(told["sha"]), _MODES.get(str(told.get("type")), ""), told.get("size"))
        return Found(name, self._files.item(repository, branch, leaf), scope)

    def _issue(self, repository: Repository, number: int) -> Item | None:
        kind = "issues" if repository.has_issues else "pulls"
        try:
            raw = self._client.http.get_json(f"{repository.api}/{kind}/{number}")
        except Missing:
            return None
        # A transferred issue leads to another repository.
        if raw.get("number") != number or not self._is_of(repository, raw):
            return None
        if not repository.has_issues:
            raw.pop("comments", None)
        return item_of(repository, raw)

    @staticmethod
    def _is_of(repository: Repository, raw: dict[str, Any]) -> bool:
        address = str(raw.get("repository_url") or "")
        return not address or address.lower().endswith(f"/{repository.name.lower()}")

    def _by_node(self, talks: dict[int, tuple[Repository, str]], names: Sequence[str]) -> Iterator[Found]:
        """REST finds issues by number only; the other API knows them by their ids."""
        if not talks:
            yield from (Found(name, None) for name in names)
            return
        sent = {"query": _QUESTION, "variables": {"ids": list(names)}}
        told = self._client.http.json_of("POST", self._client.config.graphql_url, json=sent)
        nodes = ((told or {}).get("data") or {}).get("nodes") if isinstance(told, dict) else None
        if not isinstance(nodes, list) or len(nodes) != len(names):
            raise SourceDown("GitHub's answer about ids of issues makes no sense.")
        for name, node in zip(names, nodes, strict=True):
            number = (node or {}).get("number")
            home = talks.get(((node or {}).get("repository") or {}).get("databaseId") or 0)
            item = self._issue(home[0], int(number)) if home is not None and number is not None else None
            yield Found(name, item, home[1] if home is not None and item is not None else None)
