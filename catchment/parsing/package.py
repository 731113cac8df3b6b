"""Members of zip containers, read with limits: for archives as well as for office files and books."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import IO

from catchment.parsing.reading import MIB, Budget, Unreadable

_STEP = 256 * 1024
_LARGEST_RATIO = 200
_RATIO_COUNTS_FROM = 8 * MIB


class Package:
    """A zip container. Raises Unreadable (``broken``) when it is none."""

    def __init__(self, body: bytes, budget: Budget) -> None:
        try:
            self.archive = zipfile.ZipFile(io.BytesIO(body))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
            raise Unreadable("broken", "The file is not a readable zip container.") from error
        self._budget = budget
        self.names = frozenset(self.archive.namelist())

    def read(self, name: str) -> bytes:
        """A member's bytes.

        Raises:
            Unreadable: The member is absent or damaged (``broken``), needs a password (``encrypted``), or
                unfolds beyond measure (``bomb``).
        """
        try:
            info = self.archive.getinfo(name)
        except KeyError as error:
            raise Unreadable("broken", f"The part {name} is missing.") from error
        return self.read_info(info)

    def read_or_none(self, name: str) -> bytes | None:
        """A side part's bytes, or None where it is absent or damaged."""
        if name not in self.names:
            return None
        try:
            return self.read(name)
        except Unreadable as error:
            if error.reason == "bomb":
                raise
            return None

    def read_info(self, info: zipfile.ZipInfo) -> bytes:
        """The same as `read` for an entry of the directory (names may repeat)."""
        if info.flag_bits & 0x1:
            raise Unreadable("encrypted", f"{info.filename} is protected by a password.")
        try:
            with self.archive.open(info) as member:
                return unpack_all(member, info.compress_size, self._budget)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError) as error:
            raise Unreadable("broken", f"{info.filename} is damaged.") from error
        except RuntimeError as error:  # zipfile says so about passwords
            raise Unreadable("encrypted", f"{info.filename} is protected by a password.") from error


def unpack_all(stream: IO[bytes], packed_bytes: int, budget: Budget) -> bytes:
    """Read a decompressing stream to its end.

    The length is counted as it comes, because what a container declares about itself can be a lie.

    Raises:
        Unreadable: More than the budget, or more than 200 times what it was packed in (``bomb``).
    """
    parts: list[bytes] = []
    total = 0
    while part := stream.read(_STEP):
        total += len(part)
        budget.unpack(len(part))
        if total > _RATIO_COUNTS_FROM and total > max(packed_bytes, 1) * _LARGEST_RATIO:
            raise Unreadable("bomb", "The file unfolds into far more data than it is made of.")
        parts.append(part)
    return b"".join(parts)
