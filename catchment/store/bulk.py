"""Many rows at a time, past SQLAlchemy's compiler: the hot path of a sync."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table


@cache
def _insert_sql(table: str, columns: tuple[str, ...], mark: str) -> str:
    names = ", ".join(columns)
    marks = ", ".join([mark] * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({marks})"


@cache
def _update_sql(table: str, columns: tuple[str, ...], key: str, mark: str) -> str:
    pairs = ", ".join(f"{name} = {mark}" for name in columns)
    return f"UPDATE {table} SET {pairs} WHERE {key} = {mark}"


def _mark(connection: Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


def insert_rows(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert tuples in the order of `columns`; JSON columns take text that is JSON already."""
    if rows:
        connection.exec_driver_sql(_insert_sql(table.name, columns, _mark(connection)), list(rows))


def update_rows(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *,
    key: str = "pk",
) -> None:
    """Update by tuples in the order of `columns`, the key last."""
    if rows:
        connection.exec_driver_sql(_update_sql(table.name, columns, key, _mark(connection)), list(rows))
