"""Lists in pages, newest first: whoever reads on says where the page before ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from catchment.services.context import Context
from catchment.store import connectors, runs
from catchment.store.engine import reading
from catchment.store.rows import ConnectorRow, RunRow
from catchment.store.spaces import CollectionRow

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """Some rows of a list, and whether more follow."""

    rows: Sequence[T]
    has_more: bool

    @classmethod
    def of(cls, found: Sequence[T], limit: int) -> Page[T]:
        """Make a page of a list that was asked for one row more than the page takes."""
        return cls(found[:limit], len(found) > limit)


def connectors_in(
    context: Context,
    collection: CollectionRow,
    *,
    provider: str | None = None,
    status: str | None = None,
    before: int | None = None,
    limit: int,
) -> Page[ConnectorRow]:
    """Return the connectors of a collection, those of one provider or in one status if named."""
    with reading(context.engine) as connection:
        found = connectors.page(
            connection,
            collection.pk,
            provider=provider,
            status=status,
            before=before,
            limit=limit + 1,
        )
    return Page.of(found, limit)


def runs_of(
    context: Context,
    connector: ConnectorRow,
    *,
    states: Sequence[str] = (),
    before: tuple[float, str] | None = None,
    limit: int,
) -> Page[RunRow]:
    """Return the runs of a connector, without previews; those in one of some states if named."""
    with reading(context.engine) as connection:
        found = runs.page(connection, connector.pk, states=states, before=before, limit=limit + 1)
    return Page.of(found, limit)
