"""The files of a commit: one request for its tree, or one for each part of a tree that is too large."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from catchment.kit import SourceDown
from connectors.github.client import Client, Repository

LINK, SUBMODULE = "120000", "160000"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One file of a tree."""

    path: str
    sha: str
    mode: str
    size: int | None


def leaves(
    client: Client, repository: Repository, tree: str, head: str = "", *, whole: Row | None = None
) -> Iterator[Leaf]:
    """Yield every file below a tree.

    What GitHub cuts off is not used: the tree is then read level by level, and each folder on its own.

    Args:
        client: Who asks.
        repository: Of which.
        tree: Hash of the tree.
        head: Path of the folder that it is.
        whole: What `whole_tree` said of it, where that was asked for already.

    Raises:
        SourceError: A part of it cannot be had.
    """
    whole = whole or whole_tree(client, repository, tree)
    if not whole.get("truncated"):
        yield from (_leaf(head, raw) for raw in whole["tree"] if raw["type"] != "tree")
        return
    flat = _tree(client, repository, tree, recursive=False)
    if flat.get("truncated"):
        raise SourceDown(f"GitHub does not list the whole folder {head or '/'} of {repository.name}.")
    for raw in flat["tree"]:
        if raw["type"] == "tree":
            yield from leaves(client, repository, raw["sha"], f"{head}{raw['path']}/")
        else:
            yield _leaf(head, raw)


def whole_tree(client: Client, repository: Repository, tree: str) -> Row:
    """Return what GitHub says of a tree and everything below it, cut off where that is too much.

    Raises:
        SourceError: It cannot be had.
    """
    return _tree(client, repository, tree, recursive=True)


def _tree(client: Client, repository: Repository, tree: str, *, recursive: bool) -> Row:
    # Any value recurses, even 0: it is left out where only one level is wanted.
    tail = "?recursive=1" if recursive else ""
    told = client.http.get_json(f"{repository.api}/git/trees/{tree}{tail}")
    if not isinstance(told, dict) or not isinstance(told.get("tree"), list):
        raise SourceDown("GitHub's answer about a tree makes no sense.")
    return told


def _leaf(head: str, raw: dict[str, Any]) -> Leaf:
    return Leaf(f"{head}{raw['path']}", str(raw["sha"]), str(raw["mode"]), raw.get("size"))
