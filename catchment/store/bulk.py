"""Many rows at a time, past SQLAlchemy's compiler: the hot path of a sync."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Boolean, Connection, Double, LargeBinary, Table
from sqlalchemy.types import JSON, TypeDecorator

FEW_ROWS = 4
"""So few rows are changed one by one: an array for each column would cost more."""
_PARAMETERS_TOGETHER = 4_000
"""Of one statement; SQLite allows 32,766, and holds a kilobyte for ten of them as long as it is cached."""

_AT_SIGHT: dict[type[Any], Callable[[Any], Any]] = {LargeBinary: bytearray, Boolean: int}
"""What the SQLite driver takes without looking twice, for types that it does not."""


@cache
def _insert_sql(table: str, columns: tuple[str, ...], rows: int) -> str:
    row = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * rows)}"


@cache
def _update_sql(table: str, columns: tuple[str, ...], key: str, mark: str) -> str:
    pairs = ", ".join(f"{name} = {mark}" for name in columns)
    return f"UPDATE {table} SET {pairs} WHERE {key} = {mark}"


def insert_rows(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert tuples in the order of `columns`; JSON columns take text that is JSON already."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        copy_rows(connection, table.name, columns, rows)
    else:
        _insert_in_steps(connection, table.name, *_quick_to_bind(table, columns, rows))


def _quick_to_bind(
    table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> tuple[tuple[str, ...], Sequence[tuple[Any, ...]]]:
    """Leave out columns that are NULL in all rows, and hand bytes over as the driver likes them.

    The driver knows numbers, texts and bytearrays at sight. For anything else, None and bytes too, it first
    looks for somebody who would make another value of it, which takes longer than all the rest of a row.
    """
    names, kept = [], []
    for name, values in zip(columns, zip(*rows, strict=True), strict=True):
        if values.count(None) == len(values) and table.c[name].server_default is None:
            continue
        names.append(name)
        make = _AT_SIGHT.get(type(table.c[name].type))
        if make is not None:
            kept.append(tuple(value if value is None else make(value) for value in values))
        else:
            kept.append(values)
    return tuple(names), list(zip(*kept, strict=True))


def _insert_in_steps(
    connection: Connection, table: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows in few steps.

    SQLite lets the interpreter's lock go for each, and then waits for it as long as other threads compute.
    """
    size, start = _most_together(len(columns)), 0
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        statement = _insert_sql(table, columns, size)
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(rows[start : start + size])))
        start += size


def _most_together(columns: int) -> int:
    """Return the greatest power of two of rows that fit into one statement."""
    return 1 << (_PARAMETERS_TOGETHER // columns).bit_length() - 1


def fetch_rows(connection: Connection, statement: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Return all rows as the driver makes them; SQLAlchemy's own rows cost as much again as the query."""
    with connection.exec_driver_sql(statement, parameters) as result:
        return list(result.cursor.fetchall())


def fetch_pages(connection: Connection, statement: str, size: int) -> Iterator[list[tuple[Any, ...]]]:
    """Yield what `fetch_rows` returns of a statement without parameters, so many rows at a time."""
    with connection.exec_driver_sql(statement) as result:
        while rows := result.cursor.fetchmany(size):
            yield list(rows)


def copy_rows(
    connection: Connection, table: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert tuples by COPY (PostgreSQL only)."""
    raw = connection.connection.driver_connection
    assert raw is not None
    with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def update_rows(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *,
    key: str = "pk",
) -> None:
    """Update by tuples in the order of `columns`, the key last.

    Rows are locked in the order of their keys, so that two transactions never wait for each other.
    """
    if not rows:
        return
    ordered = sorted(rows, key=lambda row: row[-1])
    if connection.dialect.name != "postgresql":
        connection.exec_driver_sql(_update_sql(table.name, columns, key, "?"), ordered)
    elif len(rows) <= FEW_ROWS:
        connection.exec_driver_sql(_update_sql(table.name, columns, key, "%s"), ordered)
    else:
        statement, floats = _arrays_sql(table, columns, key)
        arrays = [list(values) for values in zip(*ordered, strict=True)]
        for place in floats:
            # One list is one type to the driver, and a source may give whole seconds.
            arrays[place] = [float(value) if value is not None else None for value in arrays[place]]
        connection.exec_driver_sql(statement, tuple(arrays))


@cache
def _arrays_sql(table: Table, columns: tuple[str, ...], key: str) -> tuple[str, list[int]]:
    """Write an update of many rows by one array for each column; tells which columns are floats."""
    from sqlalchemy.dialects import postgresql

    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    names = (*columns, key)
    types = [table.c[name].type for name in names]
    written = [_type_name(kind.compile(dialect), kind) for kind in types]
    pairs = ", ".join(
        f"{name} = v.{name}{'::jsonb' if one == 'json' else ''}"
        for name, one in zip(columns, written, strict=False)
    )
    arrays = ", ".join(f"%s::{'text' if one == 'json' else one}[]" for one in written)
    statement = (
        f"UPDATE {table.name} AS t SET {pairs} FROM unnest({arrays}) AS v({', '.join(names)})"
        f" WHERE t.{key} = v.{key}"
    )
    return statement, [place for place, kind in enumerate(types) if isinstance(kind, Double)]


def _type_name(compiled: str, kind: Any) -> str:
    if isinstance(kind, TypeDecorator) and isinstance(kind.impl_instance, JSON):
        return "json"
    return "text" if compiled.startswith(("VARCHAR", "TEXT")) else compiled
