"""Signing in to a vendor in the browser: what its answer to a code becomes."""

from __future__ import annotations

import json
import math
from typing import Any

import httpx
import pytest

from catchment.kit import oauth

NOW = 1_764_000_000.0


def granted(slug: str = "github", **answer: Any) -> dict[str, str]:
    """Exchange a code at a vendor that answers so."""
    told = json.dumps({"access_token": "a token", **answer}).encode()
    client = oauth.Client(oauth.VENDORS[slug], "us", "our secret")
    wire = httpx.MockTransport(lambda _: httpx.Response(200, content=told))
    return client.exchange("a code", "a state", "https://catchment.example/back", NOW, transport=wire)


class TestExchange:
    def test_keeps_the_tokens_and_when_the_first_one_ends(self) -> None:
        """Under the names that providers give them; whatever else the vendor says is left out."""
        assert granted(refresh_token="renews", expires_in=28_800, scope="repo", token_type="bearer") == {
            "access_token": "a token",
            "refresh_token": "renews",
            "expires_at": str(NOW + 28_800),
        }
        assert granted("slack") == {"bot_token": "a token"}

    @pytest.mark.parametrize(
        "told", [None, 0, -1, math.nan, math.inf, -math.inf, 10**400, 1e12, "28800", [28_800], {}]
    )
    def test_a_life_that_makes_no_sense_is_not_known(self, told: object) -> None:
        """Then its refusal tells that it has ended."""
        assert granted(expires_in=told) == {"access_token": "a token"}
