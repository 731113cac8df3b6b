"""Upkeep: what a fleet runs on a schedule to keep the store and Prefect true to each other.

The local stack does the same by itself, every 15 seconds.
"""

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from catchment.services import deployments, upkeep
from flows.context import log, open_context


@flow(name="upkeep", flow_run_name="upkeep", persist_result=False)
def keep_up() -> None:
    """End dead runs, resume interrupted work, put deployments right, and purge what is kept no longer."""
    context = open_context()
    swept = upkeep.sweep(context)
    said = [
        f"{swept.ended} dead runs ended, {swept.resumed} resumed, {swept.started} waiting runs started.",
        *deployments.reconcile(context),
        *upkeep.tidy(context),
    ]
    for sentence in said:
        log.info(sentence)
    create_markdown_artifact("\n".join(f"- {sentence}" for sentence in said), key="upkeep")
