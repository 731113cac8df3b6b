"""Processes that die at a chosen moment, and stores that are put back to an earlier state."""

from __future__ import annotations

import shutil
from pathlib import Path

from catchment.conformance.dying import dying_commit, dying_save
from catchment.store.engine import open_engine
from tests.support.vault import Vault

__all__ = ["back_up", "dying_commit", "dying_save", "restore"]


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
