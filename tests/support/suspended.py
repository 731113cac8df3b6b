"""Suspending a flow process, so that it stands where it is for as long as a test wants."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from catchment.store.engine import BUSY_TIMEOUT_MS, reading
from tests.support.stack import wait_for


def is_writable(engine: Engine) -> bool:
    """Say whether the store's write lock is free at this moment.

    Asked through the engine's own SQLite: a second library in one process would break the locks of the first.
    """
    with reading(engine) as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return True
        except OperationalError:
            connection.exec_driver_sql("BEGIN")
            return False
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


def stands_still(process: psutil.Process) -> bool:
    """Say whether every thread has stopped: the signal returns before they have."""
    tasks = Path(f"/proc/{process.pid}/task")
    if not tasks.is_dir():
        return bool(process.status() == psutil.STATUS_STOPPED)
    states = [(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks.iterdir()]
    return all(state in "tT" for state in states)


def suspend(engine: Engine, process: psutil.Process) -> None:
    """Suspend a flow process between two of its transactions.

    One that is stopped inside of a transaction keeps SQLite's write lock, so that nobody can take over
    before it goes on; that is waiting, not a takeover, and no part of this promise.
    """
    for _ in range(200):
        process.suspend()
        wait_for(lambda: stands_still(process), seconds=10, what="the process to stand still")
        if is_writable(engine):
            return
        process.resume()
        time.sleep(0.01)
    raise AssertionError("the process always holds the write lock")
