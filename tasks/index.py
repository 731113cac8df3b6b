"""Index: documents, ledger, counters and checkpoint, one transaction per batch; then removals."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from catchment.sync.index import index as index_lane
from catchment.sync.run import Run
from tasks.lane import work_lane


@task(name="index", task_run_name="index", cache_policy=NO_CACHE, persist_result=False)
def index(run: Run) -> Any:
    """Write batches in order, and move cursors behind them."""
    return work_lane(run, index_lane)
