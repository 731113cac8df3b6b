"""The contract's own cases of this face, without a stack."""

from __future__ import annotations

from catchment.services import oauth_clients
from tests.api.zensearch.conftest import Zen
from tests.support.contract import cases, needs_contract, over, run_cases

ABLE = {"fixture-provider", "oauth"}


@needs_contract
def test_every_case_of_the_contract_passes(zen: Zen) -> None:
    """All cases of the face, twice on one server."""
    client = {"client_id": "us", "client_secret": "a secret of ours"}
    oauth_clients.keep(zen.context, "google-drive", client)
    wanted = cases("zensearch")
    for _ in range(2):
        result = run_cases(wanted, zen.variables, able=ABLE, call=over(zen.client))
        assert result == {"pass": len(wanted), "fail": 0, "skip": 0}
