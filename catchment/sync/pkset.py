"""A set of item numbers as bits: 125 KB for a million items."""

from __future__ import annotations

import zlib
from collections.abc import Sequence


class PkSet:
    """Numbers that were seen."""

    __slots__ = ("_bits", "count")

    def __init__(self, packed: bytes | None = None) -> None:
        self._bits = bytearray(zlib.decompress(packed)) if packed else bytearray()
        self.count = sum(byte.bit_count() for byte in self._bits)

    def add(self, pk: int) -> bool:
        """Put a number in, and say whether it is new."""
        return bool(self.add_all((pk,)))

    def add_all(self, pks: Sequence[int]) -> int:
        """Put numbers in, and return how many of them are new."""
        if not pks:
            return 0
        before, most = self.count, max(pks) >> 3
        if most >= len(self._bits):
            self._bits.extend(bytes(max(most + 1 - len(self._bits), 4096)))
        bits = self._bits
        for pk in pks:
            byte, bit = pk >> 3, 1 << (pk & 7)
            if not bits[byte] & bit:
                bits[byte] |= bit
                self.count += 1
        return self.count - before

    def __contains__(self, pk: int) -> bool:
        """Whether the number is in."""
        byte = pk >> 3
        return byte < len(self._bits) and bool(self._bits[byte] & 1 << (pk & 7))

    def covers(self, pks: Sequence[int]) -> bool:
        """Whether all of these numbers are in."""
        bits = self._bits
        if pks and max(pks) >> 3 >= len(bits):
            return False
        # As a list: a generator takes twice as long.
        return all([bits[pk >> 3] & 1 << (pk & 7) for pk in pks])  # noqa: C419

    def packed(self) -> bytes:
        """Return the set as compressed bytes, for the store."""
        return zlib.compress(bytes(self._bits), 1)
