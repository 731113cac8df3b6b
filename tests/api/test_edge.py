"""Ids, paths and headers: what the outermost layer promises for every request."""

from __future__ import annotations

import logging
import threading
from typing import Any, ClassVar

import pytest
from starlette.requests import Request

from catchment.api.requests import base_url
from catchment.core.settings import ApiSettings
from tests.api.conftest import Api, nothing


class TestTheRequestsId:
    def test_is_made_where_the_client_gave_none(self, api: Api) -> None:
        """Every answer has one, errors name the same."""
        answer = api.ask("GET", "/api/v1/nowhere")
        assert answer.headers["x-request-id"] == answer.json()["meta"]["requestId"]
        assert answer.headers["x-request-id"].startswith("req_")

    def test_is_the_clients_own_where_it_is_a_plain_word(self, api: Api) -> None:
        """So that a call can be followed across systems."""
        answer = api.ask("GET", "/api/v1/nowhere", headers={"X-Request-ID": "trace-7.a_B"})
        assert answer.headers["x-request-id"] == "trace-7.a_B"

    @pytest.mark.parametrize("given", ["a b", "a\r\nSet-Cookie: x=1", "", "x" * 129, "é"])
    def test_is_not_the_clients_where_it_could_do_harm(self, api: Api, given: str) -> None:
        """Nothing of it reaches a header of ours."""
        answer = api.ask("GET", "/health", headers={"X-Request-ID": given.encode("latin-1")})
        assert answer.headers["x-request-id"].startswith("req_")
        assert "set-cookie" not in answer.headers

    def test_is_in_the_log_beside_what_the_query_is_not(
        self, api: Api, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Tokens travel in queries; the log has the path alone."""
        with caplog.at_level(logging.INFO, logger="catchment.api"):
            answer = api.ask("GET", "/v1/nowhere?token=the-jewel")
        assert answer.headers["x-request-id"] in caplog.text
        assert "jewel" not in caplog.text
        assert api.owner.secret not in caplog.text


class TestAPath:
    @pytest.fixture
    def api(self, api: Api) -> Api:
        for path in ("/v1/probe", "/api/v1/probe", "/v1/webhooks/probe"):
            api.route(path, nothing)
        return api

    @pytest.mark.parametrize(
        "path", ["/v1/probe", "/v1/probe/", "/api-proxy/v1/probe", "/api-proxy/v1/probe/"]
    )
    def test_may_end_in_a_slash_and_begin_at_the_proxy(self, api: Api, path: str) -> None:
        """The same is answered, without a redirect."""
        assert api.ask("GET", path).status_code == 200

    @pytest.mark.parametrize(
        "path", ["/api-proxy/api/v1/probe", "/api-proxy/v1/webhooks/probe", "/api-proxy"]
    )
    def test_of_the_proxy_opens_no_other_face(self, api: Api, path: str) -> None:
        """What lies there is Aimable's alone, and so are its errors."""
        answer = api.ask("GET", path)
        assert answer.status_code == 404
        assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("api.example:8443", "http://api.example:8443"),
        ("[::1]:80", "http://[::1]:80"),
        ('evil"x', "http://testserver"),
        ("a/b", "http://testserver"),
        ("", "http://testserver"),
    ],
)
def test_a_host_that_is_none_is_not_repeated(api: Api, host: str, told: str) -> None:
    """The address in an answer is made of what can be part of one."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(b"host", host.encode())],
        "scheme": "http",
        "server": ("testserver", None),
        "app": api.app,
    }
    assert base_url(Request(scope)) == told


def test_the_address_of_the_settings_wins(api: Api) -> None:
    """Behind a proxy only the operator knows it."""
    api.app.state.settings = ApiSettings(public_url="https://catchment.example/")
    answer = api.raw("GET", "/graphql")
    assert '"https://catchment.example/.well-known/' in answer.headers["www-authenticate"]


def test_handlers_run_beside_each_other(api: Api) -> None:
    """A handler that waits holds up nobody: two that wait for each other both come through."""
    meeting = threading.Barrier(2, timeout=20)
    api.route("/v1/probe", lambda: meeting.wait() >= 0)
    answers = []
    callers = [
        threading.Thread(target=lambda: answers.append(api.ask("GET", "/v1/probe").status_code)) for _ in "ab"
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert answers == [200, 200]


class TestPagesOfOtherOrigins:
    ASKS: ClassVar[dict[str, str]] = {
        "Origin": "https://page.example",
        "Access-Control-Request-Method": "POST",
    }

    def test_may_use_trove_as_its_contract_says(self, api: Api) -> None:
        """Methods and headers are those of the contract, and credentials are not sent along."""
        told = api.raw("OPTIONS", "/graphql", headers=self.ASKS).headers
        assert told["access-control-allow-origin"] == "*"
        assert told["access-control-allow-methods"] == "GET, POST, DELETE, OPTIONS"
        assert told["access-control-allow-headers"] == (
            "Authorization, Content-Type, MCP-Protocol-Version, MCP-Session-Id, Accept"
        )
        assert "access-control-allow-credentials" not in told

    def test_may_read_errors_too(self, api: Api) -> None:
        """A page that is not told why cannot tell its user."""
        answer = api.raw("GET", "/v1/spaces", headers={"Origin": "https://page.example"})
        assert answer.status_code == 401
        assert answer.headers["access-control-allow-origin"] == "*"

    def test_are_refused_where_the_operator_named_others(self, make_api: Any) -> None:
        """Only the named origin gets a grant, and its cookie along."""
        api = make_api(cors_origins=("https://app.example",))
        foreign = api.raw("OPTIONS", "/graphql", headers=self.ASKS).headers
        assert "access-control-allow-origin" not in foreign
        named = api.raw("OPTIONS", "/graphql", headers={**self.ASKS, "Origin": "https://app.example"}).headers
        assert named["access-control-allow-origin"] == "https://app.example"
        assert named["access-control-allow-credentials"] == "true"


class TestTheRate:
    def test_is_not_limited_unless_asked_for(self, api: Api) -> None:
        """No limit, no headers about it."""
        assert "x-ratelimit-limit" not in api.ask("GET", "/v1/nowhere").headers

    def test_is_counted_by_token_and_told(self, make_api: Any, clock: Any) -> None:
        """Three in a minute pass, the fourth is told when to come again; the next minute is new."""
        clock.seconds = 1_750_000_020.0 - 1_750_000_020.0 % 60
        api = make_api(rate_per_minute=3)
        passed = [api.ask("GET", "/api/v1/nowhere") for _ in range(3)]
        assert [answer.status_code for answer in passed] == [404, 404, 404]
        assert [answer.headers["x-ratelimit-remaining"] for answer in passed] == ["2", "1", "0"]
        refused = api.ask("GET", "/api/v1/nowhere")
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"
        assert refused.json()["error"]["retryAfter"] == int(refused.headers["retry-after"]) == 60
        assert refused.headers["x-ratelimit-reset"] == str(int(clock.seconds) + 60)
        clock.advance(60)
        assert api.ask("GET", "/api/v1/nowhere").status_code == 404
