"""What the resolvers of one request share: who asks, what was read, and how much may still be read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from catchment.core.errors import UsageError
from catchment.services import documents, library, reach
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.store.documents import DocumentRow
from catchment.store.index import Viewer
from catchment.store.rows import ConnectorRow, RunRow
from catchment.store.views import DocumentFilter

MOST_CHARACTERS = 32_000_000
"""Text that one answer may have been made of: three of the longest documents."""
MOST_ROWS = 10_000
"""Documents, hits and runs that one answer may hold."""


class Asked:
    """One request; made for it and thrown away with it. `operation` is the one that the client named."""

    def __init__(self, context: Context, caller: Caller, operation: str | None = None) -> None:
        self.context = context
        self.caller = caller
        self.operation = operation
        self._characters = MOST_CHARACTERS
        self._rows = MOST_ROWS
        self._texts: dict[int, str] = {}

    @cached_property
    def seen(self) -> dict[int, ConnectorRow]:
        """The connectors that the caller may look into, by number, oldest first."""
        return {row.pk: row for row in library.seen_connectors(self.context, self.caller)}

    @cached_property
    def documents_of_connectors(self) -> dict[int, int]:
        """How many documents each of them has."""
        return library.count_by_connector(self.context, self.narrow())

    @cached_property
    def _viewer(self) -> Viewer:
        return reach.viewer_of(self.context, self.caller)

    def narrow(self, pks: Sequence[int] | None = None) -> DocumentFilter:
        """Return the filter for everything that the caller may see, or for some connectors of it."""
        return DocumentFilter(tuple(self.seen if pks is None else pks), self._viewer)

    def spend_rows(self, count: int) -> None:
        """Count what is about to be read.

        Raises:
            UsageError: It is more than one answer may hold.
        """
        self._rows -= count
        if self._rows < 0:
            raise UsageError(f"More than {MOST_ROWS:,} entries are asked for at once: ask for fewer.")

    def text(self, row: DocumentRow) -> str:
        """Return a document's text; several fields of one document read it once.

        Raises:
            UsageError: The texts of the answer become too long.
        """
        if row.pk not in self._texts:
            self._characters -= row.characters
            if self._characters < 0:
                raise UsageError(
                    "More full texts are asked for at once than one answer can hold: ask for fewer."
                )
            self._texts[row.pk] = documents.text(self.context.engine, row)
        return self._texts[row.pk]

    def beginning(self, row: DocumentRow) -> str:
        """Return enough of a document's text for a preview."""
        found = self._texts.get(row.pk)
        return found if found is not None else library.beginning(self.context, row, chunks_at_most=6)

    def runs(self, connectors: Sequence[ConnectorRow], limit: int) -> list[RunRow]:
        """Return the newest runs of some connectors."""
        self.spend_rows(limit)
        return library.recent_runs(self.context, connectors, limit=limit)

    def forget(self) -> None:
        """Read anew from here on: something was changed."""
        for name in ("seen", "documents_of_connectors"):
            self.__dict__.pop(name, None)
