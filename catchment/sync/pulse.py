"""The sign of life of a run: lease, counters and cancel request, once a second, beside the lanes."""

from __future__ import annotations

import threading
from types import TracebackType

from catchment.core.counters import COUNTER_NAMES
from catchment.core.errors import LeaseLost, RunCancelled
from catchment.core.runs import RunState
from catchment.store import runs
from catchment.store.engine import reading, writing
from catchment.sync.run import Run, log


class Pulse:
    """A thread that touches the run's row while the lanes work, wait, or hang.

    It writes only when a counter moved or the lease grows old, and sets the run's stop signal when
    somebody asked for a cancel or took the run over.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)
        self._written = run.snapshot()
        self._wait = run.waiting
        self._touched = run.clock.monotonic()

    def __enter__(self) -> Pulse:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Stop, and wait until the last touch is through."""
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._done.wait(self._run.settings.poll_seconds):
            try:
                self.touch()
            except (LeaseLost, RunCancelled) as cause:
                self._run.stop.set(cause)
                return
            except Exception:
                # The next beat tries again; the lease outlives several that fail.
                log.exception("could not touch the run's row")

    def touch(self) -> None:
        """Look for a cancel request, and write what is new.

        Raises:
            RunCancelled: Somebody asked for it.
            LeaseLost: Another run has taken over, or the row is final.
        """
        run = self._run
        with reading(run.engine) as connection:
            row = runs.get(connection, run.row.id)
        if row is None or row.lease != run.lease or RunState(row.state).final:
            raise LeaseLost("The run was ended by another.")
        if row.cancel_requested_at is not None:
            raise RunCancelled(f"Cancelled ({row.cancel_reason or 'user'}).")
        now = run.clock.monotonic()
        counters = run.snapshot()
        moved = counters != self._written or run.waiting != self._wait
        if moved or now - self._touched >= run.settings.heartbeat_seconds:
            with writing(run.engine) as connection:
                # The index lane may have committed more than was counted here a moment ago.
                row = runs.get(connection, run.row.id) or row
                for name in COUNTER_NAMES:
                    setattr(counters, name, max(getattr(counters, name), getattr(row, name)))
                wait = run.waiting if run.waiting != self._wait else None
                if not runs.hold(connection, run.row.id, run.lease, settled=counters, wait=wait):
                    raise LeaseLost("Another run has taken over this connector.")
            self._written, self._wait, self._touched = counters, run.waiting, now
        if run.around.on_progress is not None:
            run.around.on_progress(run)
