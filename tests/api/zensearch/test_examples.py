"""The contract's own cases of this face, without a stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.api.zensearch.conftest import Zen
from tests.support.contract import cases, needs_contract, run_cases

ABLE = {"fixture-provider", "oauth"}


@needs_contract
def test_every_case_of_the_contract_passes(zen: Zen, monkeypatch: Any) -> None:
    """All cases of the face, twice on one server."""
    monkeypatch.setenv("CATCHMENT_OAUTH_GOOGLE_DRIVE_CLIENT_ID", "us")
    monkeypatch.setenv("CATCHMENT_OAUTH_GOOGLE_DRIVE_CLIENT_SECRET", "a secret of ours")
    wanted = cases("zensearch")
    for _ in range(2):
        result = run_cases(wanted, zen.variables, able=ABLE, call=caller(zen))
        assert result == {"pass": len(wanted), "fail": 0, "skip": 0}


def caller(zen: Zen) -> Any:
    """Return what sends the requests of cases to the face."""

    def call(_base: str, request: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes, Any]:
        files = [
            (part["name"], (part["filename"], part["text"].encode(), part["content_type"]))
            for part in request.get("form", [])
        ]
        answer = zen.client.request(
            request["method"],
            request["path"],
            params=request.get("query"),
            headers=request.get("headers"),
            json=request.get("json"),
            files=files or None,
        )
        headers = {name.lower(): value for name, value in answer.headers.items()}
        value = json.loads(answer.content) if answer.content else None
        return answer.status_code, headers, answer.content, value

    return call
