"""All cases of the contract against the real product: API, Prefect's server and a worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.contract import cases, needs_contract, run_cases
from tests.support.stack import wait_for

pytestmark = pytest.mark.prefect
ROOT = Path(__file__).parents[2]
ABLE = {"fixture-provider", "oauth", "transcription"}


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The contract server, up; what a client has to know of it."""
    folder = tmp_path_factory.mktemp("contract")
    env, log = folder / "env.json", folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.contract.server", str(env)],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "CATCHMENT_API_PORT"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def is_told() -> bool:
        assert server.poll() is None, log.read_text()
        return env.exists()

    try:
        wait_for(is_told, seconds=120, what="the contract server")
        yield json.loads(env.read_text())
    finally:
        server.send_signal(signal.SIGINT)
        code = server.wait(90)
    assert code == 0, log.read_text()
    assert not env.exists()


@needs_contract
@pytest.mark.parametrize("time", ["first", "second"])
def test_every_case_of_the_contract_passes(variables: dict[str, Any], time: str) -> None:
    """All faces on one server, in order; a used server serves them as an empty one does."""
    wanted = cases()
    result = run_cases(wanted, variables, able=ABLE)
    assert result == {"pass": len(wanted), "fail": 0, "skip": 0}, time


def test_the_variables_open_what_they_say(variables: dict[str, Any]) -> None:
    """Every token that a client is told of is good, but the bad one."""
    import httpx

    def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {variables[token]}"}
        address = f"{variables['base_url']}/v1/spaces/{variables['space_id']}/collections"
        address += f"/{variables['collection_id']}/connectors"
        return httpx.get(address, headers=headers, timeout=20, trust_env=False).status_code

    tokens = ("tok_admin", "key_admin", "tok_viewer", "tok_outsider", "tok_other_tenant", "tok_bad")
    assert [status(token) for token in tokens] == [200, 200, 200, 403, 404, 401]
