"""A replication slot: the place in the server's log up to which changes were taken.

The slot is only ever looked into (peek) and moved on later, never read destructively: what was looked at
and not yet stored would be lost with a crash.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct

from catchment.kit import ConfigRejected, Session, SourceBusy
from connectors.postgresql.config import PostgreSQLConfig
from connectors.postgresql.connect import Connection, Database
from connectors.postgresql.errors import TIMED_OUT, translated

PGOUTPUT, TEST_DECODING = "pgoutput", "test_decoding"
CREATE_SECONDS = 60.0
"""Making a slot waits for every transaction that is open to end."""
SETTLE_SECONDS = 1.0
_PEEK = {
    PGOUTPUT: "SELECT lsn::text, xid::text, data FROM pg_logical_slot_peek_binary_changes("
    "%s, %s::pg_lsn, %s::int, 'proto_version', '1', 'publication_names', %s)",
    TEST_DECODING: "SELECT lsn::text, xid::text, data FROM pg_logical_slot_peek_changes("
    "%s, %s::pg_lsn, %s::int, 'include-xids', '0', 'skip-empty-xacts', '1')",
}
# Numbers of transactions in the log have 32 bits, those of a snapshot count on: compared as on a ring.
_HIDDEN = (
    "p.xid::text::bigint IN (SELECT txid_snapshot_xip(s) %% 4294967296) "
    "OR (p.xid::text::bigint - txid_snapshot_xmax(s) %% 4294967296 + 4294967296) %% 4294967296 < 2147483648"
)
_ROWS_A_TRIP = 1_000


class SlotState(Struct, frozen=True):
    """How a slot stands.

    Attributes:
        plugin: What decodes the log for it.
        database: Its database.
        confirmed: Up to where changes were taken.
        end: Where the server's log ends now.
        lost: The server has thrown away what the slot still needed.
    """

    plugin: str
    database: str
    confirmed: int
    end: int
    lost: bool


def lsn_number(text: str) -> int:
    """Read a place in the log, such as ``16/B374D848``."""
    high, _, low = text.partition("/")
    return int(high, 16) << 32 | int(low, 16)


def lsn_text(number: int) -> str:
    """Write a place in the log as the server does."""
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"


def slot_name(config: PostgreSQLConfig) -> str:
    """Return the name of the slot: as configured, or one that stays while only the tables change."""
    if config.slot:
        return config.slot
    text = f"{config.host.lower()}\n{config.port}\n{config.database}\n{config.schema}"
    return f"catchment_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


class Slot:
    """The slot of one connector; made when a listing first needs it."""

    def __init__(self, database: Database, config: PostgreSQLConfig, session: Session) -> None:
        self.name = slot_name(config)
        self._database = database
        self._config = config
        self._session = session

    def state(self) -> SlotState | None:
        """Return how the slot stands; None when there is none.

        Raises:
            SourceError: The server cannot be asked.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT to_jsonb(s), pg_current_wal_insert_lsn()::text "
                "FROM pg_catalog.pg_replication_slots s WHERE slot_name = %s",
                [self.name],
            ).fetchone()
        if row is None:
            return None
        facts, end = row
        confirmed = facts.get("confirmed_flush_lsn")
        lost = (
            confirmed is None or facts.get("wal_status") == "lost" or bool(facts.get("invalidation_reason"))
        )
        return SlotState(
            plugin=facts["plugin"] or "",
            database=facts["database"] or "",
            confirmed=lsn_number(confirmed) if confirmed else 0,
            end=lsn_number(end),
            lost=lost,
        )

    def ensure(self, plugin: str) -> None:
        """Make the slot, or make it anew where it is of no more use.

        Raises:
            ConfigRejected: Its name is taken by a slot of another database.
            SourceError: It cannot be made.
        """
        state = self.state()
        if state is not None and state.database != self._config.database:
            raise ConfigRejected(
                f"The replication slot {self.name} belongs to the database {state.database or 'of none'}.",
                setting="slot",
                remedy="Give this connector a slot of another name.",
            )
        if state is not None and (state.lost or state.plugin != plugin):
            self.drop()
            state = None
        if state is None:
            with self._database.reading(timeout_seconds=CREATE_SECONDS) as connection:
                connection.execute("SELECT pg_create_logical_replication_slot(%s, %s)", [self.name, plugin])

    def drop(self) -> None:
        """Take the slot away, if it is there; the server then no longer keeps its log for it.

        Raises:
            SourceError: It cannot be taken away.
        """
        with self._database.reading() as connection:
            connection.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots "
                "WHERE slot_name = %s AND database = %s",
                [self.name, self._config.database],
            )

    def advance(self, position: int) -> None:
        """Let the server throw away the log before a position; does nothing if it did already.

        Raises:
            SourceError: The server cannot be asked.
        """
        with suppress(SourceBusy), self._database.reading() as connection:
            connection.execute(
                "SELECT pg_replication_slot_advance(slot_name, %s::pg_lsn) "
                "FROM pg_catalog.pg_replication_slots "
                "WHERE slot_name = %s AND confirmed_flush_lsn < %s::pg_lsn",
                [lsn_text(position), self.name, lsn_text(position)],
            )

    def peek(self, connection: Connection, plugin: str, limit: int) -> Iterator[tuple[str, str, bytes | str]]:
        """Yield place, transaction and message of what lies behind the slot, whole transactions.

        Args:
            connection: In a transaction.
            plugin: What decodes.
            limit: Ends with the transaction that reaches so many messages.
        """
        import psycopg

        try:
            with psycopg.ServerCursor(connection, "catchment_peek") as cursor:
                cursor.itersize = _ROWS_A_TRIP
                cursor.execute(_PEEK[plugin], self._peeking(plugin, None, limit), binary=True)
                yield from cursor
        except psycopg.Error as error:
            raise translated(error, setting="publication", subject=f"The slot {self.name}") from error

    def now(self, plugin: str) -> int:
        """Return the end of the log, such that everything committed before it can be seen.

        A commit stands in the log a moment before others see it, and with synchronous standbys much before.
        Where the log before its end has such a one for more than a second, the slot's own position is the
        one to begin at.

        Raises:
            SourceError: The server or the slot cannot be asked.
        """
        import psycopg

        with self._database.reading() as connection:
            row = connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
            assert row is not None
            deadline = time.monotonic() + SETTLE_SECONDS
            try:
                while self._hides(connection, plugin, row[0]):
                    if time.monotonic() > deadline:
                        return self._confirmed()
                    self._session.stop.wait(0.05)
                    self._session.check_stop()
            except psycopg.Error as error:
                if error.sqlstate != TIMED_OUT:
                    raise translated(error, setting="publication", subject=f"The slot {self.name}") from error
                self._session.check_stop()
                return self._confirmed()
        return lsn_number(row[0])

    def _hides(self, connection: Connection, plugin: str, end: str) -> bool:
        """Tell whether a transaction committed before a place in the log cannot be seen yet."""
        statement = (
            f"SELECT EXISTS (SELECT FROM ({_PEEK[plugin]}) p, txid_current_snapshot() s WHERE {_HIDDEN})"
        )
        row = connection.execute(statement, self._peeking(plugin, end, None)).fetchone()
        return bool(row[0])

    def _confirmed(self) -> int:
        state = self.state()
        return state.confirmed if state is not None else 0

    def _peeking(self, plugin: str, end: str | None, limit: int | None) -> list[object]:
        parameters: list[object] = [self.name, end, limit]
        if plugin == PGOUTPUT:
            parameters.append('"' + self._config.publication.replace('"', '""') + '"')
        return parameters
