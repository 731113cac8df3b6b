"""Stores that hold nothing yet, without the time that laying their tables takes."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Engine

from catchment.core.ids import new_id
from catchment.store import meta
from catchment.store.engine import open_engine, writing
from catchment.store.migrate import migrate


def open_file(path: Path) -> Engine:
    """Open the SQLite store in a file; where there is none, put an empty one at the newest revision.

    All empty ones of a process are copies of one that was migrated, with an identity of their own: migrating
    each would take longer than most of what is done in it.
    """
    new = not path.exists()
    if new:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_empty())
    engine = open_engine(f"sqlite:///{path}")
    if new:
        with writing(engine) as connection:
            meta.put(connection, meta.STORE_ID, new_id())
    return engine


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catchment.db"
        engine = open_engine(f"sqlite:///{path}")
        migrate(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return path.read_bytes()
