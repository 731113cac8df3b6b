"""Streams over bodies that come piece by piece."""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, cast

import httpx

from catchment.core.errors import SourceDown

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


class Lent(PieceStream):
    """The body of an answer that `Http.stream` lends; closing the stream gives the answer back.

    Raises:
        SourceDown: While it is read, where the connection breaks.
    """

    def __init__(self, lent: AbstractContextManager[httpx.Response], response: httpx.Response) -> None:
        super().__init__()
        self._lent = lent
        self._pieces: Iterator[bytes] = response.iter_bytes(PIECE_BYTES)

    def next_piece(self) -> bytes:
        """Return the next piece."""
        try:
            return next((piece for piece in self._pieces if piece), b"")
        except httpx.HTTPError as error:
            raise SourceDown("The connection broke in the middle of a file.") from error

    def close(self) -> None:
        """Give the answer back."""
        if not self.closed:
            self._lent.__exit__(None, None, None)
        super().close()

    def buffered(self) -> BinaryIO:
        """Return the stream as one that can be read by any number of bytes."""
        return buffered(self)


def buffered(raw: io.RawIOBase) -> BinaryIO:
    """Return a stream that can be read by any number of bytes."""
    return cast(BinaryIO, io.BufferedReader(raw, PIECE_BYTES))
