"""The files of one branch: all of them by the tree of its newest commit, changes by comparing commits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from catchment.kit import (
    Changed,
    Complete,
    ConfigRejected,
    CursorExpired,
    Deleted,
    FeedEvent,
    Item,
    ListingEvent,
    Session,
    SourceDown,
)
from catchment.kit.http import Missing
from connectors.github.archive import Archives
from connectors.github.client import Client, Repository
from connectors.github.config import patterns_of
from connectors.github.places import FilePlace, file_path, file_url
from connectors.github.trees import LINK, SUBMODULE, Leaf, leaves, whole_tree

MOST_COMPARED = 300
"""GitHub names at most so many files of a comparison, and does not say that there are more."""
_REFUSALS = {LINK: "symlink", SUBMODULE: "submodule"}


class Head(Struct, frozen=True):
    """The newest commit of a branch."""

    commit: str
    tree: str
    etag: str | None


class Files:
    """Reads the files of branches."""

    def __init__(self, client: Client, session: Session) -> None:
        self._client = client
        self.archives = Archives(client, session, self.admits)
        lines = client.config.path_filter
        self._patterns = patterns_of(lines) if lines else None

    def admits(self, path: str) -> bool:
        """Whether the path filter lets a file in; the path is that in the repository."""
        return self._patterns is None or self._patterns.match_file(path)

    # -- listing --------------------------------------------------------------------------------

    def listing(
        self, repository: Repository, branch: str, *, with_content: bool = False
    ) -> Iterator[ListingEvent]:
        """Yield every file of a branch, and what is refused; last `Complete`.

        All of it is of one commit, which is the mark, so that nothing can change meanwhile. With content the
        bodies are had at hand before, where they come cheaper in one piece.

        Raises:
            ConfigRejected: There is no such branch.
            SourceError: The tree cannot be read to its end.
        """
        head = self.head(repository, branch)
        if head is None:
            yield Complete()
            return
        whole = whole_tree(self._client, repository, head.tree)
        if with_content:
            self.archives.prepare(repository, head.commit, whole)
        for leaf in leaves(self._client, repository, head.tree, whole=whole):
            if self.admits(leaf.path):
                yield self.item(repository, branch, leaf)
        yield Complete(_cursor(repository, head))

    def head(self, repository: Repository, branch: str, etag: str | None = None) -> Head | None:
        """Return the newest commit of a branch; None where the repository is empty.

        With `etag` an answer that did not change has no commit in it, and costs nothing.

        Raises:
            ConfigRejected: There is no such branch.
            SourceError: It cannot be asked for.
        """
        headers = {"If-None-Match": etag} if etag else {}
        address = f"{repository.api}/branches/{quote(branch, safe='')}"
        try:
            answer = self._client.http.get(address, headers=headers, reads_json=True)
        except Missing as error:
            if self._is_empty(repository, branch):
                return None
            raise ConfigRejected(
                f"{repository.name} has no branch {branch}.",
                setting="branch",
                remedy="Choose one with: catchment connector browse; empty means the default branch.",
            ) from error
        if answer.status_code == 304:
            return Head("", "", etag)
        try:
            commit = answer.json()["commit"]
            return Head(str(commit["sha"]), str(commit["commit"]["tree"]["sha"]), answer.headers.get("etag"))
        except (KeyError, TypeError) as error:
            raise SourceDown("GitHub's answer about a branch makes no sense.") from error

    def _is_empty(self, repository: Repository, branch: str) -> bool:
        """A repository without a commit answers 409 to whoever asks for its trees."""
        address = f"{repository.api}/git/trees/{quote(branch, safe='')}"
        asked = self._client.http.get(address, accept=frozenset({404, 409, 422}))
        return asked.status_code == 409

    def item(self, repository: Repository, branch: str, leaf: Leaf) -> Item:
        """Make an item of a file."""
        refusal = _REFUSALS.get(leaf.mode)
        return Item(
            key=FilePlace(repository.id, branch, leaf.path).key,
            path=file_path(repository, leaf.path),
            version=leaf.sha,
            size=leaf.size,
            url=file_url(repository, branch, leaf.path),
            # Empty files are all alike; any other that has the very content of one that went was moved.
            move_hint=leaf.sha if leaf.size and refusal is None else None,
            refusal=refusal,
            metadata={"repository": repository.name, "branch": branch},
        )

    # -- changes --------------------------------------------------------------------------------

    def changes(self, repository: Repository, branch: str, cursor: str) -> Iterator[FeedEvent]:
        """Yield what differs between the commit of the cursor and the newest one.

        Raises:
            CursorExpired: The histories part (a force push), the old commit is gone, too many files differ
                to be named, or the repository has another name.
            SourceError: GitHub cannot be asked.
        """
        mark = _read(cursor)
        if mark.get("name") != repository.name:
            raise CursorExpired(f"The repository is called {repository.name} now.")
        head = self.head(repository, branch, etag=mark.get("etag"))
        if head is None:
            raise CursorExpired(f"{repository.name} has no commits any more.")
        if not head.commit:
            yield Complete(cursor)
            return
        if head.commit != mark["head"]:
            for file in self._compared(repository, mark["head"], head.commit):
                yield from self._change(repository, branch, file)
        yield Complete(_cursor(repository, head))

    def _compared(self, repository: Repository, base: str, head: str) -> list[dict[str, Any]]:
        # Of the commits, which are in the same answer, one is enough.
        address = f"{repository.api}/compare/{base}...{head}?per_page=1&page=1"
        try:
            told = self._client.http.get_json(address)
        except Missing as error:
            raise CursorExpired("GitHub has lost the commit that was read last.") from error
        if not isinstance(told, dict) or not isinstance(told.get("files"), list):
            raise SourceDown("GitHub's answer about a comparison makes no sense.")
        if told.get("status") not in ("ahead", "identical"):
            # It is compared with where the histories part, which is not what was read.
            raise CursorExpired("The branch was rewritten (a force push).")
        files: list[dict[str, Any]] = told["files"]
        if len(files) >= MOST_COMPARED:
            raise CursorExpired(f"{MOST_COMPARED} files or more differ: GitHub does not name all of them.")
        return files

    def _change(self, repository: Repository, branch: str, file: dict[str, Any]) -> Iterator[FeedEvent]:
        path, status = str(file["filename"]), file.get("status")
        if status == "renamed" and file.get("previous_filename"):
            yield Deleted(FilePlace(repository.id, branch, str(file["previous_filename"])).key)
        if status == "removed":
            yield Deleted(FilePlace(repository.id, branch, path).key)
        elif self.admits(path):
            # A comparison tells neither size nor mode.
            yield Changed(self.item(repository, branch, Leaf(path, str(file["sha"]), "", None)))


def _cursor(repository: Repository, head: Head) -> str:
    return json.dumps({"head": head.commit, "name": repository.name, "etag": head.etag})


def _read(cursor: str) -> dict[str, Any]:
    try:
        mark = json.loads(cursor)
        if isinstance(mark["head"], str) and mark["head"]:
            found: dict[str, Any] = mark
            return found
    except (ValueError, KeyError, TypeError):
        pass
    raise CursorExpired("The cursor is not one of a branch.")
