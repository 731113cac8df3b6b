"""Processes that die at a chosen moment, and stores that are put back to an earlier state."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import event

from catchment.store.engine import open_engine
from catchment.sync.cursor import SavedCursor
from tests.support.vault import Crash, Vault


class dying_commit:  # noqa: N801 - reads as the context that it is
    """Let the process die right before its `at`-th commit of a writing transaction by the index lane."""

    def __init__(self, house: Vault, at: int) -> None:
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

    def __init__(self, house: Vault, at: int) -> None:
        self.cursors, self.left = house.cursors, at

    def __enter__(self) -> None:
        self.real = self.cursors.save
        self.cursors.save = self._save  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        self.cursors.save = self.real  # type: ignore[method-assign]

    def _save(self, cursor: SavedCursor) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash
        self.real(cursor)


def back_up(house: Vault, folder: Path) -> Path:
    """Copy the store's file."""
    with house.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(shutil.copy(house.home / "catchment.db", folder / "copy.db"))


def restore(house: Vault, copy: Path) -> None:
    """Put the copy in the store's place."""
    house.engine.dispose()
    for name in ("catchment.db-wal", "catchment.db-shm"):
        (house.home / name).unlink(missing_ok=True)
    shutil.copy(copy, house.home / "catchment.db")
    house.engine = open_engine(f"sqlite:///{house.home / 'catchment.db'}")
