"""Bringing the store to the newest schema, and refusing to work on any other.

The store is migrated by `up` and by ``catchment migrate`` only, under a lock, and on SQLite after a
copy of the file was made. Every other process compares the revision and stops.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

from catchment.core.clock import Clock, SystemClock
from catchment.core.errors import UsageError
from catchment.store import connectors, meta
from catchment.store.engine import advisory_lock, reading, writing

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0004"
"""The newest revision; a test compares it with the migrations' own."""


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def current_revision(engine: Engine) -> str | None:
    """Return the revision that the store stands at; None for one that is empty."""
    if engine.dialect.name == "sqlite" and not _file_exists(engine):
        return None
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return str(revision) if revision else None


def require_current(engine: Engine) -> None:
    """Stop unless the store is at the revision that this program knows.

    Raises:
        UsageError: It is empty, older or newer; the message says which command helps.
    """
    revision = current_revision(engine)
    if revision == HEAD:
        return
    if revision is None:
        raise UsageError("There is no store yet.", remedy="Run: catchment migrate (or catchment up).")
    if revision > HEAD:
        raise UsageError(
            f"The store is at revision {revision}, newer than this Catchment knows ({HEAD}).",
            remedy="Install the newer version that made it.",
        )
    raise UsageError(
        f"The store is at revision {revision}, this Catchment needs {HEAD}.", remedy="Run: catchment migrate."
    )


def migrate(engine: Engine, *, clock: Clock | None = None) -> list[str]:
    """Bring the store to the newest revision and return what was done, in sentences.

    A new store also gets its identity and the default tenant, space and collection.

    Raises:
        UsageError: The store is newer than this program.
    """
    from alembic import command

    with _lock(engine):
        before = current_revision(engine)
        if before == HEAD:
            return []
        if before is not None and before > HEAD:
            require_current(engine)
        done = []
        if before is not None and (copy := _copy_of_file(engine, before)) is not None:
            done.append(f"The store was copied to {copy} first.")
        config = _config()
        with writing(engine) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            if before is None:
                now = (clock or SystemClock()).now()
                meta.found(connection)
                connectors.found_tenant(connection, name="Default", now=now)
        done.append(f"The store is at revision {HEAD}.")
        return done


def _database_path(engine: Engine) -> Path | None:
    if engine.dialect.name == "sqlite" and engine.url.database not in (None, "", ":memory:"):
        return Path(str(engine.url.database))
    return None


def _file_exists(engine: Engine) -> bool:
    path = _database_path(engine)
    return path is None or path.exists()


def _copy_of_file(engine: Engine, revision: str) -> Path | None:
    path = _database_path(engine)
    if path is None:
        return None
    copy = path.with_name(f"{path.name}.before-{HEAD}-from-{revision}")
    copy.unlink(missing_ok=True)
    copy.touch(mode=path.stat().st_mode & 0o777)
    # Copying the file would leave out what still lies in the log beside it: all of it, when a reader
    # keeps the log from being folded in.
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("VACUUM INTO ?", (str(copy),))
    return copy


@contextmanager
def _lock(engine: Engine) -> Iterator[None]:
    """Let one process migrate at a time."""
    path = _database_path(engine)
    if path is None:
        with advisory_lock(engine, "catchment migrate"):
            yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.migrate-lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
