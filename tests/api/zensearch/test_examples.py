"""The contract's own cases of this face, without a stack."""

from __future__ import annotations

from typing import Any

from tests.api.zensearch.conftest import Zen
from tests.support.contract import cases, needs_contract, over, run_cases

ABLE = {"fixture-provider", "oauth"}


@needs_contract
def test_every_case_of_the_contract_passes(zen: Zen, monkeypatch: Any) -> None:
    """All cases of the face, twice on one server."""
    monkeypatch.setenv("CATCHMENT_OAUTH_GOOGLE_DRIVE_CLIENT_ID", "us")
    monkeypatch.setenv("CATCHMENT_OAUTH_GOOGLE_DRIVE_CLIENT_SECRET", "a secret of ours")
    wanted = cases("zensearch")
    for _ in range(2):
        result = run_cases(wanted, zen.variables, able=ABLE, call=over(zen.client))
        assert result == {"pass": len(wanted), "fail": 0, "skip": 0}
