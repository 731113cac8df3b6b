"""Collect: list the source, compare with the ledger, read what changed."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from catchment.sync.collect import collect as collect_lane
from catchment.sync.run import Run
from tasks.lane import work_lane


@task(name="collect", task_run_name="collect", cache_policy=NO_CACHE, persist_result=False)
def collect(run: Run) -> Any:
    """Read the source and hand batches to the parse lane."""
    return work_lane(run, collect_lane)
