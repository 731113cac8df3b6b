"""Files of an archive, kept on disk by the hash that git gives their bytes, and handed out by it.

What lies here under a hash has that hash: an archive may leave files out, or write them otherwise than they
were committed (attributes of git), and those are then simply not here.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from catchment.kit.streams import PIECE_BYTES, PieceStream


class Shelf:
    """Bytes by hash, in a file that goes with this object; used by many threads at once.

    Args:
        folder: Where the file lies, without a name of its own.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with this object
        # A database without a name lies in a temporary file, too, so that memory stays flat.
        self._db = sqlite3.connect("", check_same_thread=False)
        self._db.execute("CREATE TABLE kept (sha TEXT PRIMARY KEY, at INTEGER, size INTEGER) WITHOUT ROWID")
        self._lock = threading.Lock()
        self.bytes = 0

    def put(self, pieces: Iterable[bytes], size: int) -> None:
        """Keep a file of so many bytes; one that turns out to be shorter or longer has no hash of git's.

        Raises:
            OSError: It cannot be written.
        """
        digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        start = self.bytes
        for piece in pieces:
            digest.update(piece)
            self._file.write(piece)
            self.bytes += len(piece)
        row = (digest.hexdigest(), start, self.bytes - start)
        with self._lock:
            self._db.execute("INSERT OR IGNORE INTO kept VALUES (?, ?, ?)", row)

    def finish(self) -> None:
        """Have everything in the file, so that it can be read.

        Raises:
            OSError: It cannot be written.
        """
        self._file.flush()

    def get(self, sha: str, *, whole_bytes: int) -> bytes | PieceStream | None:
        """Return the bytes of a hash, as a stream where they are many; None where they are not here."""
        with self._lock:
            if self._file.closed:
                return None
            row = self._db.execute("SELECT at, size FROM kept WHERE sha = ?", [sha]).fetchone()
            if row is None:
                return None
            # A handle of its own: the shelf may be closed while somebody still reads.
            handle = os.dup(self._file.fileno())
        stream = _Part(handle, int(row[0]), int(row[1]))
        if row[1] > whole_bytes:
            return stream
        with stream:
            return stream.readall()

    def close(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._file.close()
            self._db.close()


class _Part(PieceStream):
    """A part of the file."""

    def __init__(self, handle: int, at: int, size: int) -> None:
        super().__init__()
        self._handle = handle
        self._at, self._end = at, at + size

    def next_piece(self) -> bytes:
        piece = os.pread(self._handle, min(PIECE_BYTES, self._end - self._at), self._at)
        self._at += len(piece)
        if not piece and self._at < self._end:
            raise OSError("The archive on disk is shorter than it was.")
        return piece

    def close(self) -> None:
        if not self.closed:
            os.close(self._handle)
        super().close()
