"""A real local stack for tests: Prefect's server and a worker, in a home of the test's own.

    with start_stack(tmp_path / "home") as state, connect(state) as prefect:
        run = start_run(prefect, deploy(prefect, "quick"))
        wait_for_state(prefect, run, "COMPLETED")

A session-scoped fixture around `start_stack` gives many tests one server; 12 s for the first start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from catchment.local.pool import POOL
from catchment.local.stack import StackState, ensure_stack, stop_stack
from catchment.services.prefect_client import FINAL_STATES, PrefectClient

FLOWS = Path(__file__).parent / "flows"
"""Folder of the flows that tests run; `deploy` puts it on the flow process's import path."""


def silent(_sentence: str) -> None:
    """Take the sentences meant for a person."""


@contextmanager
def start_stack(home: Path) -> Iterator[StackState]:
    """Run the background stack of this home while the block lasts, and leave no process of it."""
    state = ensure_stack(home, say=silent)
    family = family_of(state)
    try:
        yield state
    finally:
        stop_stack(home, say=silent)
        for process in alive(family):  # only what a broken stop leaves behind
            process.kill()


def connect(state: StackState) -> PrefectClient:
    """Return a client that is signed in to this stack."""
    return PrefectClient(state.api_url, state.auth)


def family_of(state: StackState) -> list[psutil.Process]:
    """List the supervisor and everything below it, flow processes too."""
    supervisor = psutil.Process(state.supervisor_pid)
    return [supervisor, *supervisor.children(recursive=True)]


def alive(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run; a zombie that nobody has reaped yet does not."""
    return [process for process in processes if process.is_running() and not _is_zombie(process)]


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def deploy(
    prefect: PrefectClient,
    flow: str,
    *,
    schedules: Sequence[dict[str, Any]] = (),
    environment: dict[str, str] | None = None,
) -> str:
    """Deploy a flow of ``flows/stack_flows.py`` under a new name; return the deployment's id."""
    flow_id = prefect.request("POST", "/flows/", {"name": flow})["id"]
    body = {
        "flow_id": flow_id,
        "name": f"{flow}-{uuid4().hex[:8]}",
        "entrypoint": f"stack_flows.{flow}",
        "work_pool_name": POOL,
        "schedules": list(schedules),
        "job_variables": {"env": {"PYTHONPATH": str(FLOWS), **(environment or {})}},
        "enforce_parameter_schema": False,
    }
    return str(prefect.request("POST", "/deployments/", body)["id"])


def start_run(prefect: PrefectClient, deployment: str, **parameters: Any) -> str:
    """Ask for one run now; return the flow run's id."""
    body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
    return str(prefect.request("POST", f"/deployments/{deployment}/create_flow_run", body)["id"])


def wait_for_state(prefect: PrefectClient, run: str, *states: str, seconds: float = 30) -> dict[str, Any]:
    """Wait until a flow run is in one of these states and return it; a different end fails the test."""

    def arrived() -> dict[str, Any] | None:
        found = prefect.flow_run(run)
        assert found is not None, "the flow run is gone"
        if found["state_type"] in states:
            return found
        assert found["state_type"] not in FINAL_STATES, found["state"]
        return None

    return wait_for(arrived, seconds=seconds, what=f"{' or '.join(states)} of flow run {run}")


def wait_for(probe: Callable[[], Any], *, seconds: float, what: str, pause_seconds: float = 0.1) -> Any:
    """Ask again and again until the answer is truthy; fail the test after so many seconds."""
    give_up_at = time.monotonic() + seconds
    while not (answer := probe()):
        assert time.monotonic() < give_up_at, f"{what} did not come about within {seconds:g} s"
        time.sleep(pause_seconds)
    return answer
