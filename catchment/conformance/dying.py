"""Processes that die at a chosen moment: before a transaction of the store, or before the cursor is saved."""

from __future__ import annotations

from sqlalchemy import event

from catchment.conformance.house import Crash, House
from catchment.sync.cursor import SavedCursor


class dying_commit:  # noqa: N801 - reads as the context that it is
    """Let the process die right before its `at`-th commit of a writing transaction by the index lane."""

    def __init__(self, house: House, at: int) -> None:
        self.engine, self.left = house.engine, at

    def __enter__(self) -> None:
        event.listen(self.engine, "commit", self._count)

    def __exit__(self, *_: object) -> None:
        event.remove(self.engine, "commit", self._count)

    def _count(self, _connection: object) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash


class dying_save:  # noqa: N801 - reads as the context that it is
    """Let the process die right before its `at`-th save of the cursor."""

    def __init__(self, house: House, at: int) -> None:
        self.cursors, self.left = house.cursors, at

    def __enter__(self) -> None:
        self.real = self.cursors.save
        self.cursors.save = self._save  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        self.cursors.save = self.real  # type: ignore[method-assign]

    def _save(self, saved: SavedCursor) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash
        self.real(saved)
