"""What the server knows of relations: kinds, columns, keys, privileges. Reads `pg_catalog` only.

`information_schema` hides what the role may not read, so that a missing privilege would look like a
missing table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from catchment.kit import ConfigRejected, PermissionMissing
from connectors.postgresql.connect import Connection
from connectors.postgresql.errors import telling
from connectors.postgresql.names import QUERY_PREFIX, Name, shown

KINDS = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}
TABLE_KINDS = ("r", "p", "f")
WHOLE_TYPES = ("smallint", "integer", "bigint")

_RELATION = """
SELECT c.oid::bigint, c.relkind::text, has_table_privilege(c.oid, 'SELECT')
           OR has_any_column_privilege(c.oid, 'SELECT'),
       has_schema_privilege(n.oid, 'USAGE'), c.relrowsecurity AND row_security_active(c.oid),
       c.relreplident::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
# What an extension made (spatial_ref_sys) is no document of anybody's.
_TABLES = """
SELECT c.relname::text, c.relkind::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = ANY(%s::text[]) AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname
"""
_COLUMNS = """
SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod),
       pg_catalog.format_type(coalesce(nullif(b.typbasetype, 0), a.atttypid), NULL), b.typcategory::text,
       a.attnotnull
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type b ON b.oid = a.atttypid
WHERE a.attrelid = %s::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
# Keyset paging needs one order for the comparison and the index: ascending, of the columns' own collation.
# A unique index lets any number of nulls in, so that only one over columns without nulls names a row.
_KEYS = """
SELECT i.indisprimary,
       (SELECT array_agg(a.attname::text ORDER BY k.place)
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE k.place <= i.indnkeyatts),
       i.indisreplident
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = c.relam
WHERE i.indrelid = %s::oid AND i.indisunique AND i.indisvalid AND i.indimmediate
  AND i.indpred IS NULL AND i.indexprs IS NULL AND m.amname = 'btree'
  AND NOT EXISTS (
    SELECT FROM unnest(i.indkey::int2[], i.indcollation::oid[], i.indoption::int2[])
                WITH ORDINALITY k(attnum, collation_oid, options, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE k.place <= i.indnkeyatts
      AND (NOT a.attnotnull OR k.options <> 0 OR k.collation_oid <> a.attcollation))
ORDER BY i.indisprimary DESC, i.indnkeyatts, c.relname
"""
_TYPE = """
SELECT pg_catalog.format_type(t.oid, %s::int),
       pg_catalog.format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL), t.typcategory::text
FROM pg_catalog.pg_type t WHERE t.oid = %s::oid
"""


class Column(Struct, frozen=True):
    """One column.

    Attributes:
        name: As the catalog has it.
        type_name: The type as a cast takes it.
        base_type: The type below a domain, without its length.
        category: The server's one-letter class of types (S text, D date and time, N number, B boolean).
        not_null: Whether it never is null.
    """

    name: str
    type_name: str
    base_type: str
    category: str
    not_null: bool

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers."""
        return self.base_type in WHOLE_TYPES

    @property
    def is_time(self) -> bool:
        """Whether its values are points in time."""
        return self.base_type == "date" or self.base_type.startswith("timestamp")

    @property
    def is_text(self) -> bool:
        """Whether its values are texts."""
        return self.category == "S"


class Relation(Struct, frozen=True):
    """A table, view or query as the server describes it.

    Attributes:
        scope: How settings and keys call it.
        source: What stands behind FROM, with percent signs doubled as the driver wants them.
        kind: table, partitioned table, view, materialized view, foreign table or query.
        columns: In the order of the table.
        keys: Columns of each index that names rows, the best first.
        oid: The server's number; 0 for a query.
        secured: Row-level security limits what this role sees.
        identity: What the log tells of a changed row: d (primary key), f (all), i (an index), n (nothing).
        identity_key: The columns that the log names rows by; empty where it names none or all.
        can_read: Whether the role may read any of it.
    """

    scope: str
    source: str
    kind: str
    columns: tuple[Column, ...]
    keys: tuple[tuple[str, ...], ...] = ()
    oid: int = 0
    secured: bool = False
    identity: str = "n"
    identity_key: tuple[str, ...] = ()
    can_read: bool = True

    @property
    def setting(self) -> str:
        """The setting that names it."""
        if self.kind == "query":
            return f"queries.{self.scope.removeprefix(QUERY_PREFIX)}"
        return "views" if "view" in self.kind else "tables"

    def column(self, name: str) -> Column | None:
        """Return a column by its exact name."""
        return next((column for column in self.columns if column.name == name), None)


def all_tables(connection: Connection, schema: str) -> list[Name]:
    """Return the tables of a schema, whether the role may read them or not.

    Raises:
        ConfigRejected: There is no such schema, or it has no table.
    """
    require_schema(connection, schema)
    found = connection.execute(_TABLES, [schema, list(TABLE_KINDS)]).fetchall()
    if not found:
        raise ConfigRejected(
            f"The schema {shown(schema)} has no tables.",
            setting="schema",
            remedy="Name another schema, or the tables, views or queries to read.",
        )
    return [Name(schema, table) for table, _ in found]


def require_schema(connection: Connection, schema: str) -> None:
    """Raise `ConfigRejected` where there is no such schema."""
    found = connection.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", [schema])
    if found.fetchone() is None:
        raise ConfigRejected(
            f"There is no schema {shown(schema)} in this database.",
            setting="schema",
            remedy="Check the name of the schema; upper and lower case matter.",
        )


def describe(connection: Connection, name: Name, *, setting: str) -> Relation:
    """Describe a table or view.

    Raises:
        ConfigRejected: There is no such relation.
        PermissionMissing: The role may not read it.
    """
    row = connection.execute(_RELATION, list(name)).fetchone()
    if row is None:
        require_schema(connection, name.schema)
        raise ConfigRejected(
            f"There is no table or view {name} in this database.",
            setting=setting,
            remedy=f"Correct the setting {setting}; upper and lower case matter. If it was dropped, take it "
            "out of the setting: its documents then go.",
        )
    oid, kind, can_read, can_enter, secured, identity = row
    if not can_enter:
        schema = shown(name.schema)
        raise PermissionMissing(
            f"The role may not use the schema {schema}.",
            remedy=f"As the owner, run: GRANT USAGE ON SCHEMA {schema} TO <the connector's role>;",
        )
    if not can_read:
        raise PermissionMissing(
            f"The role may not read {name}.",
            remedy=f"As the owner, run: GRANT SELECT ON {name} TO <the connector's role>;",
        )
    keys = connection.execute(_KEYS, [oid]).fetchall()
    return Relation(
        scope=str(name),
        source=name.sql,
        kind=KINDS[kind],
        columns=tuple(Column(*column) for column in connection.execute(_COLUMNS, [oid]).fetchall()),
        keys=tuple(tuple(columns) for _, columns, _ in keys),
        oid=oid,
        secured=bool(secured),
        identity=identity,
        identity_key=_identity_key(identity, keys),
    )


def _identity_key(identity: str, keys: Sequence[tuple[Any, ...]]) -> tuple[str, ...]:
    for is_primary, columns, is_identity in keys:
        if (identity == "d" and is_primary) or (identity == "i" and is_identity):
            return tuple(columns)
    return ()


def describe_query(connection: Connection, name: str, text: str) -> Relation:
    """Describe a query by having the server prepare it; nothing of it is run.

    Raises:
        ConfigRejected: It is no SELECT, holds several statements, or names what does not exist.
        PermissionMissing: The role may not read what it names.
    """
    source = "(\n" + text.replace("%", "%%") + "\n)"
    setting = f"queries.{name}"
    with telling(setting=setting, subject=f"The query {name}"):
        # With a parameter it goes the way on which the server refuses several statements in one.
        cursor = connection.execute(f"SELECT * FROM {source} AS r LIMIT %s", [0])
    columns = _described(connection, cursor)
    names = [column.name for column in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None or not columns:
        raise ConfigRejected(
            f"The query {name} has two columns called {twice}."
            if twice
            else f"The query {name} has no columns.",
            setting=setting,
            remedy="Give each column a name of its own, with AS.",
        )
    return Relation(f"{QUERY_PREFIX}{name}", source, "query", tuple(columns))


def _described(connection: Connection, cursor: Any) -> list[Column]:
    columns = []
    for index, described in enumerate(cursor.description or ()):
        modifier = cursor.pgresult.fmod(index)
        row = connection.execute(_TYPE, [modifier, described.type_code]).fetchone()
        type_name, base_type, category = row or ("text", "text", "S")
        columns.append(Column(described.name, type_name, base_type, category, not_null=False))
    return columns
