"""One sync in a process of its own, for tests that kill, stop and crowd processes.

    python -P -m tests.support.plain_process HOME STORE_URL CONNECTOR [PAUSE]

PAUSE says where the process stops for ever, after it has told so: ``commit:3`` before the third commit of its
index lane, ``build`` where the index over the words is about to be built. With ``building`` it tells that it
builds, and goes on; with ``sleep:3`` it sends itself SIGSTOP before the third commit.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from catchment.core.errors import LeaseLost
from catchment.core.settings import SyncSettings
from catchment.store import engine as store_engine
from catchment.store import postgres_index
from catchment.sync.claim import INTERRUPTED
from tests.support.plain import PlainHouse

STOP_SECONDS = 0.5


def tell(**facts: Any) -> None:
    """Write one line for the test to read."""
    print(json.dumps(facts), flush=True)


def pause() -> None:
    """Stop here for ever."""
    tell(at="pause")
    time.sleep(600)


def arm(house: PlainHouse, where: str) -> None:
    """Prepare the pause."""
    place, _, number = where.partition(":")
    left = int(number or 0)

    def count(connection: Connection) -> None:
        nonlocal left
        if not connection.get_execution_options().get(store_engine.WRITE):
            return
        if threading.current_thread().name != "index":
            return
        left -= 1
        if left == 0 and place == "commit":
            pause()
        elif left == 0:
            tell(at="stop")
            os.kill(os.getpid(), signal.SIGSTOP)
            # Another thread may take the signal, and this one run on until it does: not into the commit.
            time.sleep(STOP_SECONDS)

    real = postgres_index.build

    def build(connection: Connection) -> None:
        if place == "build":
            pause()
        tell(at="pause")
        real(connection)

    if left:
        event.listen(house.engine, "commit", count)
    else:
        postgres_index.build = build


def main(home: str, url: str, name: str, where: str = "") -> None:
    """See the module."""
    # A stopped writer loses its transaction after 15 s; a test waits for one.
    store_engine._LIMITS = store_engine._LIMITS.replace(f"'{store_engine.IDLE_SECONDS}s'", "'1s'")
    settings = SyncSettings(first_batch_items=8, batch_items=8, page_items=8)
    house = PlainHouse(Path(home), store_url=url, sync=settings)
    if where:
        arm(house, where)
    try:
        row = house.sync(name)
    except LeaseLost as lost:
        tell(lost=lost.code)
        return
    if row.error_code == INTERRUPTED:
        # Only others say so of a run; which of its threads notices first decides whether closing raises.
        tell(lost=LeaseLost.code)
    else:
        tell(state=row.state, code=row.error_code, indexed=row.indexed, message=row.error_message)


if __name__ == "__main__":
    main(*sys.argv[1:])
