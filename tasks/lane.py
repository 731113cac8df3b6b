"""How a lane of the sync becomes a task: its error stops the others, and a stop is no success."""

from typing import Any

from prefect.states import Cancelled, Completed

from catchment.core.errors import CatchmentError, RunStopped
from catchment.sync.close import Unexpected
from catchment.sync.lanes import Lane, lane_of
from catchment.sync.run import Run


def work_lane(run: Run, lane: Lane) -> Any:
    """Run a lane and return the task's state; an error of the lane is raised without its causes.

    A lane that was stopped ends as Cancelled, so that nobody takes it for finished.
    """
    try:
        lane_of(run, lane)
    except RunStopped as stopped:
        return Cancelled(message=str(stopped))
    except CatchmentError as error:
        # Prefect logs an error with its causes, and their texts are a library's: anything may stand there.
        raise error from None
    except Exception as error:
        raise Unexpected.of(error) from None
    return Completed(message=_summary(run))


def _summary(run: Run) -> str:
    counted = run.counters.public()
    return ", ".join(f"{count} {name}" for name, count in counted.items() if count) or "nothing to do"
