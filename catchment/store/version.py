"""Whether the store has changed since somebody looked: a question that costs less than any query."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError


class StoreVersion:
    """A number that differs after each commit to the store by whomever, as far as there is such a number.

    On SQLite a connection of its own asks for ``data_version``, which looks at shared memory only. PostgreSQL
    has no such number.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._lock = threading.Lock()
        self._connection: Any = None

    def now(self) -> int | None:
        """Return the number as it is now; None where there is none, or it would have to be waited for."""
        if not self._is_sqlite:
            return None
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._opened()
                (number,) = self._connection.execute("PRAGMA data_version").fetchone()
            except (self._engine.dialect.loaded_dbapi.Error, SQLAlchemyError):
                # What is wrong with the store is told by the query that follows.
                self._forget()
                return None
            return int(number)

    def close(self) -> None:
        """Let the store go; a later question opens it again."""
        with self._lock:
            self._forget()

    def _opened(self) -> Any:
        pooled = self._engine.raw_connection()
        connection = pooled.driver_connection
        assert connection is not None
        pooled.detach()  # it stays open between questions, and must not be missing from the pool
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    def _forget(self) -> None:
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None
