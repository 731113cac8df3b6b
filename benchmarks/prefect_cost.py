"""The price of Prefect: an empty flow on the same server, pool and worker as a real sync.

    python -m benchmarks.prefect_cost HOME    run the empty flow once, seconds as JSON

The seconds are taken inside, from asking for the run to seeing it final: the caller's own start does not
count, so the empty flow is not made dearer than it is.
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from pathlib import Path
from typing import Any

from benchmarks.catchment_adapter import prefect_of

_FINAL = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
_LOOK_SECONDS = 0.05
_PATIENCE_SECONDS = 120


def run_empty_flow(home: Path) -> float:
    """Run the empty flow on the local stack of a home and return its seconds.

    Raises:
        RuntimeError: It did not complete within two minutes.
    """
    from catchment.services.prefect_client import PrefectClient

    api_url, auth, pool = prefect_of(home)
    with PrefectClient(api_url, auth) as client:
        deployment = _deployment(client, pool)
        start = time.perf_counter()
        asked = {"idempotency_key": uuid.uuid4().hex}
        run = client.request("POST", f"/deployments/{deployment}/create_flow_run", asked)
        state = _final_state(client, run["id"])
        seconds = time.perf_counter() - start
    if state != "COMPLETED":
        raise RuntimeError(f"The empty flow ended as {state}.")
    return seconds


def _deployment(client: Any, pool: str) -> str:
    flow = client.request("POST", "/flows/", {"name": "benchmark-empty"})
    deployment = {
        "name": "empty",
        "flow_id": flow["id"],
        "entrypoint": "benchmarks.empty_flow.empty",
        "work_pool_name": pool,
    }
    return str(client.request("POST", "/deployments/", deployment)["id"])


def _final_state(client: Any, run_id: str) -> str:
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        state = str(client.request("GET", f"/flow_runs/{run_id}")["state_type"])
        if state in _FINAL:
            return state
        time.sleep(_LOOK_SECONDS)
    raise RuntimeError(f"The empty flow is not done after {_PATIENCE_SECONDS} s.")


def main() -> None:
    """Run the empty flow once and print its seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    print(json.dumps({"seconds": run_empty_flow(parser.parse_args().home)}))


if __name__ == "__main__":
    main()
