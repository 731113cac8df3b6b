"""Stopping without breaking: running flows end through their own clean-up before their worker goes.

Stopping a worker kills its flows without a ``finally`` and leaves them Running in Prefect for ever.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from catchment.core.errors import CatchmentError
from catchment.local.pool import POOL
from catchment.services.prefect_client import LIVE_STATES, PrefectClient

_MESSAGE = "Catchment is stopping."
_POLL_SECONDS = 0.2
_TAKEN_SECONDS = 0.5
"""A run that the worker has taken before the pause is Pending by then, and is found."""

logger = logging.getLogger(__name__)


def stop_intake(client: PrefectClient, home: Path) -> None:
    """Pause the pool, so that no run begins any more; a pool that a person paused is left to that person."""
    pool = client.work_pool(POOL)
    if pool is not None and not pool["is_paused"]:
        # The marker first: if we die in between, the next start resumes a pool that was never paused.
        _marker(home).touch(mode=0o600)
        client.pause_work_pool(POOL, paused=True)
        time.sleep(_TAKEN_SECONDS)


def reopen_intake(client: PrefectClient, home: Path) -> None:
    """Resume the pool if it was `stop_intake` that paused it, also in an earlier life."""
    if _marker(home).exists():
        client.pause_work_pool(POOL, paused=False)
        _marker(home).unlink()


def cancel_running(client: PrefectClient) -> int:
    """Ask every run of the pool that is at work to end, and return how many were asked."""
    asked = 0
    for run in list(client.flow_runs(states=["RUNNING", "PENDING"], pool=POOL)):
        try:
            client.set_state(run["id"], "CANCELLING", message=_MESSAGE)
            asked += 1
        except CatchmentError as error:
            logger.warning("Run %s could not be asked to stop: %s", run["id"], error)
    return asked


def wait_until_idle(client: PrefectClient, *, seconds: float, is_hurried: Callable[[], bool]) -> int:
    """Wait until no run of the pool is at work; return how many still are when time or patience is over.

    Raises Unavailable when Prefect cannot be asked.
    """
    give_up_at = time.monotonic() + seconds
    while (left := client.count_flow_runs(states=LIVE_STATES, pool=POOL)) > 0:
        if is_hurried() or time.monotonic() > give_up_at:
            break
        time.sleep(_POLL_SECONDS)
        cancel_running(client)  # also those that the worker had taken just before the pause
    return left


def _marker(home: Path) -> Path:
    return home / "run" / "draining"
