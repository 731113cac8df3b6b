"""Ids, as each face writes them and as every face reads them.

Inside, an id is 32 hexadecimal digits of a UUIDv7, that of a document 16 random ones, and that of a file the
number of its item. Trove writes them bare, ZenSearch with a prefix, Aimable with hyphens; whatever one of
them wrote, all of them read. Times are whole seconds in UTC: `catchment.core.clock.iso`.
"""

from __future__ import annotations

import re
import uuid

from catchment.core.errors import NotFound

PREFIXES = {
    "connector": "conn",
    "collection": "col",
    "space": "space",
    "run": "job",
    "document": "doc",
    "file": "file",
    "tenant": "team",
    "principal": "user",
    "token": "key",
    "webhook": "wh",
    "event": "evt",
    "delivery": "dlv",
}
_BARE = re.compile(r"[0-9a-f]{32}")
_HYPHENATED = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SHORT = re.compile(r"[0-9a-f]{16}")
_MOST_CHARACTERS = 64


def parse(kind: str, text: str) -> str | None:
    """Return the inner form of an id in any spelling, or None where it is none of this kind."""
    if len(text) > _MOST_CHARACTERS:
        return None
    plain = text.removeprefix(f"{PREFIXES[kind]}_").lower()
    if kind == "document":
        return plain if _SHORT.fullmatch(plain) else None
    if _BARE.fullmatch(plain):
        return plain
    return plain.replace("-", "") if _HYPHENATED.fullmatch(plain) else None


def read(kind: str, text: str) -> str:
    """Return the inner form of an id in any spelling.

    Raises:
        NotFound: It is none of this kind, so there is nothing of that name.
    """
    found = parse(kind, text)
    if found is None:
        raise NotFound(f"There is no such {kind}.")
    return found


def prefixed(kind: str, inner: str) -> str:
    """Write an id as ZenSearch does: ``conn_`` and its digits."""
    return f"{PREFIXES[kind]}_{inner}"


def hyphenated(inner: str) -> str:
    """Write an id of 32 digits as Aimable does; one that is shorter stays as it is."""
    return str(uuid.UUID(inner)) if len(inner) == 32 else inner
