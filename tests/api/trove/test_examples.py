"""The contract's own cases of this face, without a stack."""

from __future__ import annotations

from tests.api.trove.conftest import Trove
from tests.support.contract import cases, needs_contract, over, run_cases

ABLE = {"fixture-provider", "transcription"}


@needs_contract
def test_every_case_of_the_contract_passes(trove: Trove) -> None:
    """All cases of the face, in their order, on one server."""
    wanted = cases("trove")
    variables = {f"tok_{name}": token for name, token in trove.tokens.items()}
    variables.update(base_url="http://testserver", tok_other_tenant=variables["tok_other"])
    assert len(wanted) > 25
    result = run_cases(wanted, variables, able=ABLE, call=over(trove.client))
    assert result == {"pass": len(wanted), "fail": 0, "skip": 0}
