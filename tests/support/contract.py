"""The executable cases of the contract, where they lie beside the checkout; their server and runner."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.inherited import inherited
from tests.support.prefect_database import made
from tests.support.stack import wait_for

ROOT = Path(__file__).parents[2]
FOLDER = ROOT.parent / "shared" / "contract"
CASES, RUNNER = FOLDER / "examples.jsonl", FOLDER / "run_examples.py"

needs_contract = pytest.mark.skipif(
    not (CASES.exists() and RUNNER.exists()), reason="the contract's cases do not lie beside the checkout"
)
Call = Callable[[str, Mapping[str, Any]], tuple[int, dict[str, str], bytes, Any]]


def cases(*faces: str) -> list[dict[str, Any]]:
    """Return the cases of some faces, or all, in their order."""
    found = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [case for case in found if not faces or case["face"] in faces]


def over(client: Any) -> Call:
    """Return what sends the requests of cases by a test client."""

    def call(_base: str, request: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes, Any]:
        files = [
            (part["name"], (part["filename"], part["text"].encode(), part["content_type"]))
            for part in request.get("form", [])
        ]
        answer = client.request(
            request["method"],
            request["path"],
            params=request.get("query"),
            headers=request.get("headers"),
            files=files or None,
            **({"content": request["raw"]} if "raw" in request else {"json": request.get("json")}),
        )
        headers = {name.lower(): value for name, value in answer.headers.items()}
        value = json.loads(answer.content) if answer.content else None
        return answer.status_code, headers, answer.content, value

    return call


@contextmanager
def contract_server(folder: Path, **settings: str) -> Iterator[dict[str, Any]]:
    """Run the real stack on an empty store while the block lasts; it must then end well.

    Args:
        folder: For its variables and its log.
        settings: Environment variables that it gets besides those of this process.

    Yields:
        What a client has to know of it.
    """
    env, log = folder / "env.json", folder / "log"
    made()  # for all that follow
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.contract.server", str(env)],
            cwd=ROOT,
            env={**inherited(), **settings},
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


def run_cases(
    wanted: Iterable[Mapping[str, Any]],
    variables: Mapping[str, Any],
    *,
    able: Iterable[str],
    call: Call | None = None,
) -> dict[str, int]:
    """Run cases; returns how many passed, failed and were skipped. What failed is printed.

    Args:
        wanted: The cases.
        variables: What they refer to.
        able: Capabilities of the server.
        call: Sends one request, by default over HTTP.
    """
    spec = importlib.util.spec_from_file_location("contract_runner", RUNNER)
    assert spec is not None
    assert spec.loader is not None
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    if call is not None:
        absent = runner.MISSING

        def instead(base: str, request: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes, Any]:
            status, headers, body, value = call(base, request)
            return status, headers, body, absent if value is None else value

        runner.call = instead  # type: ignore[attr-defined]
    result: dict[str, int] = runner.run(list(wanted), dict(variables), set(able))
    return result
