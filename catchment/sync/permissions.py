"""Access lists read again for what is indexed already: no bodies, no texts, only who may see them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from catchment.core.counters import Counters
from catchment.core.items import Item
from catchment.core.runs import Origin, Reason, Strategy
from catchment.kit.connector import AccessList
from catchment.store.engine import reading, writing
from catchment.store.tables import documents, items
from catchment.sync.fence import fenced
from catchment.sync.run import Run

PAGE = 200
"""Documents whose lists are asked for at a time, and written in one transaction."""
_NOBODY = AccessList()


def refresh_permissions(run: Run) -> None:
    """Ask the source who may see each document, and write it page by page, under the lease.

    A document about which the source says nothing is seen by nobody. An error of the source ends the run;
    what it said before is kept.

    Raises:
        SourceError: The access lists cannot be read.
    """
    run.note_strategy(Strategy.LISTING, Reason.FULL)
    for page in _pages(run):
        run.stop.check()
        lists = run.source.permissions([_item(row) for row in page])
        delta = Counters(skipped=len(page))
        with writing(run.engine) as connection:
            fenced(connection, run)
            for row in page:
                allowed = lists.get(row.key, _NOBODY)
                entries = [(entry.kind, entry.subject) for entry in allowed.entries]
                run.index.set_permissions(connection, row.pk, entries, public=allowed.public)
            run.counters.collected += len(page)
            fenced(connection, run, plus=delta)
        run.add(delta)
        run.report.skipped["permissions_only"] += len(page)


def _pages(run: Run) -> Iterator[list[Any]]:
    """Yield the visible documents that the source brought, each page read by itself."""
    after = 0
    while True:
        with reading(run.engine) as connection:
            rows = connection.execute(
                select(items.c.pk, items.c.key, items.c.path, items.c.version, items.c.url)
                .join(documents, documents.c.pk == items.c.pk)
                .where(
                    documents.c.connector_pk == run.connector.pk,
                    documents.c.deleted_at.is_(None),
                    items.c.origin == Origin.SOURCE.value,
                    items.c.pk > after,
                )
                .order_by(items.c.pk)
                .limit(PAGE)
            ).all()
        if rows:
            yield list(rows)
        if len(rows) < PAGE:
            return
        after = rows[-1].pk


def _item(row: Any) -> Item:
    return Item(row.key, row.path, version=row.version, url=row.url)
