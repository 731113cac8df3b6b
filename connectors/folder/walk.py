"""The walk through the folder: every entry that is in scope, and what could not be looked at."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

from msgspec import Struct

from catchment.kit import Item, Session
from connectors.folder.items import file_item, file_url, is_plain, quoted, refused_item
from connectors.folder.names import Parts, as_text, to_key
from connectors.folder.rules import IGNORE_FILES, Ignores, Rules, prefix_of
from connectors.folder.tree import GONE, LinkRefused, Root, shortage_stops_all, special_kind

_STOP_EVERY = 256
_KEPT_GAPS = 1000


class Place(Struct, frozen=True):
    """A folder to look into: the path it is listed under, and the one without links."""

    shown: Parts
    real: Parts
    ignores: Ignores


class Gap(Struct, frozen=True):
    """Something that could not be looked at, so that nothing can be said about what lies in it."""

    key: str
    error: OSError


class Walk:
    """Goes through one opened folder, folder by folder, names in byte order.

    Holds the names of one folder and the paths of the folders still to do. What fails goes to
    `gaps`, and the walk goes on.
    """

    def __init__(self, root: Root, rules: Rules, session: Session, *, follow: bool) -> None:
        self.gaps: list[Gap] = []
        self._root = root
        self._rules = rules
        self._session = session
        self._follow = follow
        self._base = file_url(root.raw).rstrip("/") + "/"

    def items(self, start: Place) -> Iterator[Item]:
        """Yield the files below a folder, and what is refused, parents before their sub-folders.

        Raises:
            RunCancelled: The run was asked to stop.
            SourceDown: The machine is short of descriptors or memory.
        """
        pending = [start]
        while pending:
            self._session.check_stop()
            found = self._enter(pending.pop())
            if found is None:
                continue
            place, fd, names = found
            inner: list[Place] = []
            yield from self._entries(place, fd, names, inner)
            pending.extend(reversed(inner))

    def entry(self, shown: Parts) -> Item | None:
        """Describe one entry by its path; None where no file is, or none that a listing would show.

        Raises:
            OSError: It cannot be looked at, so that nothing can be said about it.
        """
        try:
            real = self.real(shown[:-1])
            facts = self._root.facts((*real, shown[-1]))
        except LinkRefused:
            return None
        except OSError as error:
            if error.errno in GONE:
                return None
            raise
        found = self._described(shown, facts, linked=real != shown[:-1])
        return found if isinstance(found, Item) else None

    def look(self, shown: Parts) -> os.stat_result | None:
        """Return the facts of a file or folder, over a link if those are followed; None for all else.

        Raises:
            OSError: It cannot be looked at.
        """
        try:
            facts = self._root.facts((*self.real(shown[:-1]), shown[-1]))
            if stat.S_ISLNK(facts.st_mode):
                facts = self._root.facts(self._followed(shown))
        except LinkRefused:
            return None
        except OSError as error:
            if error.errno in GONE:
                return None
            raise
        return facts if special_kind(facts.st_mode) is None else None

    def real(self, shown: Parts) -> Parts:
        """Return the path without links of a listed path; without following, links stay refused.

        Raises:
            LinkRefused: A link on the way is not followed.
            OSError: The way cannot be looked at.
        """
        return self._root.real_parts(shown) if self._follow else shown

    def _enter(self, place: Place) -> tuple[Place, int, list[bytes]] | None:
        """Read the names of a folder and its ignore files."""
        try:
            with shortage_stops_all():
                fd, names = self._root.names(place.real)
                names.sort()
                if self._rules.reads_ignore_files and any(name in IGNORE_FILES for name in names):
                    found = self._root.ignore_list(place.real)
                    ignores = place.ignores.within(prefix_of(place.shown), found)
                    place = Place(place.shown, place.real, ignores)
                    fd = self._root.enter(place.real)
        except OSError as error:
            # Gone between its parent's listing and now: gone, like any other.
            if error.errno not in GONE:
                self._gap(place.shown, error)
            return None
        return place, fd, names

    def _entries(self, place: Place, fd: int, names: list[bytes], inner: list[Place]) -> Iterator[Item]:
        """Yield the items of one folder; its sub-folders go to `inner`."""
        above, ignores = prefix_of(place.shown), place.ignores
        key_above = to_key(b"/".join((*place.shown, b"")))
        url_above = self._base + quoted(b"/".join((*place.shown, b"")))
        unwanted, has_lists = self._rules.unwanted, bool(ignores.lists)
        linked = place.shown != place.real
        for count, raw in enumerate(names):
            if count % _STOP_EVERY == 0:
                self._session.check_stop()
            name = as_text(raw)
            if unwanted(name):
                continue
            try:
                facts = os.stat(raw, dir_fd=fd, follow_symlinks=False)
            except OSError as error:
                if error.errno != errno.ENOENT:
                    self._gap((*place.shown, raw), error)
                continue
            mode = facts.st_mode
            if stat.S_ISREG(mode):
                if not (has_lists and ignores.covers(above, name, is_folder=False)):
                    # A plain name, as most are, is the same in all three.
                    plain = is_plain(raw)
                    key = key_above + (name if plain else to_key(raw))
                    url = url_above + (name if plain else quoted(raw))
                    yield file_item(key, url, facts, linked=linked)
                continue
            found = self._unusual(place, raw, facts)
            if isinstance(found, Place):
                inner.append(found)
            elif found is not None:
                yield found
            if stat.S_ISLNK(mode):
                fd = self._root.enter(place.real)  # resolving the link has moved elsewhere

    def _unusual(self, place: Place, raw: bytes, facts: os.stat_result) -> Item | Place | None:
        """Describe what is no regular file, unless it is ignored or cannot be looked at."""
        shown = (*place.shown, raw)
        try:
            if stat.S_ISDIR(facts.st_mode):
                found: Item | Place | None = Place(shown, (*place.real, raw), place.ignores)
            else:
                found = self._described(shown, facts, place.ignores)
        except OSError as error:
            if error.errno not in GONE:
                self._gap(shown, error)
            return None
        is_folder = isinstance(found, Place)
        covered = place.ignores.covers(prefix_of(place.shown), as_text(raw), is_folder=is_folder)
        return None if covered else found

    def _described(
        self, shown: Parts, facts: os.stat_result, ignores: Ignores | None = None, *, linked: bool = False
    ) -> Item | Place | None:
        """Turn the facts of an entry into an item, or into a folder to walk."""
        raw = b"/".join(shown)
        key, url = to_key(raw), self._base + quoted(raw)
        mode = facts.st_mode
        if stat.S_ISDIR(mode):
            return None
        if not stat.S_ISLNK(mode):
            return _plain(key, url, facts, linked=linked)
        try:
            real = self._followed(shown)
            target = self._root.facts(real)
        except LinkRefused as refused:
            return refused_item(key, url, facts, refused.refusal)
        if stat.S_ISDIR(target.st_mode):
            return Place(shown, real, ignores or Ignores())
        return _plain(key, url, target, linked=True)

    def _followed(self, link: Parts) -> Parts:
        if self._follow:
            return self._root.real_parts(link)
        try:
            self._root.resolve(link)
        except LinkRefused as refused:
            if refused.refusal.startswith("broken_link"):
                raise
        raise LinkRefused("symlink")

    def _gap(self, shown: Parts, error: OSError) -> None:
        if len(self.gaps) < _KEPT_GAPS:
            self.gaps.append(Gap(to_key(b"/".join(shown)) or ".", error))


def _plain(key: str, url: str, facts: os.stat_result, *, linked: bool = False) -> Item:
    """Describe what is neither folder nor link."""
    kind = special_kind(facts.st_mode)
    if kind is None:
        return file_item(key, url, facts, linked=linked)
    return refused_item(key, url, facts, f"special_file: {kind}")
