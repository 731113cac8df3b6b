"""Listing a relation: pages by key, or one scan where no index gives an order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from catchment.kit import Item
from connectors.postgresql import statements
from connectors.postgresql.connect import Connection, Database
from connectors.postgresql.errors import RecoveryConflict, StatementTimedOut, telling
from connectors.postgresql.fetching import LISTED_BYTES, item_with_content
from connectors.postgresql.rows import RowPlan
from connectors.postgresql.spool import Spool

FIRST_ROWS = 1_000
MOST_ROWS = 10_000
ROWS_WITH_CONTENT = 1_000
"""Rows of a page that brings documents along: at most 16 MiB."""
QUICK_SECONDS = 1.0
SCAN_ROWS = 2_000
CONFLICTS = 5


def list_rows(database: Database, plan: RowPlan, *, with_content: bool = False) -> Iterator[Item]:
    """Yield the item of every row that is not deleted.

    Paged, each page is a transaction of its own: no snapshot stays open, a row that is there all the
    while is seen once, and one that is added behind the page is left for the next listing.

    Args:
        database: Where.
        plan: Whose rows.
        with_content: Bring small documents along, where pages can be read and sizes are exact.

    Raises:
        SourceError: It cannot be read to its end; what was yielded before is real.
    """
    if with_content and plan.paged and plan.tells_sizes:
        for row in _pages(database, plan, most=ROWS_WITH_CONTENT, inline_bytes=LISTED_BYTES):
            yield item_with_content(plan, row)
        return
    width = len(plan.key) or 1
    for row in _pages(database, plan) if plan.paged else _scanned(database, plan):
        yield plan.item(row[:width], row[width:])


def _pages(
    database: Database, plan: RowPlan, *, most: int = MOST_ROWS, inline_bytes: int | None = None
) -> Iterator[tuple[Any, ...]]:
    """Read page after page; the server works on the next one while this one is worked on here."""
    reader = _Reader(database, plan, most, inline_bytes)
    with ThreadPoolExecutor(1, thread_name_prefix="page") as ahead:
        coming = ahead.submit(reader.read)
        while True:
            rows, is_last = coming.result()
            if not is_last:
                coming = ahead.submit(reader.read)
            yield from rows
            if is_last:
                return


class _Reader:
    """Reads the pages of a relation one after the other, in sizes that suit the server."""

    def __init__(self, database: Database, plan: RowPlan, most: int, inline_bytes: int | None) -> None:
        self._database = database
        self._plan = plan
        self._most = most
        self._inline_bytes = inline_bytes
        self._size = FIRST_ROWS
        self._last: tuple[str, ...] = ()
        self._conflicts = 0

    def read(self) -> tuple[list[tuple[Any, ...]], bool]:
        """Return the rows of the next page, and whether it is the last one.

        Raises:
            SourceError: The relation cannot be read.
        """
        while True:
            begun = time.monotonic()
            try:
                rows = _page(self._database, self._plan, self._last, self._size, self._inline_bytes)
            except StatementTimedOut:
                if self._size == 1:
                    raise
                self._size = max(1, self._size // 8)  # large rows: the server hashes all of them
                continue
            except RecoveryConflict:
                self._conflicts += 1
                if self._conflicts > CONFLICTS:
                    raise
                continue
            break
        is_last = len(rows) < self._size
        if rows:
            self._last = rows[-1][: len(self._plan.key)]
        if time.monotonic() - begun < QUICK_SECONDS:
            self._size = min(self._size * 2, self._most)
        return rows, is_last


def _page(
    database: Database, plan: RowPlan, last: tuple[str, ...], size: int, inline_bytes: int | None
) -> list[tuple[Any, ...]]:
    statement = statements.page(plan, first=not last, inline_bytes=inline_bytes)
    with (
        database.reading() as connection,
        telling(setting=plan.relation.setting, subject=plan.relation.scope),
    ):
        return connection.execute(statement, [*last, size], binary=True).fetchall()


def _scanned(database: Database, plan: RowPlan) -> Iterator[tuple[Any, ...]]:
    with Spool() as spool:
        with database.reading() as connection:
            for row in stream(connection, plan, statements.scan(plan), []):
                spool.add(row)
        for row in spool.rows():
            yield tuple(row)


def stream(
    connection: Connection, plan: RowPlan, statement: str, parameters: list[Any]
) -> Iterator[tuple[Any, ...]]:
    """Read a result through a cursor of the server, so that neither side holds all of it.

    The statement's timeout then counts for each fetch.
    """
    import psycopg

    with (
        telling(setting=plan.relation.setting, subject=plan.relation.scope),
        psycopg.ServerCursor(connection, "catchment_scan") as cursor,
    ):
        cursor.itersize = SCAN_ROWS
        cursor.execute(statement, parameters, binary=True)
        yield from cursor
