"""The one place that opens things below the folder, and never anything outside it.

Every path is walked from the opened root, part by part, refusing symbolic links on the way
(``openat`` with ``O_NOFOLLOW``): whoever swaps a folder for a link while a run goes on gains nothing.
Links that are to be followed are first resolved to the real path, which is then walked the same way.
"""

# System calls relative to an open folder have no counterpart in `pathlib`.
# ruff: noqa: PTH116, PTH123, PTH208

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from catchment.core.errors import SourceError
from catchment.kit import PermissionMissing, SourceDown
from connectors.folder.config import no_folder, not_a_folder
from connectors.folder.names import Parts, as_text
from connectors.folder.patterns import IgnoreList
from connectors.folder.rules import IGNORE_FILES

# O_PATH passes through folders that may be entered but not listed; macOS lacks it.
_PASS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_READ_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: a file that became a FIFO meanwhile must not make the run wait for a writer.
_READ_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""What opening says when the path no longer is what it was; a link refused on the way is ENOTDIR or ELOOP."""
DENIED = frozenset({errno.EACCES, errno.EPERM})
_SHORTAGE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})

_HELD_FOLDERS = 48
_MOST_HOPS = 40
_IGNORE_FILE_BYTES = 1024 * 1024


class LinkRefused(Exception):
    """A symbolic link is not followed; `refusal` says why."""

    def __init__(self, refusal: str) -> None:
        super().__init__(refusal)
        self.refusal = refusal


def _open_below(above: str, path: str) -> int:
    """Open a folder at or below another, part by part.

    Raises:
        OSError: A part is not there, or is a link by now.
    """
    below = path.removeprefix(above).strip("/")
    place = os.open(above, _PASS)
    for part in below.split("/") if below else ():
        try:
            inner = os.open(part, _PASS | os.O_NOFOLLOW, dir_fd=place)
        finally:
            os.close(place)
        place = inner
    return place


class Root:
    """The folder itself, opened; use it as a context manager.

    With `above`, a real path, the way from there down to the folder is walked without following a link, so
    that it leads nowhere else even if somebody swaps a part of it.

    Raises (on opening):
        ConfigRejected: Nothing is there, or no folder.
        PermissionMissing: It may not be entered.
        SourceDown: The disk or the server behind it answers with an error.
    """

    def __init__(self, path: str, *, above: str | None = None) -> None:
        self.fd = -1
        self.path = os.path.realpath(path)
        self.raw = os.fsencode(self.path)
        self._spellings = {self.raw.rstrip(b"/"), os.fsencode(path).rstrip(b"/")}
        self._above: Parts = tuple(part for part in self.raw.split(b"/") if part)
        self._held: list[tuple[bytes, int]] = []
        self._tail: int | None = None
        try:
            self.fd = os.open(self.path, _PASS) if above is None else _open_below(above, self.path)
            facts = os.fstat(self.fd)
        except OSError as error:
            raise root_error(error, self.path) from error
        self.identity = (facts.st_dev, facts.st_ino)

    def __enter__(self) -> Root:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close all that is held open; the second time it does nothing."""
        if self.fd >= 0:
            self._release(0)
            os.close(self.fd)
            self.fd = -1

    def is_still_there(self) -> bool:
        """Tell whether the path still leads to the folder that was opened."""
        try:
            facts = os.stat(self.path)
        except OSError:
            return False
        return (facts.st_dev, facts.st_ino) == self.identity

    def enter(self, folder: Parts) -> int:
        """Return a descriptor for looking up names in a folder, good until the next call.

        The way that two successive folders share stays open, so that a walk opens each folder once.

        Raises:
            OSError: The folder cannot be entered, or the way leads over a symbolic link.
        """
        shared = 0
        while shared < min(len(folder), len(self._held)) and self._held[shared][0] == folder[shared]:
            shared += 1
        self._release(shared)
        for part in folder[shared:_HELD_FOLDERS]:
            self._held.append((part, self._pass(part, self._last())))
        for part in folder[_HELD_FOLDERS:]:
            # Deeper than this only one stays open: descriptors are few.
            inner = self._pass(part, self._last())
            self._drop_tail()
            self._tail = inner
        return self._last()

    def names(self, folder: Parts) -> tuple[int, list[bytes]]:
        """Return the descriptor of a folder and the names in it, in no order.

        Raises:
            OSError: The folder cannot be entered or listed.
        """
        place = self.enter(folder)
        reader = os.open(".", _READ_FOLDER, dir_fd=place)
        try:
            return place, list(map(os.fsencode, os.listdir(reader)))
        finally:
            os.close(reader)

    def facts(self, parts: Parts) -> os.stat_result:
        """Return the facts of an entry itself, even if it is a link.

        Raises:
            OSError: It is not there or cannot be reached.
        """
        if not parts:
            return os.fstat(self.fd)
        return os.stat(parts[-1], dir_fd=self.enter(parts[:-1]), follow_symlinks=False)

    def open_file(self, parts: Parts) -> tuple[int, os.stat_result]:
        """Open a regular file for reading; the caller closes the descriptor.

        Raises:
            LinkRefused: Something else than a regular file is there; the refusal names it.
            OSError: It cannot be opened.
        """
        place = self.enter(parts[:-1])
        # Looked at first, because opening alone can already do something to a FIFO or a device.
        refuse_special(os.stat(parts[-1], dir_fd=place, follow_symlinks=False))
        fd = os.open(parts[-1], _READ_FILE, dir_fd=place)
        try:
            facts = os.fstat(fd)
            refuse_special(facts)
        except BaseException:
            os.close(fd)
            raise
        return fd, facts

    def ignore_list(self, folder: Parts) -> IgnoreList | None:
        """Read the ignore files of a folder; None where there are none.

        Links are not followed, as in Git.

        Raises:
            OSError: One of them cannot be read, or has more than 1 MiB.
        """
        lines: list[str] = []
        for name in IGNORE_FILES:
            try:
                fd, facts = self.open_file((*folder, name))
            except LinkRefused:
                continue
            except OSError as error:
                if error.errno in GONE:
                    continue
                raise
            with open(fd, "rb") as file:
                if facts.st_size > _IGNORE_FILE_BYTES:
                    raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
                lines += as_text(file.read(_IGNORE_FILE_BYTES).removeprefix(b"\xef\xbb\xbf")).split("\n")
        return IgnoreList.of(lines)

    def real_parts(self, parts: Parts) -> Parts:
        """Return the path without symbolic links that an entry is reached by.

        One link on the way is followed. What lies behind two is reached by its own path, or by the
        second link's, so nothing is lost, no loop closes, and links to folders full of links stay
        cheap.

        Raises:
            LinkRefused: The link leads outside the folder, nowhere, in a circle, or is a second one.
            OSError: The way cannot be looked at.
        """
        for depth in range(1, len(parts) + 1):
            link = parts[:depth]
            if not self._is_link(link):
                continue
            target = self.resolve(link)
            if target == link[: len(target)]:
                raise LinkRefused("symlink: leads to a folder that it lies in")
            real = (*target, *parts[depth:])
            if any(self._is_link(real[:end]) for end in range(len(target) + 1, len(real) + 1)):
                raise LinkRefused("symlink: lies behind another one")
            return real
        return parts

    def resolve(self, link: Parts) -> Parts:
        """Return where a link leads, looking at nothing outside the folder.

        Raises:
            LinkRefused: It leads outside, nowhere, or in a circle.
            OSError: The way cannot be looked at.
        """
        pending = list(reversed(link))
        at = list(self._above)
        hops = 0
        while pending:
            part = pending.pop()
            if part in (b"", b"."):
                continue
            if part == b"..":
                at = at[:-1]
                continue
            at.append(part)
            target = self._target(at)
            if target is None:
                continue
            hops += 1
            if hops > _MOST_HOPS:
                raise LinkRefused("broken_link: leads in a circle")
            at.pop()
            if target.startswith(b"/"):
                at, target = [], self._respelled(target)
            pending.extend(reversed(target.split(b"/")))
        below = self._below(at)
        if below is None:
            raise LinkRefused("symlink: leads outside the folder")
        return below

    def _target(self, at: list[bytes]) -> bytes | None:
        """Return what the link at this absolute place says; None when it is no link."""
        below = self._below(at)
        if below is None:
            if tuple(at) != self._above[: len(at)]:
                raise LinkRefused("symlink: leads outside the folder")
            return None
        if not below:
            return None
        try:
            return os.readlink(below[-1], dir_fd=self.enter(below[:-1]))
        except OSError as error:
            if error.errno == errno.EINVAL:
                return None
            if error.errno in GONE:
                raise LinkRefused("broken_link") from error
            raise

    def _below(self, at: list[bytes]) -> Parts | None:
        depth = len(self._above)
        return tuple(at[depth:]) if tuple(at[:depth]) == self._above else None

    def _respelled(self, target: bytes) -> bytes:
        """Write an absolute target that goes through the configured path with the real one."""
        for spelling in self._spellings:
            if target == spelling or target.startswith(spelling + b"/"):
                return self.raw + target[len(spelling) :]
        return target

    def _is_link(self, parts: Parts) -> bool:
        return stat.S_ISLNK(self.facts(parts).st_mode)

    def _last(self) -> int:
        if self._tail is not None:
            return self._tail
        return self._held[-1][1] if self._held else self.fd

    def _pass(self, part: bytes, place: int) -> int:
        return os.open(part, _PASS | os.O_NOFOLLOW, dir_fd=place)

    def _drop_tail(self) -> None:
        if self._tail is not None:
            os.close(self._tail)
            self._tail = None

    def _release(self, keep: int) -> None:
        self._drop_tail()
        while len(self._held) > keep:
            os.close(self._held.pop()[1])


def special_kind(mode: int) -> str | None:
    """Name what is neither file, folder nor link; None for those."""
    kinds = {
        stat.S_IFIFO: "fifo",
        stat.S_IFSOCK: "socket",
        stat.S_IFCHR: "character device",
        stat.S_IFBLK: "block device",
    }
    ordinary = stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)
    return None if ordinary else kinds.get(stat.S_IFMT(mode), "unknown")


def refuse_special(facts: os.stat_result) -> None:
    """Raise `LinkRefused` for everything but regular files."""
    mode = facts.st_mode
    if stat.S_ISREG(mode):
        return
    if stat.S_ISLNK(mode):
        raise LinkRefused("symlink")
    if stat.S_ISDIR(mode):
        raise LinkRefused("folder")
    raise LinkRefused(f"special_file: {special_kind(mode)}")


def root_error(error: OSError, path: str) -> SourceError:
    """Translate what the system says about the folder itself."""
    if error.errno == errno.ENOENT:
        return no_folder(path)
    if error.errno == errno.ENOTDIR:
        return not_a_folder(path)
    if error.errno in DENIED:
        return PermissionMissing(
            f"The folder {path} may not be read.",
            remedy="Give the account that runs Catchment permission to read and enter it.",
        )
    return SourceDown(f"The folder {path} cannot be read: {why(error)}.")


def why(error: OSError) -> str:
    """Say what the system says, without the path, which the caller writes in its own way."""
    return os.strerror(error.errno) if error.errno else type(error).__name__


@contextmanager
def shortage_stops_all() -> Iterator[None]:
    """Turn a lack of descriptors or memory into an error of the source: it is no item's fault.

    Raises:
        SourceDown: The process or the machine has run out of them.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _SHORTAGE:
            raise SourceDown(f"This machine is short of resources: {why(error)}.") from error
        raise
