"""Secrets that the API needs by itself: sealed rows in the store, and the key to them in a file beside it.

Whoever has the store alone, or a copy of it, has none of them. A row is sealed under its name, so that none
can be put in the place of another.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update

from catchment.core.errors import UsageError
from catchment.core.home import home_settings
from catchment.store.access_tables import sealed

KEY_BYTES = 32
_NONCE_BYTES = 12


class WrongKey(UsageError):
    """The key file is gone, is another one's, or the row was changed."""

    code = "wrong_key"


class KeyFile:
    """The key of one installation, made when it is first needed, readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of_home(cls) -> KeyFile:
        """Return the key file of this installation."""
        return cls(home_settings().root / "key")

    def seal(self, name: str, plain: bytes) -> bytes:
        """Return bytes that only `open` with the same name and key makes sense of."""
        # The import costs 30 ms, and few processes need it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._key(make=True)).encrypt(nonce, plain, name.encode())

    def open(self, name: str, data: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            WrongKey: It was sealed with another key or under another name, or somebody changed it.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            cipher = AESGCM(self._key(make=False))
            return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], name.encode())
        except (InvalidTag, FileNotFoundError, ValueError):
            raise WrongKey(
                f"The key file {self.path} does not open {name}.",
                remedy="Bring back the key file that belongs to this store, or set it again.",
            ) from None

    def _key(self, *, make: bool) -> bytes:
        with suppress(FileNotFoundError):
            return self.path.read_bytes()
        if not make:
            raise FileNotFoundError(self.path)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        try:
            # Unlike a rename this never takes the place of a key that another process made meanwhile.
            with suppress(FileExistsError):
                os.link(fresh, self.path)
        finally:
            fresh.unlink()
        return self.path.read_bytes()


def put(connection: Connection, name: str, data: bytes, *, now: float) -> None:
    """Keep sealed bytes under a name, in place of what was there."""
    values = {"sealed": data, "updated_at": now}
    changed = connection.execute(update(sealed).where(sealed.c.name == name).values(**values))
    if not changed.rowcount:
        connection.execute(insert(sealed).values(name=name, **values))


def get(connection: Connection, name: str) -> bytes | None:
    """Return the sealed bytes under a name, or None."""
    found: bytes | None = connection.execute(
        select(sealed.c.sealed).where(sealed.c.name == name)
    ).scalar_one_or_none()
    return found


def names(connection: Connection, prefix: str) -> list[tuple[str, float]]:
    """Return the names that begin so, sorted, and when each was last written."""
    begins = sealed.c.name.startswith(prefix, autoescape=True)
    statement = select(sealed.c.name, sealed.c.updated_at).where(begins).order_by(sealed.c.name)
    return [(row[0], row[1]) for row in connection.execute(statement)]


def drop(connection: Connection, name: str) -> bool:
    """Forget what is under a name; returns whether there was something."""
    return bool(connection.execute(delete(sealed).where(sealed.c.name == name)).rowcount)
