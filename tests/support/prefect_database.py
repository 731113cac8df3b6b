"""Prefect's database as a home has it after its first start, made once for most homes of the tests.

Making it is 5 to 9 s of a processor, more than half of a first start. What a first start is like is still
tried by those who come first: `catchment up`, the first `catchment sync`, and the stack's own tests.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from catchment.local.environment import child_environment
from catchment.local.paths import prepare

HANDED = "TEST_PREFECT_DATABASE"
"""Where it lies, for processes that tests start."""
_NAME = "prefect.db"


def lay(home: Path) -> None:
    """Give a home that never had one the database that Prefect would make there."""
    prepare(home)
    target = home / "prefect" / _NAME
    if not target.exists():
        shutil.copyfile(made(), target)


def made() -> Path:
    """Return where the database lies that is copied; made here unless another process has handed one down."""
    if HANDED not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="catchment-prefect-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ[HANDED] = str(_make(folder))
    return Path(os.environ[HANDED])


def _make(home: Path) -> Path:
    prepare(home)
    subprocess.run(
        [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"],
        env=child_environment(home),
        capture_output=True,
        timeout=300,
        check=True,
    )
    database = home / "prefect" / _NAME
    with closing(sqlite3.connect(database)) as connection:  # one file, for copying
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return database
