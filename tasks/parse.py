"""Parse: bodies to text, structure and chunks."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from catchment.sync.parse import parse as parse_lane
from catchment.sync.run import Run
from tasks.lane import work_lane


@task(name="parse", task_run_name="parse", cache_policy=NO_CACHE, persist_result=False)
def parse(run: Run) -> Any:
    """Parse what was read, in a process that can be killed."""
    return work_lane(run, parse_lane)
