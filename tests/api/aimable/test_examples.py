"""The contract's own cases of this face, without a stack."""

from __future__ import annotations

from tests.api.aimable.conftest import Aimable
from tests.support.contract import cases, needs_contract, over, run_cases


@needs_contract
def test_every_case_of_the_contract_passes(aimable: Aimable) -> None:
    """All cases of the face, twice on one server."""
    wanted = cases("aimable")
    for _ in range(2):
        result = run_cases(wanted, aimable.variables, able={"fixture-provider"}, call=over(aimable.client))
        assert result == {"pass": len(wanted), "fail": 0, "skip": 0}
