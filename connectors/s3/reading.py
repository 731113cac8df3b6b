"""The content of one object: small ones at once, larger ones in parts, several under way at a time."""

from __future__ import annotations

import io
import threading
from collections import deque
from functools import partial
from typing import Any, BinaryIO

from catchment.kit import Content, Item, ItemUnreadable, SourceDown
from catchment.kit.errands import Errand, Errands
from catchment.kit.streams import PieceStream, buffered
from connectors.s3.bodies import Bodies, Got
from connectors.s3.items import refreshed

WHOLE_BYTES = 1024 * 1024
"""Up to this size an object is read with one request into memory."""
# One connection of 25 MiB/s with 30 ms to the first byte: 22 MiB/s as one piece, 41 in parts of 2 MiB with
# four ahead, 62 in parts of 1 MiB with eight ahead, which need the same memory.
PART_BYTES = 1024 * 1024
PARTS_AHEAD = 8
"""Parts that all streams of a connector together read ahead: 8 MiB."""


class Reader:
    """Reads objects; what it reads ahead is bounded over all of them."""

    def __init__(self, bodies: Bodies, errands: Errands) -> None:
        self._bodies = bodies
        self._errands = errands
        self._room = threading.Semaphore(PARTS_AHEAD)

    def content(self, item: Item) -> Content:
        """Return the content of an object, with the version that belongs to its bytes.

        Raises:
            ItemUnreadable: gone, permission, kms_denied, sse_c, storage_class or changed; from a stream
                also while it is read.
            SourceError: The bucket cannot be read.
        """
        key = item.key
        if item.size is None or item.size <= WHOLE_BYTES:
            got = self._bodies.whole(key, at_most=WHOLE_BYTES)
            if got.body is not None:
                return _content(item, got, got.body)
        got = self._bodies.part(key, 0, PART_BYTES)
        if got.stream is not None:
            return _content(item, got, buffered(_Open(self._bodies, got, key)))
        if got.size <= PART_BYTES:
            return _content(item, got, got.body or b"")
        return _content(item, got, buffered(_Parts(self._bodies, self._errands, self._room, key, got)))


def _content(item: Item, got: Got, body: bytes | BinaryIO) -> Content:
    fresh = refreshed(
        item, etag=got.etag, size=got.size, modified_at=got.modified_at, content_type=got.content_type
    )
    return Content(body, fresh.content_type, fresh)


class _Parts(PieceStream):
    """An object as a stream of parts that all belong to one version of it.

    The part that is read next is always asked for; more are asked for ahead while there is room for them
    in memory.
    """

    def __init__(
        self, bodies: Bodies, errands: Errands, room: threading.Semaphore, key: str, first: Got
    ) -> None:
        super().__init__(first.body or b"")
        self._bodies = bodies
        self._errands = errands
        self._room = room
        self._key = key
        self._etag = first.etag
        self._size = first.size
        self._ahead: deque[tuple[int, Errand[Got]]] = deque()
        self._asked = PART_BYTES
        self._look_ahead()

    def close(self) -> None:
        while self._ahead:
            self._ahead.popleft()
            self._room.release()
        self._view = memoryview(b"")
        super().close()

    def next_piece(self) -> bytes:
        if self._ahead:
            start, errand = self._ahead.popleft()
            try:
                got = errand.result()
            finally:
                self._room.release()
        elif self._asked < self._size:
            start = self._asked
            self._asked += PART_BYTES
            got = self._part(start)
        else:
            return b""
        body = got.body or b""
        if len(body) != min(PART_BYTES, self._size - start):
            raise ItemUnreadable(self._key, "changed", "The object was replaced while it was read.")
        self._look_ahead()
        return body

    def _look_ahead(self) -> None:
        while self._asked < self._size and self._room.acquire(blocking=False):
            start = self._asked
            self._asked += PART_BYTES
            self._ahead.append((start, self._errands.start(partial(self._part, start))))

    def _part(self, start: int) -> Got:
        return self._bodies.part(self._key, start, min(start + PART_BYTES, self._size), etag=self._etag)


class _Open(io.RawIOBase):
    """The one long answer of a server that knows no parts."""

    def __init__(self, bodies: Bodies, got: Got, key: str) -> None:
        self._bodies = bodies
        self._stream = got.stream
        self._left = got.size
        self._key = key

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer)
        read = self._bodies.read_on(self._stream, len(target))
        if not read and self._left:
            raise SourceDown(f"The answer about {self._key} broke off {self._left} bytes before its end.")
        target[: len(read)] = read
        self._left -= len(read)
        return len(read)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()
