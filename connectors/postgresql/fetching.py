"""Fetching rows by key, and making documents of them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, cast

from catchment.kit import Content, Item, ItemUnreadable
from connectors.postgresql import statements
from connectors.postgresql.connect import Connection, Database
from connectors.postgresql.errors import telling
from connectors.postgresql.names import Values
from connectors.postgresql.rows import RowPlan

INLINE_BYTES = 1024 * 1024
"""A larger document column is read as a stream."""
LISTED_BYTES = 16 * 1024
"""A smaller row comes along with the listing where all are read."""
_STREAM_ROWS = 50

Answer = tuple[str, Content | ItemUnreadable]


def fetch_rows(database: Database, plan: RowPlan, wanted: dict[str, Values]) -> Iterator[Answer]:
    """Yield the document of each row by key, with one statement; rows that are gone last.

    Args:
        database: Where.
        plan: Whose rows.
        wanted: The key's values, by key.

    Raises:
        SourceError: The relation cannot be read.
    """
    missing = dict(wanted)
    statement = statements.documents(plan, inline_bytes=INLINE_BYTES)
    parameters = statements.by_key(plan, list(wanted.values()))
    with database.reading() as connection:
        for row in _streamed(connection, plan, statement, parameters):
            key, content = _document(database, plan, row)
            if missing.pop(key, None) is not None:
                yield key, content
    for key in missing:
        yield key, ItemUnreadable(key, "gone", "The row is no longer there.")


def _streamed(
    connection: Connection, plan: RowPlan, statement: str, parameters: list[Any]
) -> Iterator[tuple[Any, ...]]:
    """Take rows as the server sends them: only a few are in memory, whatever their size."""
    import psycopg

    sizes = {"size": _STREAM_ROWS} if psycopg.capabilities.has_stream_chunked() else {}
    with telling(setting=plan.relation.setting, subject=plan.relation.scope), connection.cursor() as cursor:
        yield from cursor.stream(statement, parameters, binary=True, **sizes)


def _document(database: Database, plan: RowPlan, row: tuple[Any, ...]) -> Answer:
    item, body = _described(plan, row)
    if plan.content is not None and item.size is None:
        return item.key, ItemUnreadable(item.key, "empty", f"The column {plan.content.name} is null.")
    if body is None:
        return item.key, Content(_large(database, plan, row[: len(plan.key) or 1]), item.content_type, item)
    return item.key, Content(body, item.content_type, item)


def item_with_content(plan: RowPlan, row: tuple[Any, ...]) -> Item:
    """Return the item of a row that was listed with its texts, and with the document if that is small."""
    item, body = _described(plan, row)
    if body is not None and item.size is not None and item.size <= LISTED_BYTES:
        item.content = Content(body, item.content_type)
    return item


def _described(plan: RowPlan, row: tuple[Any, ...]) -> tuple[Item, bytes | None]:
    """Return the item of a row and its body; None where it is null, or too large to come along."""
    width = len(plan.key) or 1
    texts_at = width + 3 + len(plan.listed)
    item = plan.item(row[:width], row[width:texts_at])
    texts = dict(zip(plan.read_names, row[texts_at:], strict=False))
    plan.describe(item, texts)
    if plan.content is None:
        return item, _encoded(plan.document(item, texts))
    return item, bytes(row[-1]) if row[-1] is not None else None


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _large(database: Database, plan: RowPlan, values: Values) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(_ColumnReader(database, plan, values), INLINE_BYTES))


class _ColumnReader(io.RawIOBase):
    """A large value of one row, read in stretches within one snapshot."""

    def __init__(self, database: Database, plan: RowPlan, values: Values) -> None:
        self._plan = plan
        self._values = values
        self._database = database
        self._lent: AbstractContextManager[Connection] | None = None
        self._connection: Connection = None
        self._read = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next stretch.

        Raises:
            ItemUnreadable: The row was deleted meanwhile.
            SourceError: The relation cannot be read.
        """
        if self._lent is None:
            self._lent = self._database.reading(snapshot=True)
            self._connection = self._lent.__enter__()
        plan = self._plan
        keys = statements.by_key(plan, [self._values])
        with telling(setting=plan.relation.setting, subject=plan.relation.scope):
            row = self._connection.execute(
                statements.content_slice(plan), [self._read + 1, len(buffer), *keys], binary=True
            ).fetchone()
        if row is None or row[0] is None:
            raise ItemUnreadable(plan.key_of(self._values), "gone", "The row is no longer there.")
        part = bytes(row[0])
        buffer[: len(part)] = part
        self._read += len(part)
        return len(part)

    def close(self) -> None:
        """End the transaction."""
        if self._lent is not None:
            lent, self._lent = self._lent, None
            lent.__exit__(None, None, None)
        super().close()


def look_up(database: Database, plan: RowPlan, keys: Sequence[Values]) -> dict[str, Item]:
    """Return the items of those rows that are there, by key; no body is read.

    Raises:
        SourceError: The relation cannot be read.
    """
    if not keys:
        return {}
    width = len(plan.key) or 1
    with database.reading() as connection:
        rows = _streamed(connection, plan, statements.facts(plan), statements.by_key(plan, list(keys)))
        items = [plan.item(row[:width], row[width:]) for row in rows]
    return {item.key: item for item in items}


def canonical_keys(database: Database, plan: RowPlan, keys: Sequence[Values]) -> list[Values]:
    """Return key values as the server writes them, in the same order.

    Raises:
        SourceError: One of them is no value of its column's type.
    """
    if not keys or not plan.key:
        return list(keys)
    with database.reading() as connection:
        found = connection.execute(statements.canonical(plan), statements.by_key(plan, list(keys)))
        return [tuple(row) for row in found.fetchall()]
