"""Telling apart names that a file system takes for the same."""

from __future__ import annotations

from connectors.folder.names import Parts
from connectors.folder.tree import DENIED, Root
from connectors.folder.walk import Walk

_KEPT_FOLDERS = 8


class Spelling:
    """Answers whether a path is spelled exactly as its folders spell it.

    File systems that ignore case or normal form find ``README.md`` under ``readme.md`` too, which
    a listing would never report. Good for one look-up: the names of eight folders are kept.
    """

    def __init__(self, root: Root, walk: Walk) -> None:
        self._root = root
        self._walk = walk
        self._names: dict[Parts, frozenset[bytes] | None] = {}

    def is_exact(self, shown: Parts) -> bool:
        """Tell so for a path that exists.

        Raises:
            LinkRefused: A link on the way is not followed any more.
            OSError: The way cannot be looked at.
        """
        for depth, part in enumerate(shown):
            names = self._names_in(shown[:depth])
            if names is not None and part not in names:
                return False
        return True

    def _names_in(self, folder: Parts) -> frozenset[bytes] | None:
        """Return the names in a folder; None where it may be entered but not listed."""
        if folder not in self._names:
            if len(self._names) >= _KEPT_FOLDERS:
                del self._names[next(iter(self._names))]
            self._names[folder] = self._read(folder)
        return self._names[folder]

    def _read(self, folder: Parts) -> frozenset[bytes] | None:
        try:
            _, names = self._root.names(self._walk.real(folder))
        except OSError as error:
            if error.errno in DENIED:
                return None
            raise
        return frozenset(names)
