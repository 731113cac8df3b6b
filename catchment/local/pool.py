"""What the local stack owns in Prefect: the work pool, the automation against zombies, and order at start."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catchment.services.prefect_client import LIVE_STATES, PrefectClient, PrefectRefused

POOL = "catchment"
WORKER_NAME = "local"

_DESCRIPTION = "Runs of Catchment on this machine. Kept by `catchment up`."

ZOMBIES: dict[str, Any] = {
    "name": "catchment: close zombie runs",
    "description": "Ends a run whose process stopped sending heartbeats, so that nothing waits for it.",
    "enabled": True,
    "tags": ["catchment"],
    "trigger": {
        "type": "event",
        "posture": "Proactive",
        "match": {"prefect.resource.id": ["prefect.flow-run.*"]},
        "match_related": {},
        "for_each": ["prefect.resource.id"],
        "after": ["prefect.flow-run.heartbeat"],
        "expect": [
            "prefect.flow-run.heartbeat",
            "prefect.flow-run.Completed",
            "prefect.flow-run.Failed",
            "prefect.flow-run.Cancelled",
            "prefect.flow-run.Crashed",
            "prefect.flow-run.Paused",
            "prefect.flow-run.Suspended",
        ],
        "threshold": 1,
        "within": 90,  # three heartbeats of 30 s
    },
    "actions": [
        {"type": "change-flow-run-state", "state": "CRASHED", "message": "No heartbeat for 90 seconds."}
    ],
}


def job_template(home: Path) -> dict[str, Any]:
    """Describe how the pool starts a flow process.

    The explicit command saves a second Python per run. It names this interpreter by its full path and keeps
    the working directory off the import path (``-P``): a file called ``github.py`` in the home hides nothing.
    """
    command = shlex.join([sys.executable, "-P", "-m", "catchment.local.engine"])
    fields: dict[str, dict[str, Any]] = {
        "command": {"title": "Command", "type": "string", "default": command},
        "working_dir": {"title": "Working directory", "type": "string", "default": str(home)},
        "env": {
            "title": "Environment variables",
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "labels": {"title": "Labels", "type": "object", "additionalProperties": {"type": "string"}},
        "name": {"title": "Name", "anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "stream_output": {"title": "Output into the worker's log", "type": "boolean", "default": True},
    }
    return {
        "job_configuration": {name: "{{ " + name + " }}" for name in fields},
        "variables": {"type": "object", "properties": fields},
    }


def furnish(client: PrefectClient, home: Path) -> None:
    """Make the work pool and the automation, or bring the pool's template up to date."""
    client.save_work_pool(POOL, template=job_template(home), description=_DESCRIPTION)
    client.save_automation(ZOMBIES)


def close_leftovers(client: PrefectClient) -> int:
    """Close the pool's runs of an earlier life and return how many there were.

    To be called while no worker lives: flow processes die with their worker, so a run that Prefect still
    believes alive is dead, and would stay so for ever.
    """
    closed = 0
    for run in list(client.flow_runs(states=LIVE_STATES, pool=POOL)):
        asked_to_stop = run["state_type"] == "CANCELLING"
        state = "CANCELLED" if asked_to_stop else "CRASHED"
        message = (
            "Stopped with the stack." if asked_to_stop else "The stack ended while this run was working."
        )
        closed += _close(client, run["id"], state, message)
    return closed


def skip_missed(client: PrefectClient) -> int:
    """Cancel scheduled runs that came due while nothing ran, except the newest of each deployment.

    One sync catches up with everything, so a night's worth would be done many times over. Runs that a person
    or a program asked for are left alone. Returns the number of cancelled runs.
    """
    skipped = 0
    seen: set[str] = set()
    now = datetime.now(UTC).isoformat()
    for run in list(client.flow_runs(states=["SCHEDULED"], pool=POOL, due_before=now)):
        deployment = run.get("deployment_id")
        if not run.get("auto_scheduled") or deployment is None:
            continue
        if deployment in seen:
            message = "Skipped: a later run of the same schedule does this work."
            skipped += _close(client, run["id"], "CANCELLED", message)
        seen.add(deployment)
    return skipped


def _close(client: PrefectClient, run_id: str, state: str, message: str) -> int:
    try:
        client.set_state(run_id, state, message=message, force=True)
    except PrefectRefused as refused:
        if refused.status != 404:  # deleted in the meantime
            raise
        return 0
    return 1
