"""The written cases of the contract, where they lie beside this repository."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.trove.conftest import Trove

CONTRACT = Path(__file__).parents[4] / "shared" / "contract"
CAPABILITIES = ("fixture-provider", "transcription")


@pytest.mark.skipif(not CONTRACT.is_dir(), reason="the written cases are not here")
def test_every_written_case_holds(trove: Trove) -> None:
    """All cases of this face pass, in their order, on one server."""
    lines = (CONTRACT / "examples.jsonl").read_text().splitlines()
    cases = [case for case in map(json.loads, filter(None, lines)) if case["face"] == "trove"]
    judge, known = _judge(), {f"tok_{name}": token for name, token in trove.tokens.items()}
    known["tok_other_tenant"] = known["tok_other"]
    passed: set[str] = set()
    wrong: list[str] = []
    for case in cases:
        assert set(case.get("requires", ())) <= set(CAPABILITIES)
        if not set(case.get("needs", ())) <= passed:
            wrong.append(f"{case['id']}: what it needs has failed")
            continue
        faults = [
            fault for step in case.get("steps") or [case] for fault in _faults(trove, judge, step, known)
        ]
        wrong += [f"{case['id']}: {fault}" for fault in faults]
        if not faults:
            passed.add(case["id"])
    assert wrong == []
    assert len(passed) == len(cases) > 25


def _judge() -> Any:
    spec = importlib.util.spec_from_file_location("judge", CONTRACT / "run_examples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _faults(trove: Trove, judge: Any, step: dict[str, Any], known: dict[str, Any]) -> list[str]:
    asked, expected = judge.sub(step["request"], known), step["expect"]
    more = {"content": asked["raw"]} if "raw" in asked else {"json": asked["json"]} if "json" in asked else {}
    answer = trove.client.request(
        asked["method"], asked["path"], headers=asked.get("headers"), params=asked.get("query"), **more
    )
    statuses = expected["status"] if isinstance(expected["status"], list) else [expected["status"]]
    faults: list[str] = []
    if answer.status_code != statuses[0]:
        faults.append(f"{answer.status_code}: {answer.text[:300]}")
    for name, shape in expected.get("headers", {}).items():
        faults += judge.match(shape, answer.headers.get(name, judge.MISSING), name)
    if "json" in expected:
        faults += judge.match(judge.sub(expected["json"], known), answer.json())
    if not faults:
        known.update({name: judge.ptr(answer.json(), at) for name, at in step.get("capture", {}).items()})
    return faults
