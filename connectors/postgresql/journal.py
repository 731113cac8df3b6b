"""What the log told, once for all tables of a run: touched keys, in a file, decoded and sorted out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from connectors.postgresql.connect import Connection, Database
from connectors.postgresql.names import Name
from connectors.postgresql.pgoutput import Begin, Commit, Event, PgOutput, Touched, Truncated
from connectors.postgresql.rows import RowPlan
from connectors.postgresql.slot import PGOUTPUT, Slot, lsn_number
from connectors.postgresql.spool import Spool
from connectors.postgresql.textdecoding import TestDecoding

MOST_MESSAGES = 1_000_000
BEGIN, TOUCHED, LOST, COMMIT = "b", "t", "x", "c"
_XIDS = 1 << 32

_SNAPSHOT = "SELECT txid_snapshot_xmax(s), ARRAY(SELECT txid_snapshot_xip(s)) FROM txid_current_snapshot() s"
_ENDS = "SELECT pg_current_wal_insert_lsn()::text, pg_current_wal_flush_lsn()::text"
_ROOT = """
SELECT n.nspname::text, c.relname::text
FROM pg_catalog.pg_class p JOIN pg_catalog.pg_namespace m ON m.oid = p.relnamespace
JOIN pg_catalog.pg_class c ON c.oid = pg_partition_root(p.oid)
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE m.nspname = %s AND p.relname = %s
"""

Plans = Mapping[str, RowPlan]


class _Decoder(Protocol):
    def decode(self, message: Any) -> Iterator[Event]: ...


class Journal:
    """Touched keys behind the slot, in order.

    Attributes:
        end: Everything before this place in the log is in here, or is of no interest; None when
            nothing is known beyond the slot's own position.
    """

    def __init__(self, plans: Plans, resolve: Callable[[Name], Name]) -> None:
        self.end: int | None = None
        self._plans = plans
        self._resolve = resolve
        self._roots: dict[tuple[str, str], str] = {}
        self._spool = Spool()

    def rows(self) -> Iterator[list[Any]]:
        """Yield what happened, each row with one of four words first.

        `BEGIN` comes with the place of the commit or None, `TOUCHED` with relation and key values, `LOST`
        with relation and reason, `COMMIT` with the place behind it.
        """
        return self._spool.rows()

    def close(self) -> None:
        """Throw it away."""
        self._spool.close()

    def note(self, event: Event, place: str) -> None:
        """Write down what an event means for the tables that are followed."""
        if isinstance(event, Begin):
            self._spool.add([BEGIN, event.final_lsn])
        elif isinstance(event, Commit):
            self.end = lsn_number(place)
            self._spool.add([COMMIT, self.end])
        elif isinstance(event, Truncated):
            for schema, table in event.tables:
                if (scope := self._followed(schema, table)) is not None:
                    self._spool.add([LOST, scope, f"{scope} was truncated."])
        else:
            self._touched(event)

    def _touched(self, event: Touched) -> None:
        scope = self._followed(event.schema, event.table)
        if scope is None:
            return
        names = [column.name for column in self._plans[scope].key]
        keys = key_values(event, names)
        if keys is None:
            self._spool.add([LOST, scope, f"The log does not name the rows of {scope} by their key."])
        for values in keys or ():
            self._spool.add([TOUCHED, scope, values])

    def _followed(self, schema: str, table: str) -> str | None:
        """Return the relation that a table of the log belongs to, if it is followed."""
        known = self._roots.get((schema, table))
        if known is None:
            name = Name(schema, table)
            # A partition's rows are those of the table above, also if it is new since the run began.
            known = str(name) if str(name) in self._plans else str(self._resolve(name))
            self._roots[schema, table] = known
        return known if known in self._plans else None


def key_values(event: Touched, names: Sequence[str]) -> list[list[str]] | None:
    """Return the values of the key in each row of an event; None when one of them cannot be told.

    A null is taken for a value that was not sent: no column of a key that the log names is null.
    """
    if not event.rows:
        return None
    keys: list[list[str]] = []
    for row in event.rows:
        values = [row.get(name) for name in names]
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) < len(names):
            return None
        if texts not in keys:
            keys.append(texts)
    return keys


def read_journal(database: Database, slot: Slot, plugin: str, plans: Plans, *, limit: int) -> Journal:
    """Read what lies behind the slot, up to the first transaction that others cannot see yet.

    Args:
        database: Where.
        slot: Stays as it is.
        plugin: What decodes.
        plans: The tables that are followed.
        limit: The rest beyond so many messages is left for the next time.

    Raises:
        SourceError: The slot cannot be read.
    """
    decoder: _Decoder = PgOutput() if plugin == PGOUTPUT else TestDecoding()
    with database.reading() as connection:
        journal = Journal(plans, lambda name: _root(connection, name))
        try:
            _fill(journal, connection, slot.peek(connection, plugin, limit), decoder, limit=limit)
        except BaseException:
            journal.close()
            raise
    return journal


def _fill(
    journal: Journal,
    connection: Connection,
    peeked: Iterator[tuple[str, str, bytes | str]],
    decoder: _Decoder,
    *,
    limit: int,
) -> None:
    inserted, flushed = (lsn_number(place) for place in connection.execute(_ENDS).fetchone())
    hidden: Callable[[int], bool] | None = None
    messages = 0
    for place, xid, message in peeked:
        messages += 1
        if hidden is None:
            hidden = _hidden_now(connection)  # taken after the log was decoded
        for event in decoder.decode(message):
            if isinstance(event, Begin) and hidden(int(xid)):
                return
            journal.note(event, place)
    if messages < limit and flushed >= inserted:
        # The log was read to here, so that even a quiet table lets the slot move on.
        journal.end = max(inserted, journal.end or 0)


def _hidden_now(connection: Connection) -> Callable[[int], bool]:
    """Return what tells whether a transaction of the log is one that a reader cannot see yet.

    Its commit stands in the log a moment before (with synchronous standbys, much before) it shows.
    """
    horizon, running = connection.execute(_SNAPSHOT).fetchone()
    unfinished = {xid % _XIDS for xid in running}

    def is_hidden(xid: int) -> bool:
        return xid in unfinished or (xid - horizon) % _XIDS < _XIDS // 2

    return is_hidden


def _root(connection: Connection, name: Name) -> Name:
    row = connection.execute(_ROOT, list(name)).fetchone()
    return Name(*row) if row is not None else name
