"""Tokens over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from catchment.services import access
from tests.api.conftest import Api

TOKENS = "/api/v1/tokens"


def make(api: Api, **body: Any) -> Any:
    return api.ask("POST", TOKENS, json={"name": "guest", **body})


def test_a_new_token_is_shown_once_and_works(api: Api) -> None:
    """The answer has the secret; the list has how it begins."""
    made = make(api, role="viewer", expiresInDays=1)
    assert made.status_code == 201
    secret = made.json()["data"]["token"]
    assert secret.startswith("ct_")
    listed = api.ask("GET", TOKENS)
    assert secret not in listed.text
    assert [one["prefix"] for one in listed.json()["data"]] == [api.owner.token.prefix, secret[:11]]
    assert api.ask("GET", TOKENS, token=secret).status_code == 403


def test_a_revoked_token_works_no_more(api: Api) -> None:
    """DELETE has a body, as everywhere on this face."""
    made = make(api, role="admin").json()["data"]
    assert api.ask("GET", TOKENS, token=made["token"]).status_code == 200
    gone = api.ask("DELETE", f"{TOKENS}/{made['id']}")
    assert gone.json()["data"] == {"id": made["id"], "revoked": True}
    assert api.ask("GET", TOKENS, token=made["token"]).status_code == 401


def test_nobody_gives_more_than_they_have(api: Api) -> None:
    """An admin makes no owner, and ends no owner's token."""
    admin = make(api, role="admin").json()["data"]["token"]
    assert api.ask("POST", TOKENS, token=admin, json={"name": "x", "role": "owner"}).status_code == 403
    assert api.ask("DELETE", f"{TOKENS}/{api.owner.token.id}", token=admin).status_code == 403


def test_tokens_of_another_team_do_not_exist(api: Api) -> None:
    """Neither in the list nor by id."""
    other = access.tenant_called(api.context, "Other")
    foreign = access.add_token(api.context, "foreign", role="owner", tenant_id=other)
    assert foreign.token.id not in api.ask("GET", TOKENS).text
    assert api.ask("DELETE", f"{TOKENS}/key_{foreign.token.id}").status_code == 404
    assert len(api.ask("GET", TOKENS, token=foreign.secret).json()["data"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"role": "god"},
        {"expiresInDays": 0},
        {"expiresInDays": True},
        {"expiresInDays": "7"},
        {"spaces": {"x": "viewer"}},
    ],
)
def test_what_cannot_be_is_refused(api: Api, body: dict[str, Any]) -> None:
    """Nothing is made."""
    assert make(api, **body).status_code in (400, 404)
    assert len(access.list_tokens(api.context)) == 1
