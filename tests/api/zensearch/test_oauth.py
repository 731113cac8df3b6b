"""Sign-ins of the ZenSearch face: begun with a state that is good once, ended by the vendor's redirect."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from catchment.kit import oauth
from catchment.services import oauth_clients
from tests.api.zensearch.conftest import Zen, refused

CALLBACK = "/oauth/callback/google_drive"


class Vendor:
    """The vendor's token endpoint."""

    def __init__(self) -> None:
        self.answer: tuple[int, Any] = 200, {"access_token": "crown-jewel", "refresh_token": "second-jewel"}
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        sent = parse_qs(request.content.decode()) if b"{" not in request.content else {}
        self.asked.append({name: values[0] for name, values in sent.items()} or json.loads(request.content))
        status, body = self.answer
        return httpx.Response(status, json=body)


@pytest.fixture
def vendor(zen: Zen, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    made = Vendor()
    exchange = oauth.Client.exchange

    def behind_the_wire(client: oauth.Client, *given: str) -> dict[str, str]:
        return exchange(client, *given, transport=httpx.MockTransport(made))

    monkeypatch.setattr(oauth.Client, "exchange", behind_the_wire)
    for name in ("google-drive", "notion", "slack"):
        client = {"client_id": "us", "client_secret": "a secret of ours"}
        oauth_clients.keep(zen.context, name, client)
    yield made


def begin(zen: Zen, **body: Any) -> tuple[str, dict[str, str]]:
    """Begin a sign-in; return its state, and the query that the vendor is sent."""
    data = zen.data("POST", "/oauth/init", json={"provider": "google_drive", **body})
    query = {name: values[0] for name, values in parse_qs(urlsplit(data["authUrl"]).query).items()}
    assert query["state"] == data["state"]
    return data["state"], query


def come_back(zen: Zen, state: str, **query: str) -> Any:
    """Come back from the vendor as a browser does: without a token."""
    parameters = {"code": "a-code", "state": state, **query}
    return zen.client.get(f"/api/v1{CALLBACK}", params=parameters)


class TestASignIn:
    def test_makes_a_connector(self, zen: Zen, vendor: Vendor) -> None:
        """The vendor is asked with our client and a proof; the connector is active, its tokens a secret."""
        state, query = begin(
            zen, collection=zen.collection, name="Drive", redirectUri="https://app.example/x?y=1"
        )
        assert query["redirect_uri"] == "http://testserver/api/v1/oauth/callback/google_drive"
        assert query["client_id"] == "us"
        answer = come_back(zen, state)
        assert answer.status_code == 302
        (made,) = zen.data("GET", "/connectors")
        assert answer.headers["location"] == f"https://app.example/x?y=1&connectorId={made['id']}"
        assert (made["name"], made["type"], made["status"]) == ("Drive", "google_drive", "active")
        assert (made["collection"], made["config"]) == (zen.collection, {})
        (asked,) = vendor.asked
        assert (asked["code"], asked["redirect_uri"]) == ("a-code", query["redirect_uri"])
        digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == query["code_challenge"]
        assert "crown-jewel" in str(zen.wire.blocks)

    def test_gives_a_connector_its_credentials(self, zen: Zen, vendor: Vendor) -> None:
        """The connector that was named becomes active; without an address to return to there is a page."""
        made = zen.create(type="google_drive", name="<b>Mine</b>").json()["data"]["id"]
        state, _ = begin(zen, connectorId=made)
        answer = come_back(zen, state)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert "&lt;b&gt;Mine" in answer.text
        assert zen.data("GET", f"/connectors/{made}")["status"] == "active"
        assert len(zen.data("GET", "/connectors")) == 1

    def test_of_a_vendor_with_words_of_its_own(self, zen: Zen, vendor: Vendor) -> None:
        """Slack's token is the bot's; Notion is asked in JSON."""
        for provider in ("slack", "notion"):
            data = zen.data("POST", "/oauth/init", json={"type": provider})
            path = f"/api/v1/oauth/callback/{provider}"
            assert zen.client.get(path, params={"code": "c", "state": data["state"]}).status_code == 200
        assert {one["status"] for one in zen.data("GET", "/connectors")} == {"active"}
        assert "bot_token" in str(zen.wire.blocks)
        assert vendor.asked[1]["grant_type"] == "authorization_code"

    def test_keeps_when_the_token_ends_where_the_provider_can_use_it(self, zen: Zen, vendor: Vendor) -> None:
        """GitHub's is renewed ahead of time; others have no such word among their credentials."""
        oauth_clients.keep(zen.context, "github", {"client_id": "us", "client_secret": "a secret of ours"})
        begun = zen.context.clock.now()
        vendor.answer = 200, {**vendor.answer[1], "expires_in": 28_800}
        for provider in ("github", "google_drive"):
            data = zen.data("POST", "/oauth/init", json={"type": provider})
            path = f"/api/v1/oauth/callback/{provider}"
            assert zen.client.get(path, params={"code": "c", "state": data["state"]}).status_code == 200
        kept = [block["data"] for block in zen.wire.blocks.values() if "crown-jewel" in str(block)]
        assert ["expires_at" in one for one in kept] == [True, False]
        assert begun + 28_800 <= kept[0]["expires_at"] <= zen.context.clock.now() + 28_800


class TestAState:
    def test_is_good_once(self, zen: Zen, vendor: Vendor) -> None:
        """Whoever repeats the redirect gets 400, and the vendor is not asked again."""
        state, _ = begin(zen)
        assert come_back(zen, state).status_code == 200
        refused(come_back(zen, state), 400, "invalid_request")
        assert len(vendor.asked) == 1

    @pytest.mark.parametrize(
        "state", ["forged", "", "x" * 4000, "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")]
    )
    def test_cannot_be_guessed(self, zen: Zen, vendor: Vendor, state: str) -> None:
        """400, and nobody is redirected."""
        begin(zen, redirectUri="https://app.example/")
        refused(come_back(zen, state), 400, "invalid_request")
        assert vendor.asked == []

    def test_belongs_to_its_provider(self, zen: Zen, vendor: Vendor) -> None:
        """A state of one vendor is none of another, nor of an unknown one."""
        state, _ = begin(zen)
        for provider in ("notion", "nobody"):
            answer = zen.client.get(
                f"/api/v1/oauth/callback/{provider}", params={"code": "c", "state": state}
            )
            refused(answer, 400, "invalid_request")
        refused(zen.client.get(f"/api/v1{CALLBACK}"), 400, "invalid_request")

    def test_grows_old(self, zen: Zen, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
        """After ten minutes it is good for nothing."""
        monkeypatch.setattr("catchment.services.oauth.LIVES_SECONDS", -1)
        state, _ = begin(zen)
        refused(come_back(zen, state), 400, "invalid_request")


class TestARefusal:
    def test_of_the_person_goes_back_to_where_it_came_from(self, zen: Zen, vendor: Vendor) -> None:
        """302 with the vendor's word, and no connector; without an address, a page."""
        state, _ = begin(zen, redirectUri="https://app.example/done")
        answer = zen.client.get(f"/api/v1{CALLBACK}", params={"error": "access_denied", "state": state})
        assert answer.headers["location"] == "https://app.example/done?error=access_denied"
        state, _ = begin(zen)
        answer = zen.client.get(f"/api/v1{CALLBACK}", params={"error": "<script>", "state": state})
        assert answer.status_code == 200
        assert "<script>" not in answer.text
        assert zen.data("GET", "/connectors") == []

    @pytest.mark.parametrize(
        "answer",
        [
            (400, {"error": "invalid_grant"}),
            (200, {"ok": False, "error": "bad"}),
            (500, {}),
            (200, ["odd"]),
            (200, {"access_token": 7}),
        ],
    )
    def test_of_the_vendor_is_told(self, zen: Zen, vendor: Vendor, answer: tuple[int, Any]) -> None:
        """502, and nothing is made."""
        vendor.answer = answer
        state, _ = begin(zen)
        refused(come_back(zen, state), 502, "source_failed")
        assert zen.data("GET", "/connectors") == []


class TestABeginning:
    def test_needs_a_client_that_the_vendor_knows(self, zen: Zen) -> None:
        """409 that says what the operator has to set."""
        answer = zen.ask("POST", "/oauth/init", json={"provider": "google_drive"})
        assert "CATCHMENT_OAUTH_GOOGLE_DRIVE_CLIENT_ID" in refused(answer, 409, "conflict")["message"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"provider": None}, "provider"),
            ({"provider": "carrier_pigeon"}, "provider"),
            ({"collection": "col_nope"}, "collection"),
            ({"connectorId": "conn_nope"}, "connectorId"),
            ({"redirectUri": "javascript:alert(1)"}, "redirectUri"),
            ({"redirectUri": "https://x\r\ny"}, "redirectUri"),
            ({"redirectUri": "//x"}, "redirectUri"),
            ({"redirectUri": "https://[x"}, "redirectUri"),
            ({"provider": "notion", "config": {"max_file_bytes": "many"}}, "config.max_file_bytes"),
        ],
    )
    def test_names_what_cannot_be(self, zen: Zen, vendor: Vendor, body: dict[str, Any], field: str) -> None:
        """400, before anybody is sent anywhere."""
        answer = zen.ask("POST", "/oauth/init", json={"provider": "google_drive", **body})
        refused(answer, 400, "invalid_request", field)

    def test_is_for_editors(self, zen: Zen, vendor: Vendor) -> None:
        """A viewer begins none, and an editor none for somebody else's connector."""
        body = {"provider": "google_drive"}
        refused(zen.ask("POST", "/oauth/init", token="viewer", json=body), 403, "forbidden")
        made = zen.create(type="google_drive").json()["data"]["id"]
        answer = zen.ask("POST", "/oauth/init", token="editor", json={**body, "connectorId": made})
        refused(answer, 403, "forbidden")

    def test_is_for_editors_of_the_space_where_it_ends(self, zen: Zen, vendor: Vendor) -> None:
        """Without a collection a new connector goes to the first one, so its space is asked, too."""
        body = {"provider": "google_drive"}
        for place in ({}, {"collection": zen.collection}):
            answer = zen.ask("POST", "/oauth/init", token="outsider", json={**body, **place})
            refused(answer, 403, "forbidden")
        assert zen.ask("POST", "/oauth/init", token="editor", json=body).status_code == 200

    def test_of_a_provider_without_one_is_refused(self, zen: Zen, vendor: Vendor) -> None:
        """Whoever signs in with keys has no sign-in in the browser."""
        refused(zen.ask("POST", "/oauth/init", json={"provider": "s3"}), 400, "invalid_request")
