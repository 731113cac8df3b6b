"""Moving a store to another database, without a new sync: ids, numbers, cursors and text stay what they are.

Everything is read in one snapshot and written in one transaction, so a move that fails leaves the target as
empty as it was, and the source is never changed. What belongs to the kind of database only, such as the
index over the words, is made anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct, field
from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.types import Text

from catchment.core.errors import CatchmentError, UsageError
from catchment.store import bulk, meta, runs
from catchment.store.engine import reading, writing
from catchment.store.index import index_for
from catchment.store.migrate import migrate, require_current
from catchment.store.postgres_index import CHUNK_COLUMNS, words_of
from catchment.store.tables import (
    CHUNK_BITS,
    Json,
    chunks,
    collections,
    connectors,
    documents,
    metadata,
    spaces,
    tenants,
)
from catchment.store.tables import meta as facts
from catchment.store.tables import runs as runs_table

STEP = 2000
"""Rows read and written at a time; their chunks hold a few megabytes."""
FOUNDING = (facts, collections, spaces, tenants)
"""What a new store has before anything happened in it, in the order in which it can be taken out."""


class MoveFailed(CatchmentError):
    """The target did not become what the source is; nothing of it was kept."""

    code = "move_failed"


class Moved(Struct):
    """What a move did.

    Attributes:
        store_id: Identity of the store, now of both.
        rows: Rows of each table.
    """

    store_id: str
    rows: dict[str, int] = field(default_factory=dict)


def move(
    source: Engine, target: Engine, *, on_table: Callable[[str, int], None] = lambda _table, _rows: None
) -> Moved:
    """Copy a store into an empty PostgreSQL database, and build the index there.

    Whoever works with the source must be at rest; afterwards they are to use the target only, because both
    carry the same identity.

    Args:
        source: A store at the current revision; it is only read.
        target: A PostgreSQL database without a store, or with one in which nothing happened yet.
        on_table: Told of each table, and of its rows, when it is through.

    Raises:
        UsageError: The target is no PostgreSQL or not empty, the source is at another revision, or a run is
            under way.
        MoveFailed: Source and target differ at the end; nothing was kept.
        StoreUnavailable: A database does not answer; nothing was kept.
    """
    if target.dialect.name != "postgresql":
        raise UsageError("A store can be moved to PostgreSQL only.", remedy="Set CATCHMENT_DATABASE_URL.")
    require_current(source)
    migrate(target)
    with reading(source) as out, writing(target) as into:
        into.exec_driver_sql("SET LOCAL statement_timeout = 0")
        into.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '10min'")
        _refuse_busy(out)
        _empty(into)
        moved = Moved(meta.store_id(out))
        for table in metadata.sorted_tables:
            moved.rows[table.name] = _copy(table, out, into)
            on_table(table.name, moved.rows[table.name])
        meta.go_on_after(into, meta.last_pk(out))
        _set_sequences(into)
        _compare(out, into)
    index_for(target.dialect.name).complete(target)
    return moved


def _refuse_busy(source: Connection) -> None:
    under_way = runs.unfinished(source)
    if under_way:
        raise UsageError(
            f"Run {under_way[0].id} is under way.",
            remedy="Wait for it or cancel it, run: catchment down, and move then.",
        )


def _empty(target: Connection) -> None:
    """Take out what every new store has; refuses a store in which anything happened."""
    for table in (connectors, runs_table, documents):
        if target.execute(select(table).limit(1)).first() is not None:
            raise UsageError(
                "There is a store in the target already.", remedy="Name an empty database, or drop that one."
            )
    for table in FOUNDING:
        target.execute(table.delete())


def _copy(table: Table, source: Connection, target: Connection) -> int:
    if table is chunks:
        return _copy_chunks(source, target)
    columns = tuple(column.name for column in table.columns)
    fixes = [(place, _fix_for(column.type)) for place, column in enumerate(table.columns)]
    fixed = [(place, fix) for place, fix in fixes if fix is not None]
    statement = select(table).order_by(*table.primary_key.columns)
    if table is facts:
        statement = statement.where(facts.c.key != meta.ITEM_PK)
    count = 0
    for page in _pages(source, statement):
        rows = []
        for row in page:
            values = list(row)
            for place, fix in fixed:
                values[place] = fix(values[place]) if values[place] is not None else None
            rows.append(tuple(values))
        bulk.copy_rows(target, table.name, columns, rows)
        count += len(rows)
    return count


def _copy_chunks(source: Connection, target: Connection) -> int:
    """Copy the chunks, and cut their words; the second text that SQLite needs stays behind."""
    statement = (
        select(
            chunks.c.id, chunks.c.text, documents.c.content_type, documents.c.search_title,
            documents.c.connector_pk, documents.c.collection_pk, chunks.c.start, chunks.c.heading_path,
        )
        .join(documents, documents.c.pk == chunks.c.id.op(">>")(CHUNK_BITS))
        .order_by(chunks.c.id)
    )  # fmt: skip
    count = 0
    for page in _pages(source, statement):
        rows = [
            (row.id, row.start, _fit(row.heading_path), _fit(row.text), words_of(row[:6])) for row in page
        ]
        bulk.copy_rows(target, chunks.name, CHUNK_COLUMNS, rows)
        count += len(rows)
    return count


def _pages(source: Connection, statement: Any) -> Iterator[Any]:
    result = source.execution_options(yield_per=STEP).execute(statement)
    yield from result.partitions()


def _fix_for(kind: Any) -> Callable[[Any], Any] | None:
    """Return what makes a value of the source fit for PostgreSQL, for the few types that need it."""
    if isinstance(kind, Json):
        return lambda value: json.dumps(_fit_json(value))
    return _fit if isinstance(kind, Text) else None


def _fit(text: str) -> str:
    """Replace NUL, which SQLite takes and PostgreSQL does not."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


def _fit_json(value: Any) -> Any:
    if isinstance(value, str):
        return _fit(value).encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_fit_json(name): _fit_json(inner) for name, inner in value.items()}
    return [_fit_json(inner) for inner in value] if isinstance(value, list) else value


def _set_sequences(target: Connection) -> None:
    """Let the tables that number their rows go on after the greatest number."""
    for table in metadata.sorted_tables:
        if table.autoincrement_column is None:
            continue
        sequence = target.exec_driver_sql(
            "SELECT pg_get_serial_sequence(%s, %s)", (table.name, table.autoincrement_column.name)
        ).scalar_one()
        target.exec_driver_sql(
            f"SELECT setval(%s, (SELECT max({table.autoincrement_column.name}) FROM {table.name}))"
            f" FROM {table.name} LIMIT 1",
            (sequence,),
        )


def _compare(source: Connection, target: Connection) -> None:
    """Count both sides, table by table.

    Raises:
        MoveFailed: They differ.
    """
    for table in metadata.sorted_tables:
        statement = select(func.count()).select_from(table)
        if table is facts:
            statement = statement.where(facts.c.key != meta.ITEM_PK)
        there, here = source.execute(statement).scalar_one(), target.execute(statement).scalar_one()
        if there != here:
            raise MoveFailed(f"Of {there} rows of {table.name} only {here} arrived; nothing was kept.")
