"""The files of a commit: one request for its tree, or one for each part of a tree that is too large."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
from msgspec import Struct

from catchment.kit import SourceDown
from connectors.github.client import Client, Repository

LINK, SUBMODULE = "120000", "160000"
_BETWEEN = re.compile(r"[\s,:]*")
_decode = json.JSONDecoder().raw_decode
Row = dict[str, Any]


class Leaf(Struct, frozen=True):
    """One file of a tree."""

    path: str
    sha: str
    mode: str
    size: int | None


class Tree(Struct, frozen=True):
    """GitHub's answer about a tree, up to 7 MB with 100,000 entries.

    It is kept as it was written, and its entries are read one by one: all at once they would take ten times
    the memory.

    Attributes:
        text: The answer.
        begin: Where its entries begin.
        truncated: Whether GitHub left some out.
    """

    text: str
    begin: int
    truncated: bool

    @classmethod
    def read(cls, response: httpx.Response) -> Tree:
        """Read an answer.

        Raises:
            ValueError: It is no JSON.
            SourceDown: It is about something else.
        """
        text = response.text
        begin, truncated = -1, False
        at = _after(text, 0, "{")
        while text[at : at + 1] != "}":
            name, at = _value(text, at)
            if name == "tree":
                begin = at
                at = _end(text, at)
            else:
                value, at = _value(text, at)
                truncated = truncated or (name == "truncated" and value is True)
        if begin < 0:
            raise SourceDown("GitHub's answer about a tree makes no sense.")
        return cls(text, begin, truncated)

    def rows(self) -> Iterator[Row]:
        """Yield its entries."""
        at = _after(self.text, self.begin, "[")
        while self.text[at] != "]":
            row, at = _value(self.text, at)
            yield row


def _after(text: str, at: int, wanted: str) -> int:
    if text[at : at + 1] != wanted:
        raise ValueError(f"there is no {wanted}")
    return _BETWEEN.match(text, at + 1).end()  # type: ignore[union-attr] # nothing between is a match, too


def _value(text: str, at: int) -> tuple[Any, int]:
    value, at = _decode(text, at)
    return value, _BETWEEN.match(text, at).end()  # type: ignore[union-attr]


def _end(text: str, begin: int) -> int:
    """Return where a list ends, having read all of it."""
    at = _after(text, begin, "[")
    while text[at : at + 1] != "]":
        _, at = _value(text, at)
    return _after(text, at, "]")


def leaves(
    client: Client, repository: Repository, tree: str, head: str = "", *, whole: Tree | None = None
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
    if not whole.truncated:
        yield from (_leaf(head, raw) for raw in whole.rows() if raw["type"] != "tree")
        return
    flat = _tree(client, repository, tree, recursive=False)
    if flat.truncated:
        raise SourceDown(f"GitHub does not list the whole folder {head or '/'} of {repository.name}.")
    for raw in flat.rows():
        if raw["type"] == "tree":
            yield from leaves(client, repository, raw["sha"], f"{head}{raw['path']}/")
        else:
            yield _leaf(head, raw)


def whole_tree(client: Client, repository: Repository, tree: str) -> Tree:
    """Return what GitHub says of a tree and everything below it, cut off where that is too much.

    Raises:
        SourceError: It cannot be had.
    """
    return _tree(client, repository, tree, recursive=True)


def _tree(client: Client, repository: Repository, tree: str, *, recursive: bool) -> Tree:
    # Any value recurses, even 0: it is left out where only one level is wanted.
    tail = "?recursive=1" if recursive else ""
    return client.http.read(f"{repository.api}/git/trees/{tree}{tail}", Tree.read)


def _leaf(head: str, raw: dict[str, Any]) -> Leaf:
    return Leaf(f"{head}{raw['path']}", str(raw["sha"]), str(raw["mode"]), raw.get("size"))
