"""The doctor's look at the store: can it be opened, is it of this version, is it whole and quick."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine

from catchment.core.errors import UsageError
from catchment.services.findings import Finding, Verdict
from catchment.store import runs
from catchment.store.engine import MOST_CONNECTIONS, SOUND_SQLITE, open_engine, reading, writing
from catchment.store.migrate import current_revision, require_current
from catchment.store.postgres_index import NAME as WORDS
from catchment.store.postgres_index import is_missing

LEAST_SQLITE = (3, 35, 0)
LEAST_POSTGRESQL = 14
LEAST_CONNECTIONS = 2 * MOST_CONNECTIONS
"""What an API and a flow run may open side by side."""

# A limit of -1 is none, and a superuser is bound by neither of the last two.
_CONNECTIONS = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
       (SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND datname IS DISTINCT FROM current_database()),
       CASE WHEN rolsuper OR datconnlimit < 0 THEN NULL ELSE datconnlimit END,
       CASE WHEN rolsuper OR rolconnlimit < 0 THEN NULL ELSE rolconnlimit END
FROM pg_database, pg_roles WHERE datname = current_database() AND rolname = current_user
"""
_SERVER = """
SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000,
       pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean
"""


def look_at_store(store_url: str) -> Iterator[Finding | Engine]:
    """Look at the store; yields its engine, too, when it can be used."""
    path = store_url.removeprefix("sqlite:///")
    if path != store_url and not Path(path).exists():
        yield Finding("store", Verdict.NOTE, "There is no store yet; the first sync makes it.")
        return
    try:
        engine = open_engine(store_url)
    except UsageError as error:
        yield Finding("store", Verdict.WRONG, error.message, error.remedy)
        return
    if engine.dialect.name == "postgresql":
        server = _server(engine)
        yield server
        if server.verdict is Verdict.WRONG:
            return
    try:
        require_current(engine)
    except UsageError as error:
        yield Finding("store", Verdict.WRONG, error.message, error.remedy)
        return
    except Exception as error:
        yield Finding("store", Verdict.WRONG, f"The store cannot be opened: {type(error).__name__}.")
        return
    yield Finding("store", Verdict.OK, f"revision {current_revision(engine)}")
    yield from _sqlite(engine) if engine.dialect.name == "sqlite" else _postgresql(engine)
    yield engine


def numbers(text: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with."""
    parts = []
    for part in text.split("."):
        digits = "".join(character for character in part if character.isdecimal())
        if not digits:
            break
        parts.append(int(digits))
    return tuple(parts)


def _sqlite(engine: Engine) -> Iterator[Finding]:
    with reading(engine) as connection:
        library = str(connection.exec_driver_sql("SELECT sqlite_version()").scalar())
        has_fts = connection.exec_driver_sql("SELECT sqlite_compileoption_used('ENABLE_FTS5')").scalar()
        complaints = [row[0] for row in connection.exec_driver_sql("PRAGMA quick_check(3)")]
    if numbers(library) < LEAST_SQLITE or not has_fts:
        yield Finding(
            "sqlite", Verdict.WRONG, f"SQLite {library} lacks FTS5 or is too old.", "Use a newer Python."
        )
    elif numbers(library) < SOUND_SQLITE:
        yield Finding(
            "sqlite",
            Verdict.NOTE,
            f"SQLite {library} can, very rarely, damage a store that two processes write to at once.",
            "Install pysqlite3 0.6.1 or newer, or keep the store on PostgreSQL.",
        )
    else:
        yield Finding("sqlite", Verdict.OK, f"SQLite {library} with FTS5")
    if complaints == ["ok"]:
        yield Finding("store integrity", Verdict.OK, "The file is sound.")
    else:
        yield Finding(
            "store integrity",
            Verdict.WRONG,
            f"The file is damaged: {'; '.join(map(str, complaints))}"[:300],
            "Restore it from a backup, or move it away and sync again.",
        )
        return
    try:
        with writing(engine) as connection:
            connection.exec_driver_sql(
                "INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('integrity-check', 1)"
            )
    except Exception as error:
        yield Finding(
            "index integrity",
            Verdict.WRONG,
            f"The full-text index does not match the documents ({type(error).__name__}).",
            "Sync each connector with --mode full.",
        )
    else:
        yield Finding("index integrity", Verdict.OK, "The full-text index matches the documents.")


def _server(engine: Engine) -> Finding:
    """Ask the server who it is; that fails where it cannot be reached or signed in to."""
    try:
        with reading(engine) as connection:
            told, major, takes_no_writes = connection.exec_driver_sql(_SERVER).one()
    except UsageError as error:
        return Finding("postgresql", Verdict.WRONG, error.message, error.remedy)
    if major < LEAST_POSTGRESQL:
        return Finding(
            "postgresql",
            Verdict.WRONG,
            f"PostgreSQL {told} is too old for the store.",
            f"Use PostgreSQL {LEAST_POSTGRESQL} or newer.",
        )
    if takes_no_writes:
        return Finding(
            "postgresql",
            Verdict.WRONG,
            f"PostgreSQL {told} takes no writes here: it is a standby, or set to read only.",
            "Set CATCHMENT_DATABASE_URL to the server that takes writes.",
        )
    return Finding("postgresql", Verdict.OK, f"PostgreSQL {told}")


def _postgresql(engine: Engine) -> Iterator[Finding]:
    with reading(engine) as connection:
        yield _words(connection)
        yield _connections(connection)


def _words(connection: Connection) -> Finding:
    """Look for the index over the words, which a first load that was broken off leaves behind unbuilt."""
    if not is_missing(connection):
        return Finding("index", Verdict.OK, "Searches have the index that they need.")
    if runs.unfinished(connection):
        return Finding(
            "index",
            Verdict.NOTE,
            f"The index {WORDS} is built at the end of a run; until then searches are slow.",
        )
    return Finding(
        "index",
        Verdict.WRONG,
        f"The index {WORDS} is missing, so that searches read every chunk.",
        "Sync any connector: the end of a run builds it.",
    )


def _connections(connection: Connection) -> Finding:
    """Compare what the server, the database and the role allow with what processes open."""
    server, others, database, role = connection.exec_driver_sql(_CONNECTIONS).one()
    room, remedy = server - others, "Raise max_connections of the server, or close others' connections."
    if database is not None and database < room:
        room, remedy = database, "As the owner, run: ALTER DATABASE <database> CONNECTION LIMIT -1;"
    if role is not None and role < room:
        room, remedy = role, "As a superuser, run: ALTER ROLE <role> CONNECTION LIMIT -1;"
    told = f"There is room for {room} connections; a process opens up to {MOST_CONNECTIONS}."
    if room >= LEAST_CONNECTIONS:
        return Finding("connections", Verdict.OK, told)
    verdict = Verdict.NOTE if room >= MOST_CONNECTIONS else Verdict.WRONG
    return Finding("connections", verdict, told, remedy)
