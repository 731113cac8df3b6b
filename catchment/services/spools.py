"""Bodies that were too large for memory, left behind by runs that were killed."""

from __future__ import annotations

import shutil
from pathlib import Path

from catchment.core.runs import LIVE_STATES
from catchment.services.context import Context
from catchment.store import runs
from catchment.store.engine import reading


def clear(context: Context) -> int:
    """Erase the spool folders of this installation whose run has ended; returns how many.

    A run erases its own; one that was killed cannot. Whoever only seems dead writes nothing more anyway, once
    its run was ended by another.
    """
    found = [path for path in _folder(context).glob("*-*") if path.is_dir()]
    if not found:
        return 0
    with reading(context.engine) as connection:
        rows = {path: runs.get(connection, path.name.rpartition("-")[0]) for path in found}
    ended = [path for path, row in rows.items() if row is None or row.state not in LIVE_STATES]
    for path in ended:
        shutil.rmtree(path, ignore_errors=True)
    return len(ended)


def _folder(context: Context) -> Path:
    """Return where the runs of this installation have their folders: beside what people handed in."""
    return context.blobs.root.parent / "spool"
