"""Upkeep: what a fleet runs on a schedule to keep the store and Prefect true to each other.

The local stack does the same by itself, every 15 seconds.
"""

import logging
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from catchment.core.home import home_settings
from catchment.services import deployments, upkeep
from catchment.services.context import Context
from catchment.services.prefect_client import PrefectClient
from catchment.store.engine import open_engine
from catchment.store.migrate import require_current

log = logging.getLogger("catchment.flows")
logging.getLogger("catchment").setLevel(logging.INFO)


@flow(name="upkeep", flow_run_name="upkeep", persist_result=False)
def keep_up() -> Any:
    """End dead runs, resume interrupted work, put deployments right, and purge what is kept no longer."""
    engine = open_engine(home_settings().store_url)
    require_current(engine)
    context = Context(engine, connect=PrefectClient.from_environment)
    swept = upkeep.sweep(context)
    said = [
        f"{swept.ended} dead runs ended, {swept.resumed} resumed, {swept.started} waiting runs started.",
        *deployments.reconcile(context),
        *upkeep.tidy(context),
    ]
    for sentence in said:
        log.info(sentence)
    create_markdown_artifact("\n".join(f"- {sentence}" for sentence in said), key="upkeep")
    return None
