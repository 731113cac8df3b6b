"""The one place where the facts of a file become an item."""

from __future__ import annotations

import os
import stat
from functools import lru_cache

from catchment.kit import Item
from catchment.kit.media import media_type


@lru_cache(maxsize=1024)
def _mode(mode: int) -> str:
    return f"{stat.S_IMODE(mode):04o}"


def version_of(facts: os.stat_result) -> str:
    """Return the version mark: modification time in nanoseconds, size, inode.

    The inode tells apart a file that was moved over another of the same size and time. The time of
    the last change of the inode (ctime) is left out: a chmod would read every file again.
    """
    return f"{facts.st_mtime_ns}:{facts.st_size}:{facts.st_ino}"


def file_item(key: str, url: str, facts: os.stat_result, *, linked: bool = False) -> Item:
    """Describe a regular file; `linked` says that it was reached over a symbolic link."""
    # Two names of one file are no move, whether hard link or symbolic.
    one_name = facts.st_nlink == 1 and not linked
    version = version_of(facts)
    hint = f"{facts.st_dev}:{version}" if one_name else None
    mode = {"mode": _mode(facts.st_mode)}
    size, changed_at, type_ = facts.st_size, facts.st_mtime, media_type(key)
    # In the order of the fields, up to the last that is told: by their names, it takes twice as long.
    return Item(key, key, version, size, type_, changed_at, None, None, url, None, (), hint, None, mode)


def refused_item(key: str, url: str, facts: os.stat_result, refusal: str) -> Item:
    """Describe an entry that is seen and not read, so that a person can ask why."""
    return Item(
        key=key,
        path=key,
        version=version_of(facts),
        modified_at=facts.st_mtime,
        url=url,
        refusal=refusal,
        metadata={"mode": _mode(facts.st_mode)},
    )


_URL_SAFE = b"/-._~" + bytes(range(0x30, 0x3A)) + bytes(range(0x41, 0x5B)) + bytes(range(0x61, 0x7B))
# Read as Latin-1 every byte is one character: `str.translate` then quotes faster as `urllib` does.
_URL_TABLE = {byte: f"%{byte:02X}" for byte in range(256) if byte not in _URL_SAFE}


def is_plain(raw: bytes) -> bool:
    """Whether a name stands in keys and URLs as it is."""
    return not raw.strip(_URL_SAFE)


def quoted(raw: bytes) -> str:
    """Write a path as it stands in a URL."""
    text = raw.decode("latin-1")
    return text.translate(_URL_TABLE) if raw.strip(_URL_SAFE) else text


def file_url(raw: bytes) -> str:
    """Write an absolute path as a ``file://`` URL."""
    return f"file://{quoted(raw)}"
