"""Which entries of the folder belong to the source: hidden names, junk, ignore files, sub-folders."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from connectors.folder.config import EVERYTHING, FolderConfig
from connectors.folder.names import Parts, as_text, to_parts
from connectors.folder.patterns import IgnoreList

IGNORE_FILES = (b".gitignore", b".catchmentignore")
"""In order of reading: the later one has the last word."""

JUNK_NAMES = frozenset(
    {
        ".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", "lost+found",
        ".DS_Store", "Thumbs.db", "desktop.ini", "$RECYCLE.BIN", "System Volume Information",
    }
)  # fmt: skip
_JUNK_STARTS = ("~$", "._")
_JUNK_ENDS = (".tmp", ".swp")

_CACHED_FOLDERS = 4096  # More than a path of 4,096 bytes can have parts.


class Ignores(Struct, frozen=True):
    """The ignore lists that govern one folder, innermost first, each with where its paths begin."""

    lists: tuple[tuple[int, IgnoreList], ...] = ()

    def within(self, prefix: str, found: IgnoreList | None) -> Ignores:
        """Return the lists that govern a folder below, which may have a list of its own."""
        return self if found is None else Ignores(((len(prefix), found), *self.lists))

    def covers(self, prefix: str, name: str, *, is_folder: bool) -> bool:
        """Tell whether the innermost list that speaks of the entry leaves it out."""
        path = prefix + name
        for start, patterns in self.lists:
            verdict = patterns.ignores(path[start:], name, is_folder=is_folder)
            if verdict is not None:
                return verdict
        return False


class Rules:
    """Answers for one configuration; reads each folder's ignore files once.

    A sub-folder that the configuration names is wanted even if its name is hidden or junk; ignore
    files hold there as everywhere.
    """

    def __init__(self, config: FolderConfig, read_list: Callable[[Parts], IgnoreList | None]) -> None:
        self._hidden = config.hidden
        self.reads_ignore_files = config.ignore_files
        self.folders = [parts for folder in config.folders if (parts := to_parts(folder)) is not None]
        self.whole = not config.folders
        self._read_list = read_list
        self._ignores = lru_cache(maxsize=_CACHED_FOLDERS)(self._ignores_in)

    def unwanted(self, name: str) -> bool:
        """Tell whether the name alone leaves an entry out: hidden, or what programs leave behind."""
        if name[0] == "." and not self._hidden:
            return True
        return self.reads_ignore_files and (
            name in JUNK_NAMES or name.endswith(_JUNK_ENDS) or name.startswith(_JUNK_STARTS)
        )

    def ignores_in(self, folder: Parts) -> Ignores:
        """Return the ignore lists that govern the entries of a folder.

        Raises:
            OSError: An ignore file on the way cannot be read.
        """
        if not self.reads_ignore_files:
            return Ignores()
        # From the outside in, so that each step finds the one before in the cache.
        for depth in range(len(folder)):
            self._ignores(folder[:depth])
        return self._ignores(folder)

    def forget(self) -> None:
        """Read ignore files again from now on."""
        self._ignores.cache_clear()

    def _ignores_in(self, folder: Parts) -> Ignores:
        outer = self._ignores(folder[:-1]) if folder else Ignores()
        return outer.within(prefix_of(folder), self._read_list(folder))

    def admits(self, parts: Parts) -> bool:
        """Tell whether a file at this path belongs to the source, whether or not it exists.

        Raises:
            OSError: An ignore file on the way cannot be read.
        """
        named = self._named_depth(parts)
        if named is None:
            return False
        names = [as_text(part) for part in parts]
        if any(map(self.unwanted, names[named:])):
            return False
        return not self.ignored(parts)

    def ignored(self, parts: Parts, *, is_folder: bool = False) -> bool:
        """Tell whether ignore files leave out the entry at this path, or a folder that it lies in.

        Raises:
            OSError: An ignore file on the way cannot be read.
        """
        if not self.reads_ignore_files:
            return False
        for depth, part in enumerate(parts):
            above = parts[:depth]
            inner = depth < len(parts) - 1
            if self._ignores(above).covers(prefix_of(above), as_text(part), is_folder=inner or is_folder):
                return True
        return False

    def _named_depth(self, parts: Parts) -> int | None:
        """Return how many leading parts the configuration names itself; None when it lies outside."""
        if self.whole:
            return 0
        return next((len(f) for f in self.folders if len(f) < len(parts) and parts[: len(f)] == f), None)


def prefix_of(folder: Parts) -> str:
    """Return the text that paths of entries of this folder begin with."""
    return "".join(f"{as_text(part)}/" for part in folder)


def scope_parts(key: str) -> Parts | None:
    """Return the folder that a scope's key means; None when the key can mean none."""
    return () if key == EVERYTHING else to_parts(key)
