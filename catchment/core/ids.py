"""Identifiers: time-ordered for rows, short and random where a person copies them."""

from __future__ import annotations

import secrets
import time
import uuid


def uuid7() -> uuid.UUID:
    """Make a UUID of version 7 (RFC 9562 §5.7): 48 bits of milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def new_id() -> str:
    """Return a new UUIDv7 as 32 hexadecimal digits, the form that the store keeps."""
    return uuid7().hex


def new_short_id() -> str:
    """Return 16 random hexadecimal digits: the short name of a document."""
    return secrets.token_hex(8)


def new_short_ids(count: int) -> list[str]:
    """Return `count` different ids like `new_short_id`; they share their first half.

    So they lie side by side in an index, and a batch of documents touches a few of its pages instead of
    one for each. The second half is random as well; who knows one id cannot guess another.
    """
    head = secrets.token_hex(4)
    tails: set[str] = set()
    while len(tails) < count:
        drawn = secrets.token_hex(4 * (count - len(tails)))
        tails.update(drawn[at : at + 8] for at in range(0, len(drawn), 8))
    return [head + tail for tail in sorted(tails)]
