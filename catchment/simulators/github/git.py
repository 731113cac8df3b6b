"""Git as far as its API shows it: blobs, trees and commits by the very hashes that git gives them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

FILE, EXECUTABLE, LINK, SUBMODULE, FOLDER = "100644", "100755", "120000", "160000", "040000"
_TYPES = {FOLDER: "tree", SUBMODULE: "commit"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a tree."""

    mode: str
    sha: str

    @property
    def type(self) -> str:
        """What the API calls it."""
        return _TYPES.get(self.mode, "blob")


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit; `files` is the whole snapshot by path."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    message: str
    author: str
    at: float
    files: Mapping[str, Entry] = field(repr=False)


class Git:
    """The objects of one repository; nothing is ever forgotten, as long as nobody says `forget`."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, dict[str, Entry]] = {}
        self.commits: dict[str, Commit] = {}

    def blob(self, content: bytes) -> str:
        """Keep bytes, and return their hash."""
        sha = _hash(b"blob", content)
        self.blobs[sha] = content
        return sha

    def commit(
        self, files: Mapping[str, Entry], parents: tuple[str, ...], message: str, author: str, at: float
    ) -> Commit:
        """Keep a snapshot."""
        tree = self._tree(dict(sorted(files.items())))
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [f"author {author} {int(at)} +0000", f"committer {author} {int(at)} +0000", "", message]
        sha = _hash(b"commit", "\n".join(lines).encode())
        made = Commit(sha, tree, parents, message, author, at, dict(files))
        self.commits[sha] = made
        return made

    def _tree(self, files: Mapping[str, Entry]) -> str:
        here: dict[str, Entry] = {}
        below: dict[str, dict[str, Entry]] = {}
        for path, entry in files.items():
            head, slash, rest = path.partition("/")
            if slash:
                below.setdefault(head, {})[rest] = entry
            else:
                here[head] = entry
        for name, inside in below.items():
            here[name] = Entry(FOLDER, self._tree(inside))
        ordered = sorted(here.items(), key=lambda pair: pair[0] + ("/" if pair[1].mode == FOLDER else ""))
        raw = b"".join(
            f"{entry.mode.lstrip('0')} {name}\0".encode() + bytes.fromhex(entry.sha)
            for name, entry in ordered
        )
        sha = _hash(b"tree", raw)
        self.trees[sha] = dict(ordered)
        return sha

    def walk(self, tree: str, head: str = "") -> Iterator[tuple[str, Entry]]:
        """Yield everything below a tree, folders included, as ``recursive`` does."""
        for name, entry in self.trees[tree].items():
            yield f"{head}{name}", entry
            if entry.mode == FOLDER:
                yield from self.walk(entry.sha, f"{head}{name}/")

    def ancestors(self, sha: str) -> set[str]:
        """Return a commit and all that it comes from."""
        found: set[str] = set()
        todo = [sha]
        while todo:
            one = todo.pop()
            if one not in found and one in self.commits:
                found.add(one)
                todo.extend(self.commits[one].parents)
        return found

    def merge_base(self, base: str, head: str) -> str | None:
        """Return the newest commit that both come from."""
        common = self.ancestors(base) & self.ancestors(head)
        return max(common, key=lambda sha: len(self.ancestors(sha)), default=None)


def differences(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> list[dict[str, str]]:
    """Return what a comparison lists: names with their status; equal content under a new name is a rename."""
    gone = {path: entry for path, entry in before.items() if path not in after}
    changes: list[dict[str, str]] = []
    for path, entry in after.items():
        old = before.get(path)
        if old == entry:
            continue
        if old is not None:
            changes.append({"filename": path, "status": "modified", "sha": entry.sha})
            continue
        source = next((name for name, other in gone.items() if other == entry), None)
        if source is None:
            changes.append({"filename": path, "status": "added", "sha": entry.sha})
        else:
            del gone[source]
            renamed = {"filename": path, "status": "renamed", "sha": entry.sha, "previous_filename": source}
            changes.append(renamed)
    changes += [{"filename": path, "status": "removed", "sha": entry.sha} for path, entry in gone.items()]
    return sorted(changes, key=lambda change: change["filename"])


def _hash(kind: bytes, content: bytes) -> str:
    return hashlib.sha1(kind + f" {len(content)}\0".encode() + content).hexdigest()  # noqa: S324 - git's own
