"""The contract's own cases of this face, without a stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.api.aimable.conftest import Aimable
from tests.support.contract import cases, needs_contract, run_cases


@needs_contract
def test_every_case_of_the_contract_passes(aimable: Aimable) -> None:
    """All cases of the face, twice on one server."""

    def call(_base: str, request: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes, Any]:
        answer = aimable.client.request(
            request["method"],
            request["path"],
            params=request.get("query"),
            headers=request.get("headers"),
            json=request.get("json"),
        )
        headers = {name.lower(): value for name, value in answer.headers.items()}
        value = json.loads(answer.content) if answer.content else None
        return answer.status_code, headers, answer.content, value

    wanted = cases("aimable")
    for _ in range(2):
        result = run_cases(wanted, aimable.variables, able={"fixture-provider"}, call=call)
        assert result == {"pass": len(wanted), "fail": 0, "skip": 0}
