"""Reading one opened file: as much as it held when it was opened."""

from __future__ import annotations

import io
import os
from typing import BinaryIO, cast

from catchment.kit import ItemUnreadable
from connectors.folder.tree import why

WHOLE_BYTES = 1024 * 1024
"""Up to this size a file is read at once; larger ones are streamed."""
_BUFFER_BYTES = 256 * 1024


class _Prefix(io.RawIOBase):
    """The first bytes of an open file, so that one that grows while it is read stays consistent."""

    def __init__(self, fd: int, size: int, key: str) -> None:
        self._fd = fd
        self._left = size
        self._key = key

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._left)
        try:
            count = os.readv(self._fd, [memoryview(buffer)[:wanted]]) if wanted else 0
        except OSError as error:
            raise ItemUnreadable(self._key, "io_error", f"Reading stopped: {why(error)}.") from error
        self._left -= count
        return count

    def close(self) -> None:
        if not self.closed:
            os.close(self._fd)
        super().close()


def read_body(fd: int, size: int, key: str) -> bytes | BinaryIO:
    """Return what the open file held at `size` bytes; takes over the descriptor.

    Up to 1 MiB as bytes, more as a stream that the caller closes. Both end early where the file
    was cut meanwhile.

    Raises:
        ItemUnreadable: The disk answers with an error; from a stream also while it is read.
    """
    if size > WHOLE_BYTES:
        return cast(BinaryIO, io.BufferedReader(_Prefix(fd, size, key), _BUFFER_BYTES))
    chunks: list[bytes] = []
    try:
        while size and (chunk := os.read(fd, size)):
            chunks.append(chunk)
            size -= len(chunk)
    except OSError as error:
        raise ItemUnreadable(key, "io_error", f"Reading stopped: {why(error)}.") from error
    finally:
        os.close(fd)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
