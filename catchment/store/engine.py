"""The engine: how the store is opened, and how a transaction begins.

On SQLite a transaction that will write begins IMMEDIATE, so that it waits for its turn instead of
failing half-way with SQLITE_BUSY_SNAPSHOT; readers never wait.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Double

from catchment.core.errors import DiskFull

BUSY_TIMEOUT_MS = 60_000
# Most of a writer's memory is the page cache; 64 MiB were not faster than 16.
CACHE_KIB = 16 * 1024
WRITE = "catchment_write"


class db_now(FunctionElement[float]):  # noqa: N801 - reads as the SQL function that it is
    """The database's own clock, POSIX seconds: what leases are measured with."""

    type = Double()
    inherit_cache = True


@compiles(db_now, "sqlite")
def _sqlite_now(_element: Any, _compiler: Any, **_kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(db_now, "postgresql")
def _postgresql_now(_element: Any, _compiler: Any, **_kw: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


def _sqlite_module() -> ModuleType:
    """Take the newer SQLite of pysqlite3 where it has a wheel: it writes a tenth faster."""
    if sys.platform == "linux":
        try:
            from pysqlite3 import dbapi2
        except ImportError:
            pass
        else:
            return dbapi2  # type: ignore[no-any-return]
    import sqlite3

    return sqlite3


def open_engine(url: str) -> Engine:
    """Open the store at an SQLAlchemy address; nothing is created but the file's folder.

    Args:
        url: ``sqlite:///path`` or ``postgresql://...`` (psycopg 3 is meant).
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, module=_sqlite_module(), pool_size=8, max_overflow=8)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed, pool_pre_ping=True)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself; `_begin_sqlite` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # A committed transaction survives a crash of the process; after a power cut the last ones may
    # be missing, whole, and the cursor with them.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a connection for reading: one snapshot, never waiting for writers."""
    with engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that writes, commit it at the end, or roll it back on an error.

    Raises:
        DiskFull: There is no room for the transaction; nothing of it was kept.
    """
    try:
        with engine.connect().execution_options(**{WRITE: True}) as connection, connection.begin():
            yield connection
    except (OperationalError, DatabaseError) as error:
        if _is_full(error):
            raise DiskFull(
                "There is no room left for the store.",
                remedy="Free some space, or move CATCHMENT_HOME; the next run goes on from here.",
            ) from error
        raise


def _is_full(error: DatabaseError) -> bool:
    text = str(error.orig).lower()
    return "disk is full" in text or "disk i/o error" in text or "no space left" in text
