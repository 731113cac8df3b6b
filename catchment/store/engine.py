"""The engine: how the store is opened, and how a transaction begins, ends, and is tried again.

On SQLite a transaction that will write begins IMMEDIATE, so that it waits for its turn instead of
failing half-way with SQLITE_BUSY_SNAPSHOT; readers never wait. On PostgreSQL readers see one snapshot,
too; writers lock rows (`catchment.store.connectors.lock` comes first), and a writer whose process was
stopped loses its transaction before anybody has waited long for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Double

from catchment.core.errors import DiskFull, StoreUnavailable, UsageError

T = TypeVar("T")
BUSY_TIMEOUT_MS = 60_000
# Most of a writer's memory is the page cache; 64 MiB were not faster than 16.
CACHE_KIB = 16 * 1024
CHECKPOINT_PAGES = 4_000
"""16 MiB. SQLite itself would copy pages into its file, and wait for the disk, after each 1,000 of them: one
transaction of a first load writes more."""
SOUND_SQLITE = (3, 51, 3)
"""Older ones can, very rarely, damage a file when two connections write or checkpoint at once; see
https://www.sqlite.org/wal.html#walresetbug."""
WRITE = "catchment_write"
POOL_SIZE = 4
"""Connections that a process keeps: collect, index and the pulse take one each, and one is to spare."""
MOST_CONNECTIONS = 12
"""What it opens at most, all of them at one PostgreSQL."""
IDLE_SECONDS = 15
"""A writer that says nothing for so long within a transaction is taken for stopped, and its locks go."""
STATEMENT_SECONDS = 120
"""The same for one that says nothing in the middle of a COPY; no statement of ours takes a tenth of it."""
LOCK_SECONDS = 60
TRIES = 5
"""How often a transaction is begun that the database gives up to resolve a conflict."""
_CONFLICTS = ("40001", "40P01")
_LOST = ("08", "57P", "25P03", "25P04", "53300", "55P03", "57014")
_LIMITS = (
    f"SELECT set_config('idle_in_transaction_session_timeout', '{IDLE_SECONDS}s', true),"
    f" set_config('lock_timeout', '{LOCK_SECONDS}s', true),"
    f" set_config('statement_timeout', '{STATEMENT_SECONDS}s', true)"
)


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
    """Take the newer SQLite: that of the interpreter, or of pysqlite3 where it has a wheel.

    Newer ones write faster, and those before `SOUND_SQLITE` have a fault.
    """
    import sqlite3

    try:
        from pysqlite3 import dbapi2
    except ImportError:
        return sqlite3
    return dbapi2 if dbapi2.sqlite_version_info > sqlite3.sqlite_version_info else sqlite3


def open_engine(url: str) -> Engine:
    """Open the store at an SQLAlchemy address; nothing is created but the file's folder.

    Args:
        url: ``sqlite:///path`` or ``postgresql://...`` (psycopg 3 is meant); what follows a question mark is
            handed to the driver, such as ``sslmode=verify-full&sslrootcert=/etc/ca.pem``.

    Raises:
        UsageError: It is no address, or of another database. It is not repeated: it may hold a password.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            parsed,
            module=_sqlite_module(),
            pool_size=8,
            max_overflow=8,
            # Whoever writes gets the connection back that knows the pages; any other has to read them anew.
            pool_use_lifo=True,
            hide_parameters=True,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(
        parsed,
        pool_size=POOL_SIZE,
        max_overflow=MOST_CONNECTIONS - POOL_SIZE,
        pool_use_lifo=True,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={} if "connect_timeout" in parsed.query else {"connect_timeout": 10},
    )
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _parsed(url: str) -> URL:
    """Read an address; PostgreSQL is always reached through psycopg 3."""
    remedy = "Set CATCHMENT_DATABASE_URL to postgresql://user:password@host/database, or unset it."
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UsageError("The address of the store cannot be read.", remedy=remedy) from None
    backend = parsed.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise UsageError(f"The store cannot live in {backend}.", remedy=remedy)
    return parsed


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
    cursor.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITE):
        connection.exec_driver_sql(_LIMITS)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a connection for reading: one snapshot, never waiting for writers.

    Raises:
        StoreUnavailable: The database does not answer.
    """
    with _told(engine), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that writes, commit it at the end, or roll it back on an error.

    Raises:
        DiskFull: There is no room for the transaction; nothing of it was kept.
        StoreUnavailable: The database does not answer, or has ended the transaction.
    """
    with (
        _told(engine),
        engine.connect().execution_options(**{WRITE: True}) as connection,
        connection.begin(),
    ):
        yield connection


def transact(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Do work in a transaction that writes; do it again where the database resolved a deadlock by ending it.

    Args:
        engine: The store.
        work: Leaves no trace outside of the transaction until it returns.

    Raises:
        DiskFull: There is no room for the transaction; nothing of it was kept.
        StoreUnavailable: The database does not answer, or has ended the transaction.
    """
    for attempt in range(1, TRIES + 1):
        try:
            with writing(engine) as connection:
                return work(connection)
        except DBAPIError as error:
            if attempt == TRIES or _sqlstate(error) not in _CONFLICTS:
                raise
    raise AssertionError("unreachable")


@contextmanager
def outside(engine: Engine) -> Iterator[Connection]:
    """Open a connection whose statements each stand for themselves (PostgreSQL only).

    Raises:
        StoreUnavailable: The database does not answer.
    """
    with _told(engine), engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def advisory_lock(engine: Engine, name: str, *, wait: bool = True) -> Iterator[Connection | None]:
    """Hold a lock of this name, for all processes on this PostgreSQL; it goes with the connection.

    Yields the connection that holds it, outside of any transaction; None where another has the lock and
    `wait` is false.
    """
    with outside(engine) as connection:
        call = "pg_advisory_lock" if wait else "pg_try_advisory_lock"
        held = connection.exec_driver_sql(f"SELECT {call}(hashtext(%s))", (name,)).scalar()
        if held is False:
            yield None
            return
        try:
            yield connection
        finally:
            if not connection.invalidated:
                connection.exec_driver_sql("SELECT pg_advisory_unlock(hashtext(%s))", (name,))


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    """Tell what ends a transaction from outside, in our own words."""
    try:
        yield
    except DBAPIError as error:
        if _is_full(error):
            raise DiskFull(
                "There is no room left for the store.",
                remedy="Free some space, or move CATCHMENT_HOME; the next run goes on from here.",
            ) from error
        if engine.dialect.name == "postgresql" and _is_of_psycopg(error) and _is_lost(error):
            raise StoreUnavailable(
                f"The store on PostgreSQL ({_place(engine.url)}) cannot be used: {_reason(error)}",
                remedy="Check CATCHMENT_DATABASE_URL, and that the server runs.",
            ) from error
        raise


def _is_of_psycopg(error: DBAPIError) -> bool:
    """Whether it came from PostgreSQL: a transaction here may enclose one on another database."""
    return type(error.orig).__module__.partition(".")[0] == "psycopg"


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _is_lost(error: DBAPIError) -> bool:
    state = _sqlstate(error)
    if state:
        return error.connection_invalidated or state.startswith(_LOST)
    # The driver gives no state where no server gave one: it was not reached, or went away.
    return type(error.orig).__name__ == "OperationalError"


def _place(url: URL) -> str:
    """Name a server without user and password."""
    host = url.host or url.query.get("host") or "local socket"
    port = f":{url.port}" if url.port else ""
    return f"{host}{port}/{url.database or ''}"


def _reason(error: DBAPIError) -> str:
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error.orig).__name__).rstrip(".") + "."


def _is_full(error: DBAPIError) -> bool:
    text = str(error.orig).lower()
    return (
        _sqlstate(error) == "53100"
        or "disk is full" in text
        or "disk i/o error" in text
        or "no space left" in text
    )
