"""The archive of a commit instead of its files one by one, where that is cheaper.

One request brings everything, also what nobody wants. So it is taken where a run will read many files
anyway, and little comes for nothing, or the limit of requests does not suffice for all. It is unpacked onto
the disk as it comes. What goes wrong costs nothing but time: files that did not come are read one by one.
"""

from __future__ import annotations

import logging
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from catchment.core.errors import SourceError
from catchment.kit import Session
from catchment.kit.selection import Selection
from catchment.kit.streams import PieceStream, buffered
from connectors.github.client import Client, Repository
from connectors.github.places import file_path
from connectors.github.shelf import Shelf
from connectors.github.trees import Tree

MIB = 1024 * 1024
LEAST_FILES = 100
"""Fewer files are read one by one in the seconds that GitHub takes to pack them."""
BYTES_FOR_REQUEST = 128 * 1024
"""What one request saved may cost in bytes for nothing: a line of 5 MB a second brings as many in the 25 ms
that one request takes where eight are asked at a time."""
RESERVE = 500
"""Requests of the limit that are left for issues and whatever else uses the credentials."""
MOST_BYTES = 512 * MIB
"""Most bytes of files that are unpacked onto the disk."""
LEAST_FREE_BYTES = 1024 * MIB
LARGEST_FILE = 50 * MIB
"""A larger file is read by itself, should the settings let it in."""
_MOST_UNPACKED = 2 * MOST_BYTES
_MOST_HEADER = MIB
_READ_BYTES = 256 * 1024
_HEADERS = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)
_log = logging.getLogger(__name__)


class Archives:
    """Holds what the last archive brought, until another is asked for."""

    def __init__(self, client: Client, session: Session, admits: Callable[[str], bool]) -> None:
        self._client = client
        self._session = session
        self._admits = admits
        self._selection = Selection.of(client.config, max_file_bytes=LARGEST_FILE)
        self._shelf: Shelf | None = None

    def prepare(self, repository: Repository, commit: str, tree: Tree) -> None:
        """Have the files of a commit at hand, if that is cheaper than asking for each.

        Args:
            repository: Of which.
            commit: Its hash.
            tree: GitHub's answer about its tree; of one that was cut off, what it does say.

        Raises:
            RunCancelled: The run was asked to stop.
        """
        self.close()
        files = bytes_read = bytes_all = 0
        for raw in tree.rows():
            if raw["type"] != "blob":
                continue
            size = raw.get("size") or 0
            bytes_all += size
            if self._is_read(repository, str(raw["path"]), size):
                files, bytes_read = files + 1, bytes_read + size
        if is_cheaper(
            files=files,
            bytes_read=bytes_read,
            bytes_all=bytes_all,
            requests_left=self._client.judge.left,
        ) and self._has_room(bytes_read):
            self._shelf = self._taken(repository, commit)

    def get(self, sha: str, *, whole_bytes: int) -> bytes | PieceStream | None:
        """Return the bytes of a blob, as a stream where they are many; None where they did not come."""
        shelf = self._shelf
        return shelf.get(sha, whole_bytes=whole_bytes) if shelf is not None else None

    def close(self) -> None:
        """Let go of what is at hand."""
        if self._shelf is not None:
            self._shelf.close()
            self._shelf = None

    def _has_room(self, size: int) -> bool:
        try:
            return shutil.disk_usage(self._session.spool()).free - size >= LEAST_FREE_BYTES
        except OSError:
            return False

    def _is_read(self, repository: Repository, path: str, size: int) -> bool:
        return (
            size <= self._selection.max_file_bytes
            and self._admits(path)
            and self._selection.admits(file_path(repository, path))
        )

    def _taken(self, repository: Repository, commit: str) -> Shelf | None:
        try:
            shelf = Shelf(self._session.spool())
        except OSError as error:
            _log.warning("No archive of %s is taken: %s", repository.name, error)
            return None
        try:
            self._fill(shelf, repository, commit)
        except (SourceError, tarfile.TarError, zlib.error, OSError, ValueError, EOFError) as error:
            # What came is right, by its hashes; the rest is read one by one.
            _log.warning("The archive of %s did not come whole: %s", repository.name, type(error).__name__)
        except BaseException:
            shelf.close()
            raise
        return self._finished(shelf)

    @staticmethod
    def _finished(shelf: Shelf) -> Shelf | None:
        try:
            shelf.finish()
        except OSError:
            shelf.close()
            return None
        return shelf

    def _fill(self, shelf: Shelf, repository: Repository, commit: str) -> None:
        with self._client.http.stream(f"{repository.api}/tarball/{commit}") as response:
            unpacked = _Unpacked(response.iter_bytes(), self._session)
            for member, pieces in _members(unpacked):
                path = member.name.partition("/")[2]
                if not self._is_read(repository, path, member.size):
                    continue
                if shelf.bytes + member.size > MOST_BYTES:
                    raise ValueError("The archive is larger than is taken.")
                shelf.put(pieces, member.size)


def is_cheaper(*, files: int, bytes_read: int, bytes_all: int, requests_left: int | None) -> bool:
    """Say whether an archive is cheaper than reading files one by one.

    Args:
        files: How many would be read.
        bytes_read: Their size.
        bytes_all: Size of everything in the archive, unpacked.
        requests_left: What the limit has left; None where that is not known.
    """
    if files < LEAST_FILES or bytes_all > MOST_BYTES:
        return False
    if requests_left is not None and files + RESERVE > requests_left:
        return True
    return bytes_all - bytes_read <= files * BYTES_FOR_REQUEST


class _Unpacked(PieceStream):
    """What a compressed stream holds, within bounds whatever it claims."""

    def __init__(self, pieces: Iterator[bytes], session: Session) -> None:
        super().__init__()
        self._pieces = pieces
        self._session = session
        self._unzip = zlib.decompressobj(wbits=31)
        self._left = _MOST_UNPACKED

    def next_piece(self) -> bytes:
        while not self._unzip.eof:
            self._session.check_stop()
            packed = self._unzip.unconsumed_tail or next(self._pieces, b"")
            if not packed:
                raise EOFError("The archive broke off.")
            piece = self._unzip.decompress(packed, _READ_BYTES)
            self._left -= len(piece)
            if self._left < 0:
                raise ValueError("The archive is larger than is taken.")
            if piece:
                return piece
        return b""


class _Header(tarfile.TarInfo):
    """A header that may say only so much about the next one: the library reads it whole."""

    @classmethod
    def frombuf(cls, *arguments: Any, **named: Any) -> _Header:
        made = super().frombuf(*arguments, **named)
        if made.type in _HEADERS and made.size > _MOST_HEADER:
            raise tarfile.ReadError("A header of the archive is too long.")
        return made


def _members(unpacked: _Unpacked) -> Iterator[tuple[tarfile.TarInfo, Iterator[bytes]]]:
    """Yield the plain files of an archive with their bytes, which must be read before the next one."""
    with tarfile.open(fileobj=buffered(unpacked), mode="r|", tarinfo=_Header) as tar:
        while (member := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined] # else all of them stay in memory
            if not member.isreg() or member.issparse():
                continue
            body = tar.extractfile(member)
            if body is not None:
                yield member, iter(lambda body=body: body.read(_READ_BYTES), b"")  # type: ignore[misc]
