"""Room for a run's last words: a small file beside an SQLite store that is given up when the disk is full.

A disk can be so full that not even the row of the run that noticed it can be written. Somebody else may
take the room first; then the sweep ends the run.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine

RESERVE_BYTES = 256 * 1024
"""Some sixty pages: a transaction that closes a run takes a tenth of them."""


def keep(engine: Engine) -> None:
    """Set the room aside, unless it is there, or there is none."""
    path = _path(engine)
    with suppress(OSError):
        if path is not None and not path.exists():
            path.write_bytes(b"\0" * RESERVE_BYTES)


def give_up(engine: Engine) -> bool:
    """Free the room; tells whether there was some."""
    path = _path(engine)
    try:
        if path is None:
            return False
        path.unlink()
    except OSError:
        return False
    return True


def _path(engine: Engine) -> Path | None:
    database = engine.url.database
    if engine.dialect.name != "sqlite" or database in (None, "", ":memory:"):
        return None
    return Path(f"{database}.reserve")
