"""Streams over bodies that come piece by piece."""

from __future__ import annotations

import io
from abc import abstractmethod
from typing import Any, BinaryIO, cast

PIECE_BYTES = 256 * 1024
"""How much is read ahead of whoever reads."""


class PieceStream(io.RawIOBase):
    """A stream of pieces; a subclass says where the next one comes from, and closes what gives them.

    Args:
        first: A piece that is there already.
    """

    def __init__(self, first: bytes = b"") -> None:
        self._view = memoryview(first)

    @abstractmethod
    def next_piece(self) -> bytes:
        """Return the next piece; an empty one is the end."""

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def peek(self) -> bytes:
        """Return the first bytes that are there, which stay."""
        self._fill()
        return bytes(self._view)

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what is there; 0 at the end."""
        self._fill()
        target = memoryview(buffer)
        count = min(len(target), len(self._view))
        target[:count] = self._view[:count]
        self._view = self._view[count:]
        return count

    def _fill(self) -> None:
        if not self._view:
            self._view = memoryview(b"")  # else the piece before stays in memory while the next one comes
            self._view = memoryview(self.next_piece())


def buffered(raw: io.RawIOBase) -> BinaryIO:
    """Return a stream that can be read by any number of bytes."""
    return cast(BinaryIO, io.BufferedReader(raw, PIECE_BYTES))
