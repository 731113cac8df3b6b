"""Connections: a pool per connector, read-only transactions, and an end to statements when the run ends.

Settings are made inside each transaction (SET LOCAL), never for the session: a pooler in transaction mode
hands the session to somebody else. Server-side prepared statements are off for the same reason.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from catchment.core.errors import SourceError
from catchment.kit import AuthRejected, ConfigRejected, Session
from connectors.postgresql.config import PostgreSQLConfig
from connectors.postgresql.credentials import PostgreSQLCredentials
from connectors.postgresql.errors import connect_error, translated

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Engine

POOL_CONNECTIONS = 10
"""Two for each of four fetches (a result and a large value in it), and two for whoever lists."""
LOCK_TIMEOUT_SECONDS = 5
IDLE_TIMEOUT_SECONDS = 600
"""A transaction that nobody speaks in for so long is ended by the server."""
_LOOK_SECONDS = 0.5

_FORMATS = {
    # Texts of values are compared and hashed, so that they must not depend on who set up the server.
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lock_timeout": f"{LOCK_TIMEOUT_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT_SECONDS}s",
}

Connection = Any
"""A psycopg connection whose rows are plain tuples."""


class Database:
    """The way to one database; made without contacting it."""

    def __init__(
        self, config: PostgreSQLConfig, credentials: PostgreSQLCredentials | None, session: Session
    ) -> None:
        self._config = config
        self._credentials = credentials or PostgreSQLCredentials()
        self._session = session
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._in_use: set[Connection] = set()
        self._closed = threading.Event()

    @contextmanager
    def reading(
        self, *, snapshot: bool = False, timeout_seconds: float | None = None
    ) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """Lend a connection inside a read-only transaction, rolled back at the end.

        Args:
            snapshot: Show one state of the database for the whole transaction.
            timeout_seconds: Longest time of one statement, in place of the setting.

        Raises:
            RunCancelled: The run was asked to stop; a statement in the middle is cancelled.
            SourceError: There is no connection, or a statement fails.
        """
        import psycopg

        self._session.check_stop()
        with self._lent() as connection:
            try:
                connection.isolation_level = (
                    psycopg.IsolationLevel.REPEATABLE_READ
                    if snapshot
                    else psycopg.IsolationLevel.READ_COMMITTED
                )
                connection.read_only = True
                connection.execute(*self._preparation(timeout_seconds))
                yield connection
            except SourceError:
                self._session.check_stop()  # a statement that was cancelled looks like one that timed out
                raise
            except psycopg.Error as error:
                self._session.check_stop()
                raise translated(error) from error
            finally:
                with suppress(psycopg.Error):
                    connection.rollback()

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        with self._lock:
            engine, self._engine = self._engine, None
            self._closed.set()
        if engine is not None:
            engine.dispose()

    @contextmanager
    def _lent(self) -> Iterator[Connection]:
        pooled = self._take()
        connection = pooled.driver_connection
        with self._lock:
            self._in_use.add(connection)
        try:
            yield connection
        finally:
            with self._lock:
                self._in_use.discard(connection)
            if connection.broken:
                pooled.invalidate()  # else the pool tries to use it, and logs at length that it cannot
            pooled.close()

    def _take(self) -> Any:
        import psycopg
        from sqlalchemy.exc import DBAPIError
        from sqlalchemy.exc import TimeoutError as PoolExhausted

        config = self._config
        try:
            return self._open().raw_connection()
        except PoolExhausted as error:
            raise connect_error(
                TimeoutError("too many connections in use"), config.host, config.port
            ) from error
        except DBAPIError as error:
            raise connect_error(error.orig or error, config.host, config.port) from error
        except psycopg.Error as error:
            raise connect_error(error, config.host, config.port) from error

    def _open(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._make_engine()
                self._closed = threading.Event()
                threading.Thread(
                    target=self._cancel_on_stop, args=(self._closed,), name="postgresql-stop", daemon=True
                ).start()
            return self._engine

    def _make_engine(self) -> Engine:
        from sqlalchemy import URL, create_engine, event

        config = self._config
        secret = self._credentials.password
        engine = create_engine(
            URL.create(
                "postgresql+psycopg",
                username=self._credentials.username,
                password=secret.get_secret_value() if secret else None,
                host=config.host,
                port=config.port,
                database=config.database,
            ),
            connect_args=self._connect_arguments(),
            pool_size=2,
            max_overflow=POOL_CONNECTIONS - 2,
            pool_timeout=60,
            pool_pre_ping=True,
            use_native_hstore=False,
        )
        event.listen(engine, "connect", _prepare)
        return engine

    def _connect_arguments(self) -> dict[str, Any]:
        config, network = self._config, self._session.network
        arguments: dict[str, Any] = {
            "application_name": "catchment",
            "client_encoding": "UTF8",
            "connect_timeout": config.connect_timeout_seconds,
            "gssencmode": "disable",
            "prepare_threshold": None,
            "sslmode": "disable" if config.is_socket else config.tls,
        }
        if network.ca_file:
            arguments["sslrootcert"] = network.ca_file
        if not self._session.trusted:
            arguments.update(self._own_identity_only())
        return arguments

    def _own_identity_only(self) -> Mapping[str, Any]:
        """Keep a connector that others made from this machine's sockets, networks and password files."""
        config, network = self._config, self._session.network
        if config.is_socket:
            raise ConfigRejected(
                "This connector may not use a socket of this machine.",
                setting="host",
                remedy="Have the operator of the machine make it at the command line.",
            )
        if not self._credentials.username or self._credentials.password is None:
            raise AuthRejected("This connector has no password.", remedy="Give it a user and a password.")
        network.require_reachable(config.host, setting="host")
        arguments = {"passfile": "/dev/null", "sslcertmode": "disable"}
        if network.guarded and not network.allowed:
            # The name may stand for another address a moment later: connect to the one that is judged.
            found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
            address = str(found[0][4][0])
            network.require_reachable(address, setting="host")
            arguments["hostaddr"] = address
        return arguments

    def _preparation(self, timeout_seconds: float | None) -> tuple[str, list[str]]:
        """Return the statement that makes all settings of a transaction at once."""
        timeout = timeout_seconds or self._config.statement_timeout_seconds
        settings = {**_FORMATS, "statement_timeout": f"{int(timeout * 1000)}ms"}
        parts = ", ".join(f"set_config('{name}', %s, true)" for name in settings)
        path = "set_config('search_path', quote_ident(%s) || ', ' || current_setting('search_path'), true)"
        return f"SELECT {parts}, {path}", [*settings.values(), self._config.schema]

    def _cancel_on_stop(self, closed: threading.Event) -> None:
        """Cancel what the server is busy with once the run must end; nothing else would wake its reader."""
        while not closed.wait(_LOOK_SECONDS):
            if self._session.stop.is_set():
                with self._lock:
                    busy = list(self._in_use)
                for connection in busy:
                    with suppress(Exception):  # it may have come to its end this moment
                        connection.cancel_safe(timeout=2.0)


def _prepare(connection: Any, _record: Any) -> None:
    """Read text leniently where the database has no encoding and may hold bytes that are no UTF-8."""
    if connection.info.parameter_status("server_encoding") == "UTF8":
        return  # the server has checked what it keeps, and the driver reads it at a third of the cost
    from psycopg.adapt import Loader
    from psycopg.pq import Format

    class Text(Loader):
        def load(self, data: Any) -> str:
            return str(data, "utf-8", "replace")

    class BinaryText(Text):
        format = Format.BINARY

    for name in ("text", "varchar", "name"):
        connection.adapters.register_loader(name, Text)
        connection.adapters.register_loader(name, BinaryText)
