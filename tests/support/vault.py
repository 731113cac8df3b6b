"""A plain house that can be looked into: what lies in the index and in the ledger, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import update

from catchment.conformance.house import Crash
from catchment.core.clock import SetClock
from catchment.core.counters import COUNTER_NAMES
from catchment.core.settings import SyncSettings
from catchment.store.engine import writing
from catchment.store.rows import RunRow
from catchment.store.tables import items
from catchment.sync.claim import Claimed
from catchment.sync.run import Run
from tests.support.library import check_index
from tests.support.plain import PlainHouse

__all__ = ["Crash", "Vault", "counts", "done"]


class Vault(PlainHouse):
    """See the module."""

    clock: SetClock

    def __init__(self, home: Path, *, clock: SetClock, store_url: str | None = None, **settings: Any) -> None:
        # The pulse of a run that lasts milliseconds would only be in the way.
        given = {"poll_seconds": 3600.0, **settings}
        super().__init__(home, clock=clock, sync=SyncSettings(**given), store_url=store_url)

    def hint(self, key: str, hint: str) -> None:
        """Let the ledger have been told a move hint about a key, should it know the key."""
        with writing(self.engine) as connection:
            connection.execute(update(items).where(items.c.key == key).values(move_hint=hint))

    def take_over(self, silent: Run) -> Run:
        """Begin a run in the place of one that is taken for dead, though it may still be at work."""
        for _ in range(100):
            # Another lane of it may renew the lease in between.
            self.silence(silent.row.id)
            claimed = self.claim()
            if isinstance(claimed, Claimed):
                return self.begun(claimed)
        raise AssertionError("the run kept its lease")

    def check_index(self) -> None:
        """Let the full-text index compare itself with what it indexes."""
        check_index(self.engine)


def counts(run: RunRow) -> dict[str, int]:
    """Return the counters of a run that are not zero; checks that they add up where it succeeded."""
    values = {name: getattr(run, name) for name in COUNTER_NAMES}
    if run.state == "SUCCEEDED":
        ended = values["skipped"] + values["indexed"] + values["failed"] + values["gone"]
        assert values["collected"] == ended, values
    assert values["indexed"] <= values["parsed"] <= values["collected"], values
    return {name: value for name, value in values.items() if value}


def done(read: int, **more: int) -> dict[str, int]:
    """Collected, fetched, parsed and indexed are as many unless told otherwise."""
    values = {"collected": read, "fetched": read, "parsed": read, "indexed": read}
    return {name: value for name, value in {**values, **more}.items() if value}
