"""File names as keys: text in both directions, byte for byte.

A file name on POSIX is bytes. Names that are UTF-8 are their own key, in whichever normal form they
were written. Of other names each byte that does not decode is written as ``%`` and two upper-case
hexadecimal digits. A ``%`` that a reader could take for such an escape, which means one followed by
``25`` or by a byte from ``80`` to ``FF`` in upper case, is itself written ``%25``; every other ``%``
stays, so that ``50% off.txt`` and ``a%20b.txt`` look as they do on disk.
"""

from __future__ import annotations

import re

Parts = tuple[bytes, ...]
"""A path below the folder, as the names that the file system knows; empty for the folder itself."""

_TO_ESCAPE = re.compile(r"[\udc80-\udcff]|%(?=25|[89A-F][0-9A-F])")
_ESCAPED = re.compile(rb"%(25|[89A-F][0-9A-F])")


def to_key(raw: bytes) -> str:
    """Write a file name, or a path of names, as a key."""
    text = raw.decode("utf-8", "surrogateescape")
    if text.isascii() and "%" not in text:
        return text
    return _TO_ESCAPE.sub(lambda hit: f"%{ord(hit[0]) & 0xFF:02X}", text)


def from_key(key: str) -> bytes | None:
    """Return the name that `to_key` wrote as this key, or None where it writes no name so."""
    try:
        raw = _ESCAPED.sub(lambda hit: bytes([int(hit[1], 16)]), key.encode("utf-8"))
    except UnicodeEncodeError:
        return None
    return raw if to_key(raw) == key else None


def to_parts(key: str) -> Parts | None:
    """Take a key apart, or return None where no file below the folder can have it.

    Empty parts, ``.``, ``..`` and zero bytes are refused, so that the result never leads upwards.
    """
    raw = from_key(key)
    if raw is None or b"\0" in raw:
        return None
    parts = tuple(raw.split(b"/"))
    return None if any(part in (b"", b".", b"..") for part in parts) else parts


def as_text(raw: bytes) -> str:
    """Decode a name for pattern matching, losing nothing; the result may not be valid Unicode."""
    return raw.decode("utf-8", "surrogateescape")
