"""What the API does beside its requests: note uses, forget old keys, sweep where nobody else does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from catchment.services import idempotency
from catchment.services.context import Context
from catchment.services.upkeep import sweep
from catchment.services.uses import Uses

log = logging.getLogger("catchment.api")
EVERY_SECONDS = 15.0
_PURGE_SECONDS = 3600.0
_STOP_SECONDS = 5.0


class Upkeep:
    """A thread that works every 15 s until it is stopped."""

    def __init__(self, context: Context, uses: Uses, home: Path, *, sweeps: bool) -> None:
        """Prepare the thread.

        Args:
            context: The surroundings.
            uses: What is written down.
            home: Where a local stack looks whether it is needed.
            sweeps: Whether to keep the store true to Prefect; the parent of a local stack does it there.
        """
        self._context = context
        self._uses = uses
        self._used = home / "run" / "used"
        self._sweeps = sweeps
        self._stopped = threading.Event()
        self._purged_at = float("-inf")
        self._thread = threading.Thread(target=self._work, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and write down what is left; waits at most 5 s."""
        self._stopped.set()
        self._thread.join(_STOP_SECONDS)
        self._attempt(self._write_uses)

    def _work(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            self._attempt(self._write_uses)
            self._attempt(self._purge)
            if self._sweeps:
                self._attempt(lambda: sweep(self._context))

    def _write_uses(self) -> None:
        if self._uses.write() and self._used.exists():
            # Requests are use: a background stack must not stop for idleness under them.
            self._used.touch()

    def _purge(self) -> None:
        if time.monotonic() - self._purged_at > _PURGE_SECONDS:
            idempotency.purge(self._context)
            self._purged_at = time.monotonic()

    def _attempt(self, step: Callable[[], object]) -> None:
        """Take one step; what goes wrong is logged, and tried again in the next round."""
        try:
            step()
        except Exception:
            log.exception("a step of the upkeep failed")
