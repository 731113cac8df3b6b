"""Who gets in, by which credentials, and as whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catchment.api.requests import CallerOf
from catchment.core.clock import SetClock
from catchment.services import access
from catchment.store.engine import writing
from catchment.store.tables import tenants
from tests.api.conftest import Api


def who(caller: CallerOf) -> dict[str, Any]:
    return {"id": caller.principal_id, "tenant": caller.tenant_id, "role": caller.role}


@pytest.fixture
def api(api: Api) -> Api:
    for path in ("/api/v1/who", "/v1/who", "/api/sync/who"):
        api.route(path, who)
        api.route(path, who, method="POST")
    return api


@pytest.mark.parametrize("path", ["/api/v1/who", "/v1/who", "/api-proxy/v1/who", "/api/sync/who"])
@pytest.mark.parametrize(
    "way",
    [
        lambda token: {"Authorization": f"Bearer {token}"},
        lambda token: {"Authorization": f"bearer  {token}"},
        lambda token: {"X-ZenSearch-Key": token},
        lambda token: {"X-API-Key": token},
        lambda token: {"Cookie": f"a=b; __session={token}"},
    ],
    ids=["bearer", "lower case", "zensearch key", "api key", "cookie"],
)
def test_any_token_works_on_any_face_in_any_header(
    api: Api, path: str, way: Callable[[str], dict[str, str]]
) -> None:
    """One store of tokens serves all faces, in every header that one of them knows."""
    answer = api.raw("GET", path, headers=way(api.owner.secret))
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == api.owner.principal.id


@pytest.mark.parametrize("bad", ["Bearer nonsense", "Basic abc", "Bearer", "", "Bearer ct_\xe9"])
def test_a_bad_authorization_is_not_saved_by_a_good_key(api: Api, bad: str) -> None:
    """Authorization decides wherever it is there."""
    headers = {"Authorization": bad.encode("latin-1"), b"X-API-Key": api.owner.secret.encode()}
    answer = api.raw("GET", "/v1/who", headers=headers)
    assert answer.status_code == 401


def test_a_good_authorization_is_not_hurt_by_a_bad_key(api: Api) -> None:
    """Authorization decides, also for the good."""
    assert api.ask("GET", "/v1/who", headers={"X-API-Key": "nonsense"}).status_code == 200


def test_a_revoked_token_opens_nothing_from_the_next_request_on(api: Api) -> None:
    """Nothing remembers that it was good a moment ago."""
    made = access.add_token(api.context, "guest")
    assert api.ask("GET", "/v1/who", token=made.secret).status_code == 200
    access.revoke_token(api.context, "guest")
    assert api.ask("GET", "/v1/who", token=made.secret).status_code == 401


def test_a_token_ends_when_it_was_to_end(api: Api, clock: SetClock) -> None:
    """Its life counts from its making."""
    made = access.add_token(api.context, "guest", lives_seconds=60)
    assert api.ask("GET", "/v1/who", token=made.secret).status_code == 200
    clock.advance(61)
    assert api.ask("GET", "/v1/who", token=made.secret).status_code == 401


def test_nobody_is_known_before_anything_of_the_body_is_read(api: Api) -> None:
    """A stranger's torn body is a 401, not a 400: it was never looked at."""
    headers = {"Content-Type": "application/json", "Content-Length": str(10**12)}
    answer = api.raw("POST", "/api/sync/who", content=b"{", headers=headers)
    assert answer.status_code == 401


class TestAnotherTeam:
    @pytest.fixture
    def other(self, api: Api) -> str:
        return access.tenant_called(api.context, "Other")

    def test_is_chosen_by_a_header_where_the_principal_belongs_to_it(self, api: Api, other: str) -> None:
        """The role is the one in that team."""
        access.add_token(
            api.context, "second", role="viewer", principal_id=api.owner.principal.id, tenant_id=other
        )
        answer = api.ask("GET", "/api/v1/who", headers={"X-Team-ID": f"team_{other}"})
        assert answer.json() == {"id": api.owner.principal.id, "tenant": other, "role": "viewer"}
        assert api.ask("GET", "/api/v1/who").json()["role"] == "owner"

    @pytest.mark.parametrize("named", ["{other}", "team_{other}", "0" * 32, "nonsense"])
    def test_is_refused_to_everybody_else(self, api: Api, other: str, named: str) -> None:
        """Whether the team exists does not show."""
        answer = api.ask("GET", "/api/v1/who", headers={"X-Team-ID": named.format(other=other)})
        assert answer.status_code == 403
        assert answer.json()["error"]["message"] == "You do not belong to this team."

    def test_that_was_left_is_closed_to_its_tokens(self, api: Api, other: str) -> None:
        """Without a membership a token opens nothing."""
        from catchment.store.access_tables import members

        made = access.add_token(api.context, "second", tenant_id=other)
        with writing(api.context.engine) as connection:
            connection.execute(members.delete().where(members.c.tenant_id == other))
            assert connection.execute(tenants.select()).all()
        assert api.ask("GET", "/api/v1/who", token=made.secret).status_code == 401


class TestACookie:
    def cookie(self, api: Api, **headers: str) -> dict[str, str]:
        return {"Cookie": f"__session={api.owner.secret}", **headers}

    def test_of_a_foreign_page_changes_nothing(self, api: Api) -> None:
        """A browser sends the cookie along whatever page asks; only our own pages may use it to write."""
        foreign = self.cookie(api, Origin="https://evil.example")
        assert api.raw("POST", "/v1/who", headers=foreign).status_code == 403
        own = self.cookie(api, Origin="http://testserver")
        assert api.raw("POST", "/v1/who", headers=own).status_code == 200

    def test_of_a_named_page_may_write(self, make_api: Callable[..., Api]) -> None:
        """The operator names the pages that belong to the installation."""
        api = make_api(cors_origins=("https://app.example",))
        api.route("/v1/who", who, method="POST")
        named = self.cookie(api, Origin="https://app.example")
        assert api.raw("POST", "/v1/who", headers=named).status_code == 200

    def test_that_is_torn_is_no_credential(self, api: Api) -> None:
        """A cookie header that cannot be read is no reason for a 500."""
        assert api.raw("GET", "/v1/who", headers={"Cookie": '__session="; ='}).status_code == 401


def test_open_paths_need_no_token(api: Api) -> None:
    """Those whose callers prove themselves otherwise are reached; there is just nothing there yet."""
    for path in (
        "/.well-known/oauth-nothing",
        "/webhooks/nothing/here",
        "/api/v1/oauth/callback/nothing%20here",
        "/v1/connectors/oauth/no-such-provider-here/authorize",
    ):
        assert api.raw("DELETE", path).status_code in (404, 405), path


def test_the_use_of_a_token_is_noted_and_written_later(api: Api) -> None:
    """Reading stays reading: the time of the last use is written beside the requests."""
    api.ask("GET", "/v1/who")
    assert access.list_tokens(api.context)[0].token.last_used_at is None
    api.app.state.uses.write()
    assert access.list_tokens(api.context)[0].token.last_used_at == api.context.clock.now()
