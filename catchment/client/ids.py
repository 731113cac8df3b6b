"""Ids in the spelling that a face wants, whichever spelling was given, and quoted for a path."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

_DIGITS = 32


def in_path(text: str) -> str:
    """Write an id as one part of a path, whatever it holds."""
    if not text.strip("."):
        # Nothing, or dots, which would lead to another path.
        return "%2E" * len(text) or "-"
    return quote(text, safe="")


def prefixed(prefix: str, text: str) -> str:
    """Write an id as the ZenSearch face does: ``conn_`` and 32 digits. What is no such id stays as it is."""
    plain = text.removeprefix(f"{prefix}_").replace("-", "").lower()
    return f"{prefix}_{plain}" if _is_plain(plain) else text


def hyphenated(prefix: str, text: str) -> str:
    """Write an id as the Aimable face does. What is no such id stays as it is."""
    plain = text.removeprefix(f"{prefix}_").replace("-", "").lower()
    return str(UUID(plain)) if _is_plain(plain) else text


def _is_plain(text: str) -> bool:
    return len(text) == _DIGITS and all(digit in "0123456789abcdef" for digit in text)
