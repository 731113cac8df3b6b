"""The HTTP API as a child of the local stack: up, reachable, and gone with its parent."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from catchment.local.http import want
from catchment.local.paths import prepare
from catchment.local.stack import child_environment, ensure_stack, read_state, stop_stack, wait_for_http
from tests.support.prefect_database import lay
from tests.support.stack import alive, family_of, silent, wait_for

pytestmark = pytest.mark.prefect


def command(home: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "catchment.cli.main", *words],
        env={**child_environment(home), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def said(process: subprocess.Popen[str], word: str) -> str:
    """Read lines until one has the word."""
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            return line
    raise AssertionError(f"{word!r} was not said")


def get(address: str, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(address, headers=headers, timeout=20, trust_env=False)


def test_up_brings_the_api_and_its_first_token_and_takes_it_down(tmp_path: Path) -> None:
    """The address and an owner's token are shown, the token is nowhere else; one Ctrl-C ends everything."""
    up = command(tmp_path, "up")
    address = said(up, "The HTTP API:").split()[3]
    token = said(up, "first token").split()[-1]
    state = read_state(tmp_path)
    assert state is not None
    assert state.http_url == address
    assert get(f"{address}/ready").json() == {"status": "ok", "store": "ok", "prefect": "ok"}
    assert get(f"{address}/api/v1/tokens").status_code == 401
    assert get(f"{address}/api/v1/tokens", token).json()["data"][0]["role"] == "owner"
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert token.encode() not in file.read_bytes(), file

    api = psutil.Process(state.pids["api"])
    api.kill()
    wait_for(lambda: _is_up(address), seconds=30, what="the API after its death")

    family = family_of(state)
    up.send_signal(signal.SIGINT)
    assert up.stdout is not None
    assert "first token" not in up.stdout.read()
    assert up.wait(60) == 0
    assert not alive(family)
    with pytest.raises(httpx.ConnectError):
        get(f"{address}/health")


def test_a_background_stack_gets_the_api_when_somebody_wants_it(tmp_path: Path) -> None:
    """Not before; on a port of its own where another has the usual one; and nothing survives a kill -9."""
    lay(tmp_path)
    state = ensure_stack(tmp_path, say=silent)
    try:
        assert state.http_url == ""
        assert "api" not in state.pids
        want(tmp_path)
        wanted = wait_for_http(tmp_path)
        assert get(f"{wanted.http_url}/health").status_code == 200
        told = command(tmp_path, "status", "--json")
        output, _ = told.communicate(timeout=60)
        assert json.loads(output)["stack"]["http"] == wanted.http_url
        family = family_of(wanted)
        os.kill(wanted.supervisor_pid, signal.SIGKILL)
        wait_for(lambda: not alive(family), seconds=20, what="the end of everything")
    finally:
        stop_stack(tmp_path, say=silent)


def test_a_port_that_was_asked_for_and_is_taken_refuses_the_start(tmp_path: Path) -> None:
    """Exit code 2 with the setting's name, and nothing was started."""
    prepare(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        up = command(tmp_path, "up", CATCHMENT_API_PORT=str(taken.getsockname()[1]))
        output, _ = up.communicate(timeout=60)
    assert up.returncode == 2
    assert "CATCHMENT_API_PORT" in output
    assert "Traceback" not in output


def test_the_api_alone_serves_without_a_stack(tmp_path: Path) -> None:
    """What needs Prefect is not ready; the rest is; Ctrl-C ends it with 0."""
    migrated = command(tmp_path, "migrate")
    assert migrated.wait(60) == 0
    api = command(tmp_path, "api")
    token = said(api, "first token").split()[-1]
    address = said(api, "The HTTP API:").split()[3]
    wait_for(lambda: _is_up(address), seconds=30, what="the API")
    assert get(f"{address}/ready").status_code == 503
    assert get(f"{address}/api/v1/tokens", token).status_code == 200
    api.send_signal(signal.SIGINT)
    assert api.wait(30) == 0


def _is_up(address: str) -> bool:
    try:
        return bool(get(f"{address}/health").status_code == 200)
    except httpx.HTTPError:
        return False
