"""Tables under the control of the kit: a real server, behind a way that can be cut at any statement."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import psycopg

from catchment.conformance import Ability, Setup, World
from catchment.core.clock import PassingClock
from catchment.kit.connector import ChangeFeed
from connectors.postgresql import PostgreSQL, changes_by_log, listing
from connectors.postgresql.names import row_key
from connectors.postgresql.slot import slot_name
from tests.support.postgres import Site
from tests.support.postgres_wire import Wire

TABLES = ("a", "b")
ROLE, PASSWORD = "kit_reader", "password-of-the-kit-reader"
_LATE_SECONDS = 60
_DAY_SECONDS = 86_400
_SIZES = (
    (listing, "FIRST_ROWS"),
    (listing, "MOST_ROWS"),
    (listing, "ROWS_WITH_CONTENT"),
    (changes_by_log, "PAGE_KEYS"),
)
_ONE_SESSION = "a password is asked for when a session begins, and never in its middle"
_STATEMENTS = "a page is a statement of its own that begins behind the last key: no server names the next one"


class ByColumn(PostgreSQL):
    """What the connector is with a changed-at column: its own class cannot say so before it knows that."""

    change_feed = ChangeFeed.PARTIAL


class ByLog(PostgreSQL):
    """What the connector is where it follows the log."""

    change_feed = ChangeFeed.COMPLETE


class Ground(NamedTuple):
    """What all worlds share: a database, the owner's session in it, and the connectors' way to it."""

    site: Site
    database: str
    owner: psycopg.Connection[Any]
    wire: Wire
    made: count[int]


@contextmanager
def ground_of(site: Site) -> Iterator[Ground]:
    """Prepare a database; the connectors sign in as somebody who owns nothing."""
    wire = Wire(site, asks_password=True)
    with site.database() as name, site.connect(name) as owner:
        owner.execute(
            f"DO $$ BEGIN CREATE ROLE {ROLE} LOGIN REPLICATION PASSWORD '{PASSWORD}'"
            " IN ROLE pg_read_all_stats; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
        yield Ground(site, name, owner, wire, count())
    wire.close()


class TableWorld(World):
    """Rows of all tables of a schema, two, without a column of times: every run compares all of them."""

    connector = PostgreSQL
    cannot: ClassVar[Mapping[Ability, str]] = {
        Ability.REPEAT_CURSOR: _STATEMENTS,
        Ability.EMPTY_PAGE: _STATEMENTS,
        Ability.DROP_NEXT: _STATEMENTS,
        Ability.ERROR_WITH_200: "the protocol tells errors and rows apart",
        Ability.RATE_LIMIT: "the server names no time at which to come again",
        Ability.EXPIRE_TOKEN: _ONE_SESSION,
        Ability.REVOKE_TOKEN: _ONE_SESSION,
        Ability.LEAST_REQUESTS: "what is read is looked up in the catalog first, by as many statements",
    }
    old_configs = (
        {"database": "shop"},
        {"host": "db.example.com", "database": "shop", "tables": ["item"], "replication": "auto"},
        {
            "database": "shop",
            "queries": {"open": "SELECT 1 AS id"},
            "relations": {"query:open": {"key": ["id"]}},
        },
    )
    follow: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, ground: Ground, folder: Path, clock: PassingClock) -> None:
        super().__init__(folder, clock)
        self._ground = ground
        self._schema = f"k{next(ground.made)}"
        self._rows: dict[str, tuple[str, str]] = {}
        self._removed: dict[str, tuple[str, str]] = {}
        self._empty: set[str] = set()
        self._ticks = count()
        self._sizes = [(module, name, getattr(module, name)) for module, name in _SIZES]
        self._build()

    def _build(self) -> None:
        self._sql(f"CREATE SCHEMA {self._schema}")
        for table in TABLES:
            self._sql(
                f"CREATE TABLE {self._table(table)} (part int NOT NULL DEFAULT 7, name text NOT NULL,"
                " body bytea, changed timestamptz NOT NULL, PRIMARY KEY (part, name))"
            )
            self._sql(f"ALTER TABLE {self._table(table)} ALTER body SET STORAGE EXTERNAL")
        self._sql(f"GRANT USAGE ON SCHEMA {self._schema} TO {ROLE}")
        self._sql(f"CREATE PUBLICATION {self._schema} FOR TABLE {', '.join(map(self._table, TABLES))}")
        self.mend()

    def close(self) -> None:
        for module, name, size in self._sizes:
            setattr(module, name, size)
        self._ground.wire.mend()
        self._drop_slot()
        self._sql(f"DROP PUBLICATION {self._schema}")
        self._sql(f"DROP SCHEMA {self._schema} CASCADE")

    # -- the connector --------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        return {
            "host": self._ground.wire.folder,
            "port": self._ground.wire.port,
            "database": self._ground.database,
            "schema": self._schema,
            "content_column": "body",
            "content_type": "text/plain",
            "publication": self._schema,
            **self.follow,
        }

    def credentials(self) -> dict[str, Any]:
        return {"username": ROLE, "password": PASSWORD}

    # -- what is true, and what people do -------------------------------------------------------

    def truth(self) -> dict[str, str]:
        return {self.key(name): text for name, (_, text) in self._rows.items()}

    def key(self, name: str) -> str:
        return row_key(self._table(self._rows[name][0]), ("7", name), (True, False))

    def put(self, name: str, text: str) -> None:
        self._insert(self.home(), name, text, self._now())

    def home(self) -> str:
        """Return the table for a new row."""
        return TABLES[len(self._rows) % 2]

    def edit(self, name: str, text: str) -> None:
        self._change(name, "body = %s", text.encode())
        self._rows[name] = self._rows[name][0], text
        self._empty.discard(name)

    def remove(self, name: str) -> None:
        self._removed[name] = self._rows.pop(name)
        self._sql(f"DELETE FROM {self._table(self._removed[name][0])} WHERE name = %s", name)
        self._empty.discard(name)

    def restore(self, name: str) -> None:
        table, text = self._removed.pop(name)
        self._insert(table, name, text, self._now())

    def rename(self, name: str, new: str) -> None:
        self._change(name, "name = %s", new)
        self._rows[new] = self._rows.pop(name)

    def move(self, name: str) -> None:
        table, text = self._rows[name]
        self._sql(f"DELETE FROM {self._table(table)} WHERE name = %s", name)
        self._insert(TABLES[table == TABLES[0]], name, text, self._now())

    def late(self, name: str, text: str) -> None:
        self._insert(TABLES[0], name, text, self._now() - _LATE_SECONDS)

    def many(self, count: int, begin: int = 0) -> None:
        self._sql(
            f"INSERT INTO {self._table(TABLES[0])} (name, body, changed)"
            " SELECT 'many' || n, convert_to('word of ' || n, 'UTF8'), to_timestamp(%s) + n * interval '1 ms'"
            " FROM generate_series(%s::int, %s::int) AS n",
            self._now(),
            begin,
            begin + count - 1,
        )

    def big(self, size: int) -> None:
        self._sql(
            f"INSERT INTO {self._table(TABLES[0])} (name, body, changed)"
            " VALUES ('big', decode(repeat('00', %s), 'hex'), to_timestamp(%s))",
            size,
            self._now(),
        )

    def _insert(self, table: str, name: str, text: str, changed: float) -> None:
        self._sql(
            f"INSERT INTO {self._table(table)} (name, body, changed) VALUES (%s, %s, to_timestamp(%s))",
            name,
            text.encode(),
            changed,
        )
        self._rows[name] = table, text

    def _change(self, name: str, change: str, value: Any) -> None:
        """Change a row and say when, as every writer does."""
        table = self._table(self._rows[name][0])
        self._sql(
            f"UPDATE {table} SET {change}, changed = to_timestamp(%s) WHERE name = %s",
            value,
            self._now(),
            name,
        )

    def _now(self) -> float:
        """Return the time of a change: no two have the same, to the microsecond."""
        return self.clock.now() + next(self._ticks) / 1_000_000

    # -- how it is read -------------------------------------------------------------------------

    def page_size(self, size: int) -> None:
        for module, name, _ in self._sizes:
            setattr(module, name, size)

    def meanwhile(self, act: Callable[[], object]) -> None:
        self._ground.wire.fault(self._is_page, then=act, skip=1, times=1)

    # -- setups that do not work ----------------------------------------------------------------

    def bad_token(self) -> Setup:
        return Setup(credentials={**self.credentials(), "password": "password-of-somebody-else"})

    def unreachable(self) -> Setup:
        return Setup({**self.config(), "host": "127.0.0.1", "port": 1})

    def missing_scope(self) -> Setup:
        self._sql(f"REVOKE SELECT ON ALL TABLES IN SCHEMA {self._schema} FROM {ROLE}")
        return Setup()

    def wrong_setting(self) -> Setup:
        return Setup({**self.config(), "tables": ["no_such_table"]})

    # -- what goes wrong ------------------------------------------------------------------------

    def mend(self) -> None:
        self._ground.wire.mend()
        self._sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA {self._schema} TO {ROLE}")
        for name in sorted(self._empty & self._rows.keys()):
            self.edit(name, self._rows[name][1])

    def fail_listing(self, after_pages: int) -> None:
        self._ground.wire.fault(self._is_page, cut=True, skip=after_pages)

    def fail_body(self, name: str) -> None:
        self._change(name, "body = %s", None)
        self._empty.add(name)

    def _is_page(self, statement: str) -> bool:
        """Tell whether a statement reads a page of a table, or what a feed has in its place."""
        if "DECLARE" in statement:
            return "catchment_scan" in statement or "catchment_peek" in statement
        return f'"{self._schema}"."' in statement and " LIMIT " in statement

    # -- how ------------------------------------------------------------------------------------

    def _table(self, table: str) -> str:
        return f"{self._schema}.{table}"

    def _sql(self, statement: str, *values: Any) -> None:
        self._ground.owner.execute(statement, values or None)

    def _drop_slot(self) -> None:
        config = PostgreSQL.config_model(**self.config())
        self._sql(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
            slot_name(config),
        )


class TimedTableWorld(TableWorld):
    """Rows that bear the time of their last change, in tables that are a scope each."""

    connector = ByColumn
    cannot: ClassVar[Mapping[Ability, str]] = {
        **TableWorld.cannot,
        Ability.EXPIRE_CURSORS: "a time does not grow old",
    }
    unseen: ClassVar[Mapping[Ability, str]] = {
        Ability.REMOVE: "a row that is gone bears no time",
        Ability.RENAME: "under its old key the row is gone",
        Ability.MOVE: "in its old table the row is gone",
    }
    follow: ClassVar[Mapping[str, Any]] = {"updated_column": "changed", "tables": list(TABLES)}

    def home(self) -> str:
        return TABLES[0]

    def future_cursor(self) -> str:
        """A time by the server's own clock, which is not the kit's."""
        moment = time.gmtime(time.time() + 365 * _DAY_SECONDS)
        return f"time:{time.strftime('%Y-%m-%d %H:%M:%S+00', moment)}"


class LoggedTableWorld(TableWorld):
    """Tables whose changes are followed in the server's log."""

    connector = ByLog
    follow: ClassVar[Mapping[str, Any]] = {"replication": "pgoutput"}

    def expire_cursors(self) -> None:
        self._drop_slot()

    def future_cursor(self) -> str:
        return "lsn:FFFF/0"
