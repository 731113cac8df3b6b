"""How scopes, keys and paths are written, and read again."""

from __future__ import annotations

import re
from urllib.parse import quote

from msgspec import Struct

from catchment.kit import Scope
from connectors.github.client import Repository

FILES, ISSUES, DISCUSSIONS, UNKNOWN = "files", "issues", "discussions", "unknown"
ISSUE, PULL, DISCUSSION = "issues", "pull", "discussions"
"""How the addresses of talks name their kind."""
_SCOPE = re.compile(r"(\d+):(files|issues|discussions)(?::(.+))?", re.DOTALL)
_FILE = re.compile(r"(\d+):([^:]+):(.+)", re.DOTALL)
_TALK = re.compile(r"([^/]+/[^/]+)/(issues|pull|discussions)/(\d+)")


class FilePlace(Struct, frozen=True):
    """Where a file lies."""

    repository: int
    branch: str
    path: str

    @property
    def key(self) -> str:
        """Its key: no branch has a colon in its name."""
        return f"{self.repository}:{self.branch}:{self.path}"

    @classmethod
    def read(cls, key: str) -> FilePlace | None:
        """Read a key; None where it is no file's."""
        found = _FILE.fullmatch(key)
        return cls(int(found[1]), found[2], found[3]) if found is not None else None


class TalkPlace(Struct, frozen=True):
    """Where an issue, a pull request or a discussion is."""

    repository: str
    kind: str
    number: int


def files_scope(repository: Repository, branch: str) -> Scope:
    """The files of a branch."""
    return Scope(f"{repository.id}:{FILES}:{branch}", f"{repository.name}@{branch}")


def issues_scope(repository: Repository) -> Scope:
    """The issues and pull requests of a repository."""
    return Scope(f"{repository.id}:{ISSUES}", f"issues of {repository.name}")


def discussions_scope(repository: Repository) -> Scope:
    """The discussions of a repository."""
    return Scope(f"{repository.id}:{DISCUSSIONS}", f"discussions of {repository.name}")


def read_scope(key: str) -> tuple[int, str, str] | None:
    """Return repository, kind and branch of a scope; None where its repository could not be asked about."""
    found = _SCOPE.fullmatch(key)
    return (int(found[1]), found[2], found[3] or "") if found is not None else None


def file_path(repository: Repository, path: str) -> str:
    """Where a person finds a file."""
    return f"{repository.name}/{path}"


def file_url(repository: Repository, branch: str, path: str) -> str:
    """Where a person opens a file."""
    return f"{repository.url}/blob/{quote(branch)}/{quote(path)}"


def talk_path(name: str, number: int, *, kind: str) -> str:
    """Where a person finds an issue, a pull request or a discussion."""
    return f"{name}/{kind}/{number}"


def read_talk(path: str) -> TalkPlace | None:
    """Take the path of an issue, a pull request or a discussion apart; None where it is another."""
    found = _TALK.fullmatch(path)
    return TalkPlace(found[1], found[2], int(found[3])) if found is not None else None
