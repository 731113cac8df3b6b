"""The three lanes in plain threads: what benchmarks and the model test run.

A Prefect flow submits the same three functions as tasks; the product has no second way to run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from catchment.core.errors import RunStopped
from catchment.sync.collect import collect
from catchment.sync.index import index
from catchment.sync.parse import parse
from catchment.sync.run import Run

Lane = Callable[[Run], None]
LANES: tuple[Lane, ...] = (collect, parse, index)


def lane_of(run: Run, work: Lane) -> None:
    """Run one lane; its error stops the others and is raised.

    Raises:
        RunStopped: The run was stopped, here or elsewhere.
    """
    try:
        work(run)
    except BaseException as error:
        run.stop.set(error)
        raise


def lanes_for(run: Run) -> Sequence[Lane]:
    """Return the lanes that a run needs; a dry run only collects."""
    return LANES[:1] if run.row.dry_run else LANES


def run_in_threads(run: Run) -> None:
    """Run the lanes side by side and wait for all of them; raise what stopped them, if anything did."""

    def work(lane: Lane) -> None:
        try:
            lane_of(run, lane)
        except RunStopped:
            pass
        except BaseException as error:
            run.stop.set(error)

    first, *others = lanes_for(run)
    threads = [threading.Thread(target=work, args=(lane,), name=lane.__name__) for lane in others]
    for thread in threads:
        thread.start()
    work(first)
    for thread in threads:
        thread.join()
    run.stop.check()
