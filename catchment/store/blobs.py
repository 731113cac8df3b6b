"""Files that people handed in, kept by their content below one folder.

A file's name on disk is the SHA-256 of its bytes, so nothing that a client writes ever becomes a path, and
the same bytes are kept once. A blob appears whole or not at all. It is let go when no item of the ledger
names it any more: both sides hold `exclusive`, so that none goes while it is being named.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct
from sqlalchemy import Connection, select, text

from catchment.core.home import home_settings
from catchment.core.runs import ItemState
from catchment.store.tables import items

READ_BYTES = 256 * 1024
LEFTOVER_SECONDS = 3600.0
"""A file on its way in that is older was left by a process that died."""
_HEX = frozenset("0123456789abcdef")


class BlobTooLarge(Exception):
    """The stream holds more bytes than one file may have."""


class Incoming(Struct, frozen=True):
    """A file that has arrived and is not kept yet."""

    sha256: str
    size: int
    path: Path


class Blobs:
    """The folder of blobs."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def of_home(cls) -> Blobs:
        """Return the blobs of this installation."""
        return cls(home_settings().root / "blobs")

    def take(self, stream: BinaryIO, *, max_bytes: int) -> Incoming:
        """Write a stream to the disk; `keep` or `drop` must follow.

        Raises:
            BlobTooLarge: It holds more than `max_bytes`; nothing of it stays.
        """
        folder = self.root / "incoming"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=folder)
        path, digest, size = Path(name), hashlib.sha256(), 0
        try:
            with os.fdopen(handle, "wb") as file:
                while size <= max_bytes and (part := stream.read(READ_BYTES)):
                    size += len(part)
                    digest.update(part)
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if size > max_bytes:
            path.unlink()
            raise BlobTooLarge
        return Incoming(digest.hexdigest(), size, path)

    def keep(self, incoming: Incoming) -> None:
        """Give an arrived file its place; within a transaction that is `exclusive` and names it."""
        place = self._place(incoming.sha256)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        incoming.path.replace(place)

    def drop(self, incoming: Incoming) -> None:
        """Let go of an arrived file that is not wanted; one that is kept already stays."""
        incoming.path.unlink(missing_ok=True)

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading.

        Raises:
            FileNotFoundError: It is not kept here.
        """
        return self._place(sha256).open("rb")

    def has(self, sha256: str) -> bool:
        """Tell whether a blob is kept."""
        return self._place(sha256).is_file()

    def remove(self, sha256: str) -> None:
        """Erase a blob; within a transaction that is `exclusive` and has seen that nothing names it."""
        self._place(sha256).unlink(missing_ok=True)

    def all(self) -> Iterator[str]:
        """Yield the names of all blobs."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                if _is_name(path.name):
                    yield path.name

    def clear_leftovers(self) -> int:
        """Erase what dead processes left on its way in; returns how many files."""
        cleared = 0
        for path in (self.root / "incoming").glob("*"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > LEFTOVER_SECONDS:
                    path.unlink()
                    cleared += 1
        return cleared

    def _place(self, sha256: str) -> Path:
        if not _is_name(sha256):
            raise FileNotFoundError("This is not the name of a blob.")
        return self.root / sha256[:2] / sha256


def _is_name(text: str) -> bool:
    return len(text) == 64 and _HEX.issuperset(text)


def exclusive(connection: Connection) -> None:
    """Let no other transaction name or erase blobs until this one ends; SQLite has but one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('catchment blobs'))")


def is_named(connection: Connection, sha256: str) -> bool:
    """Tell whether an item that is not deleted was made of a blob."""
    found = connection.execute(
        select(items.c.pk)
        .where(
            # In words of its own, so that the index over uploads is used.
            text("origin = 'upload'"),
            items.c.version == sha256,
            items.c.state != ItemState.DELETED.value,
        )
        .limit(1)
    ).first()
    return found is not None


def all_named(connection: Connection) -> set[str]:
    """Return the names of all blobs that items which are not deleted were made of."""
    statement = select(items.c.version).where(
        text("origin = 'upload'"), items.c.state != ItemState.DELETED.value
    )
    return {version for version in connection.execute(statement.distinct()).scalars() if version is not None}
