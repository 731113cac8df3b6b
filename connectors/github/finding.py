"""Looking up single files, issues and discussions by key or path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from msgspec import Struct, field

from catchment.kit import Found, Item, Scope, SourceDown
from catchment.kit.http import Missing
from connectors.github import threads
from connectors.github.client import Client, Repository
from connectors.github.files import Files
from connectors.github.issues import item_of
from connectors.github.places import (
    DISCUSSION,
    DISCUSSIONS,
    FILES,
    FilePlace,
    TalkPlace,
    read_scope,
    read_talk,
)
from connectors.github.trees import LINK, SUBMODULE, Leaf

NODES = 100
"""Most nodes that one question names."""
MOST_FAILURES = 5
"""Issues in a row that are not shown before it counts as GitHub's failure, and not as theirs."""
_QUESTION = (
    "query($ids: [ID!]!) { nodes(ids: $ids) { __typename"
    " ... on Issue { id number repository { databaseId } }"
    " ... on PullRequest { id number repository { databaseId } } } }"
)


class _Places(Struct):
    """The repositories of the scopes, with the key of each scope."""

    branches: list[tuple[Repository, str, str]] = field(default_factory=list)
    talks: dict[int, tuple[Repository, str]] = field(default_factory=dict)
    discussions: dict[int, tuple[Repository, str]] = field(default_factory=dict)


_MODES = {"symlink": LINK, "submodule": SUBMODULE}


class Finder:
    """Answers each name once."""

    def __init__(self, client: Client, files: Files) -> None:
        self._client = client
        self._files = files
        self._failed = 0

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        """Look names up, which are keys or paths.

        Raises:
            SourceError: GitHub cannot be asked, so that nothing can be said about absence.
        """
        self._failed = 0
        places = self._places(scopes)
        nodes = []
        for name in names:
            # No path of a file has two colons as its key does; a node id has no slash.
            if FilePlace.read(name) is not None:
                yield self._by_key(places, name)
            elif "/" in name:
                yield self._by_path(places, name)
            else:
                nodes.append(name)
        for start in range(0, len(nodes), NODES):
            yield from self._by_node(places, nodes[start : start + NODES])

    def _places(self, scopes: Sequence[Scope]) -> _Places:
        found = _Places()
        for scope in scopes:
            read = read_scope(scope.key)
            if read is None:
                continue
            repository = self._client.repository_by_id(read[0])
            if read[1] == FILES:
                found.branches.append((repository, read[2], scope.key))
            elif read[1] == DISCUSSIONS:
                found.discussions[repository.id] = (repository, scope.key)
            else:
                found.talks[repository.id] = (repository, scope.key)
        return found

    def _by_key(self, places: _Places, name: str) -> Found:
        place = FilePlace.read(name)
        assert place is not None
        for repository, branch, scope in places.branches:
            if (repository.id, branch) == (place.repository, place.branch):
                return self._file(repository, branch, place.path, scope, name)
        return Found(name, None)

    def _by_path(self, places: _Places, name: str) -> Found:
        talk = read_talk(name)
        is_discussion = talk is not None and talk.kind == DISCUSSION
        for repository, scope in (places.discussions if is_discussion else places.talks).values():
            if talk is not None and repository.name == talk.repository:
                item = self._talk(repository, talk)
                if item is not None:
                    return Found(name, item, scope)
        for repository, branch, scope in places.branches:
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

    def _looked_up(self, name: str, home: tuple[Repository, str], number: int) -> Found:
        """Look an issue up; one that GitHub fails to show is unknown, and keeps no other from being found."""
        repository, scope = home
        try:
            item = self._issue(repository, number)
        except SourceDown as error:
            self._failed += 1
            if self._failed >= MOST_FAILURES:
                raise
            return Found(name, None, unknown=str(error))
        self._failed = 0
        return Found(name, item, scope if item is not None else None)

    def _talk(self, repository: Repository, talk: TalkPlace) -> Item | None:
        if talk.kind == DISCUSSION:
            return threads.by_number(self._client, repository, talk.number)
        return self._issue(repository, talk.number)

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

    def _by_node(self, places: _Places, names: Sequence[str]) -> Iterator[Found]:
        """REST finds issues by number only; the other API knows them by their ids."""
        if not places.talks and not places.discussions:
            yield from (Found(name, None) for name in names)
            return
        nodes = self._client.graph.ask(_QUESTION, ids=list(names)).get("nodes")
        if not isinstance(nodes, list) or len(nodes) != len(names):
            raise SourceDown("GitHub's answer about ids of issues makes no sense.")
        rest = []
        for name, node in zip(names, nodes, strict=True):
            if (node or {}).get("__typename") == "Discussion":
                rest.append(name)
                continue
            number = (node or {}).get("number")
            home = places.talks.get(((node or {}).get("repository") or {}).get("databaseId") or 0)
            if home is None or number is None:
                yield Found(name, None)
            else:
                yield self._looked_up(name, home, int(number))
        if rest:
            yield from self._discussed(places, rest)

    def _discussed(self, places: _Places, names: list[str]) -> Iterator[Found]:
        homes = {number: repository for number, (repository, _) in places.discussions.items()}
        scopes = {repository.name: scope for repository, scope in places.discussions.values()}
        for name, item in zip(names, threads.by_node(self._client, homes, names), strict=True):
            yield Found(name, item, scopes[item.metadata["repository"]] if item is not None else None)
