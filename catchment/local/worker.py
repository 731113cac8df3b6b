"""The worker process: Prefect's own process worker on the local pool, started without a command line."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from types import FrameType

from catchment.core import priority, startup
from catchment.local.lifeline import WORKER, follow_supervisor, wait_at_gate
from catchment.local.settings import StackSettings


def main() -> None:
    """Poll the pool until the supervisor says stop or is gone."""
    parser = argparse.ArgumentParser(prog="catchment-worker")
    parser.add_argument("--pool", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--limit", type=int, required=True)
    options = parser.parse_args()
    startup.starting()
    follow_supervisor()
    os.environ[WORKER] = str(os.getpid())
    priority.step_back(StackSettings().worker_niceness)  # with every run that it starts
    # Started by `&` in a script, SIGINT is ignored and stays so in children; SIGTERM, which is turned into
    # it below, would then never stop the worker.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _stop)

    from prefect.workers.process import ProcessWorker

    from catchment.blocks import register_all

    startup.started()
    try:
        wait_at_gate()
        register_all()
        worker = ProcessWorker(
            work_pool_name=options.pool,
            name=options.name,
            limit=options.limit,
            create_pool_if_not_found=False,
        )
        asyncio.run(worker.start())
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("Worker stopped.")


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    # asyncio cancels its main task on SIGINT, which lets the worker sign off.
    signal.raise_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
