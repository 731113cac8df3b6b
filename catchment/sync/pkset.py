"""A set of item numbers as bits: 125 KB for a million items."""

from __future__ import annotations

import zlib


class PkSet:
    """Numbers that were seen."""

    __slots__ = ("_bits", "count")

    def __init__(self, packed: bytes | None = None) -> None:
        self._bits = bytearray(zlib.decompress(packed)) if packed else bytearray()
        self.count = sum(byte.bit_count() for byte in self._bits)

    def add(self, pk: int) -> None:
        """Put a number in."""
        byte, bit = pk >> 3, 1 << (pk & 7)
        if byte >= len(self._bits):
            self._bits.extend(bytes(max(byte + 1 - len(self._bits), 4096)))
        if not self._bits[byte] & bit:
            self._bits[byte] |= bit
            self.count += 1

    def __contains__(self, pk: int) -> bool:
        """Whether the number is in."""
        byte = pk >> 3
        return byte < len(self._bits) and bool(self._bits[byte] & 1 << (pk & 7))

    def packed(self) -> bytes:
        """Return the set as compressed bytes, for the store."""
        return zlib.compress(bytes(self._bits), 1)
