"""The other side of a sync: two tables of a real PostgreSQL, a schema of its own for each example."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, NamedTuple

import psycopg
import pytest

from catchment.kit.connector import ChangeFeed
from connectors.postgresql import PostgreSQL, listing
from connectors.postgresql.names import row_key, row_path
from connectors.postgresql.slot import slot_name
from tests.support.postgres import Site
from tests.support.postgres_wire import Wire
from tests.support.sides import DRAFTS, SCOPES, Manner, Seen, Side, other_scope


class Shape(NamedTuple):
    """How rows are named, and how their changes are followed."""

    key: tuple[str, ...]
    follow: Mapping[str, Any]
    feed: ChangeFeed


_BY_LOG = {"replication": "pgoutput"}
_BY_COLUMN = {"updated_column": "changed", "late_commit_seconds": 0}
_ROLE = "model_reader"


@dataclass
class Ground:
    """What all examples share: a database, the owner's session in it, and the connectors' way to it."""

    site: Site
    database: str
    owner: psycopg.Connection[Any]
    wire: Wire
    made: count[int]

    @classmethod
    def of(cls, site: Site, database: str, owner: psycopg.Connection[Any], wire: Wire) -> Ground:
        """Prepare a database: the connectors sign in as somebody who owns nothing."""
        owner.execute(
            f"DO $$ BEGIN CREATE ROLE {_ROLE} LOGIN REPLICATION IN ROLE pg_read_all_stats;"
            " EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
        return cls(site, database, owner, wire, count())


@pytest.fixture
def postgres_ground(postgres_site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """A database for all examples, and a way to it that can break."""
    for name in ("FIRST_ROWS", "MOST_ROWS"):
        monkeypatch.setattr(listing, name, getattr(listing, name))  # each example has its own
    wire = Wire(postgres_site)
    with postgres_site.database() as name, postgres_site.connect(name) as owner:
        yield Ground.of(postgres_site, name, owner, wire)
    wire.close()


class TableSide(Side):
    """Tables `a` and `b`; a row's name is part of its key, so that a row that is moved has another key.

    Somebody deletes softly where the source hands a thing out no longer. A table that is dropped for a
    while is renamed, and nobody works on it meanwhile.
    """

    shapes = tuple(
        Shape(key, follow, feed)
        for key in (("name",), ("part", "name"))
        for follow, feed in (
            ({}, ChangeFeed.NONE),
            (_BY_COLUMN, ChangeFeed.PARTIAL),
            (_BY_LOG, ChangeFeed.COMPLETE),
        )
    )
    troubles = ("cut", "cut pages", "ended", "ended", "revoked", "dropped", "away", "cursor", "nothing")
    page_fails = "cut pages"
    failures = ("down", "up")
    unreadable = "down"
    slug = PostgreSQL.slug
    provider = PostgreSQL
    credentials = {"username": _ROLE}  # noqa: RUF012 - nobody changes it

    def __init__(self, manner: Manner, ground: Ground) -> None:
        listing.FIRST_ROWS = listing.MOST_ROWS = min(manner.page, 2)
        self._shape: Shape = manner.shape
        self._ground = ground
        self._schema = f"m{next(ground.made)}"
        self._seen: dict[str, Seen] = {}
        self._empty: set[str] = set()
        self._dropped: set[str] = set()
        self.feed = self._shape.feed
        self._build()

    # -- what is true ---------------------------------------------------------------------------

    def find(self, slot: str) -> Seen | None:
        return self._seen.get(slot)

    def things(self) -> list[Seen]:
        return list(self._seen.values())

    def name(self, slot: str) -> str:
        here = self.find(slot)
        return here.key if here is not None else self._key("a", slot)

    def settings(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        config = {
            "host": self._ground.wire.folder,
            "port": self._ground.wire.port,
            "database": self._ground.database,
            "schema": self._schema,
            "tables": list(wanted.get("scopes", SCOPES)),
            "content_column": "body",
            "content_type": "text/plain",
            "deleted_column": "gone",
            "publication": self._schema,
            **self._shape.follow,
        }
        if "exclude" in wanted:
            config["exclude"] = [self._path(scope, DRAFTS) + "*" for scope in SCOPES]
        return config

    # -- what people do -------------------------------------------------------------------------

    def put(self, slot: str, scope: str, text: str) -> None:
        here = self.find(slot)
        if here is None:
            self._add(slot, scope, slot, text)
        elif self._change(here, "body = %s", text):
            self._empty.discard(slot)
            self._seen[slot] = replace(here, text=text)

    def remove(self, slot: str) -> None:
        here = self._seen[slot]
        if here.scope not in self._dropped:
            self._sql(f"DELETE FROM {self._table(here.scope)} WHERE name = %s", here.path)
            self._forget(slot)

    def transfer(self, slot: str) -> None:
        here = self._seen[slot]
        there = other_scope(here.scope)
        if self._dropped:
            return
        columns = "part, name, body, gone"
        self._sql(
            f"WITH moved AS (DELETE FROM {self._table(here.scope)} WHERE name = %s RETURNING {columns})"
            f" INSERT INTO {self._table(there)} ({columns}) SELECT {columns} FROM moved",
            here.path,
        )
        self._seen[slot] = replace(here, scope=there, key=self._key(there, here.path))

    def rename(self, slot: str, folder: str) -> None:
        here = self._seen[slot]
        name = folder + slot
        if name != here.path and self._change(here, "name = %s", name):
            self._seen[slot] = replace(here, path=name, key=self._key(here.scope, name))

    def refuse(self, slot: str, refused: bool) -> None:
        here = self._seen[slot]
        if self._change(here, "gone = %s", refused):
            self._seen[slot] = replace(here, refused=refused)

    # -- what goes wrong ------------------------------------------------------------------------

    def fail(self, slot: str, how: str) -> None:
        if how == "up":
            self._fill()
        elif (here := self.find(slot)) is not None and self._change(here, "body = %s", None):
            self._empty.add(slot)

    def trouble(self, scope: str, at: int, what: str) -> None:
        self._make_good()
        names_table = f'"{self._schema}"."{scope}"'
        match what:
            case "cut":
                self._ground.wire.fault(lambda statement: names_table in statement, cut=True, skip=at - 1)
            case "cut pages":
                self._ground.wire.fault(
                    lambda statement: names_table in statement and " LIMIT " in statement,
                    cut=True,
                    skip=at - 1,
                )
            case "ended":
                self._ground.wire.fault(
                    lambda statement: names_table in statement, then=self._end_backends, skip=at - 1, times=1
                )
            case "revoked":
                self._sql(f"REVOKE SELECT ON {self._table(scope)} FROM {_ROLE}")
            case "dropped":
                self._sql(f"ALTER TABLE {self._table(scope)} RENAME TO {scope}_away")
                self._dropped.add(scope)
            case "away":
                self._ground.wire.fault(lambda _statement: True, cut=True)
            case "cursor":
                self._drop_slot()

    def hook(self, at: int, act: Callable[[], None]) -> None:
        self._ground.wire.fault(lambda _statement: True, then=act, skip=at + 3, times=1, passing=True)

    def unhook(self) -> None:
        self._ground.wire.unhook()

    def mend(self) -> None:
        self._make_good()
        self._fill()

    def close(self) -> None:
        self._ground.wire.mend()
        self._drop_slot()
        self._sql(f"DROP PUBLICATION {self._schema}")
        self._sql(f"DROP SCHEMA {self._schema} CASCADE")

    # -- how ------------------------------------------------------------------------------------

    def _build(self) -> None:
        key = ", ".join(self._shape.key)
        columns = (
            "part int NOT NULL DEFAULT 7, name text NOT NULL, body text, gone boolean NOT NULL DEFAULT false,"
            f" changed timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY ({key})"
        )
        self._sql(f"CREATE SCHEMA {self._schema}")
        for scope in SCOPES:
            self._sql(f"CREATE TABLE {self._table(scope)} ({columns})")
        self._sql(f"GRANT USAGE ON SCHEMA {self._schema} TO {_ROLE}")
        self._sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA {self._schema} TO {_ROLE}")
        self._sql(f"CREATE PUBLICATION {self._schema} FOR TABLE {', '.join(map(self._table, SCOPES))}")

    def _sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = self._ground.owner.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []

    def _table(self, scope: str) -> str:
        return f"{self._schema}.{scope}"

    def _values(self, name: str) -> tuple[str, ...]:
        return tuple("7" if column == "part" else name for column in self._shape.key)

    def _key(self, scope: str, name: str) -> str:
        whole = [column == "part" for column in self._shape.key]
        return row_key(self._table(scope), self._values(name), whole)

    def _path(self, scope: str, name: str) -> str:
        return row_path(self._table(scope), self._values(name), plain=False)

    def _add(self, slot: str, scope: str, name: str, text: str) -> None:
        if scope not in self._dropped:
            self._sql(f"INSERT INTO {self._table(scope)} (name, body) VALUES (%s, %s)", name, text)
            self._seen[slot] = Seen(self._key(scope, name), scope, name, text, refused=False)

    def _change(self, here: Seen, change: str, value: Any) -> bool:
        """Change a row and say when, as every writer does; False where its table is gone."""
        if here.scope in self._dropped:
            return False
        self._sql(
            f"UPDATE {self._table(here.scope)} SET {change}, changed = clock_timestamp() WHERE name = %s",
            value,
            here.path,
        )
        return True

    def _forget(self, slot: str) -> None:
        del self._seen[slot]
        self._empty.discard(slot)

    def _fill(self) -> None:
        """Write the texts again that were taken out of rows."""
        for slot in sorted(self._empty):
            if self._change(self._seen[slot], "body = %s", self._seen[slot].text):
                self._empty.discard(slot)

    def _make_good(self) -> None:
        self._ground.wire.mend()
        for scope in sorted(self._dropped):
            self._sql(f"ALTER TABLE {self._table(scope)}_away RENAME TO {scope}")
        self._dropped.clear()
        self._sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA {self._schema} TO {_ROLE}")

    def _end_backends(self) -> None:
        """End the sessions of connectors, as an administrator or a restart does."""
        with self._ground.site.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = %s AND usename = %s",
                [self._ground.database, _ROLE],
            )

    def _drop_slot(self) -> None:
        config = PostgreSQL.config_model(**self.settings({}))
        self._sql(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
            slot_name(config),
        )
