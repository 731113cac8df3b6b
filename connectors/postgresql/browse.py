"""What a person can choose from: schemas, their tables and views, and the columns of those."""

from __future__ import annotations

from catchment.kit import BrowsePage, ConfigRejected, Resource
from connectors.postgresql.catalog import KINDS, describe
from connectors.postgresql.connect import Connection
from connectors.postgresql.names import Name, parse_name, shown

PAGE_ENTRIES = 200

_SCHEMAS = r"""
SELECT nspname::text FROM pg_catalog.pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND has_schema_privilege(oid, 'USAGE')
  AND nspname > %s
ORDER BY nspname LIMIT %s
"""
_RELATIONS = """
SELECT c.relname::text, c.relkind::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT')) AND c.relname > %s
ORDER BY c.relname LIMIT %s
"""


def browse(connection: Connection, parent_id: str | None, page: str | None) -> BrowsePage:
    """Return schemas, or relations of a schema, or columns of a relation, 200 a page.

    Ids are what the settings `schema`, `tables`, `views` and the settings for columns take.

    Raises:
        ConfigRejected: There is no such schema or relation.
    """
    if parent_id is None:
        return _schemas(connection, page or "")
    name = parse_name(parent_id, "")
    if name is None:
        raise ConfigRejected(
            f"{parent_id!r} names no schema or table.",
            setting="schema",
            remedy="Choose again from the level above.",
        )
    if name.schema:
        return _columns(connection, name, int(page) if page and page.isdecimal() else 0)
    return _relations(connection, name.table, page or "")


def _schemas(connection: Connection, after: str) -> BrowsePage:
    rows = connection.execute(_SCHEMAS, [after, PAGE_ENTRIES + 1]).fetchall()
    found = [Resource(shown(name), name, "schema", has_children=True) for (name,) in rows]
    return _paged(found, [name for (name,) in rows])


def _relations(connection: Connection, schema: str, after: str) -> BrowsePage:
    rows = connection.execute(_RELATIONS, [schema, after, PAGE_ENTRIES + 1]).fetchall()
    found = [Resource(str(Name(schema, name)), name, KINDS[kind], has_children=True) for name, kind in rows]
    return _paged(found, [name for name, _ in rows])


def _columns(connection: Connection, name: Name, start: int) -> BrowsePage:
    columns = describe(connection, name, setting="tables").columns
    found = [Resource(column.name, f"{column.name} ({column.type_name})", "column") for column in columns]
    more = start + PAGE_ENTRIES < len(found)
    return BrowsePage(
        found[start : start + PAGE_ENTRIES], next_page=str(start + PAGE_ENTRIES) if more else None
    )


def _paged(found: list[Resource], names: list[str]) -> BrowsePage:
    if len(found) <= PAGE_ENTRIES:
        return BrowsePage(found)
    return BrowsePage(found[:PAGE_ENTRIES], next_page=names[PAGE_ENTRIES - 1])
