"""Signing in to a provider in the browser, with the provider's side behind a wire."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from catchment.kit import oauth
from catchment.services import access, oauth_clients
from catchment.services.access import IssuedToken
from catchment.store.access import set_space_roles
from catchment.store.engine import writing
from tests.api.aimable.conftest import Aimable
from tests.api.aimable.test_connectors import told

DRIVE = "/v1/connectors/oauth/google-drive"


@pytest.fixture
def drive(aimable: Aimable, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, list[str]]]:
    """A Google that grants everything; what it was asked for."""
    asked: list[dict[str, list[str]]] = []

    def grant(request: httpx.Request) -> httpx.Response:
        asked.append(parse_qs(request.content.decode()))
        return httpx.Response(200, json={"access_token": "granted", "refresh_token": "renews"})

    def exchange(client: oauth.Client, *words: str) -> dict[str, str]:
        return whole(client, *words, transport=httpx.MockTransport(grant))

    whole = oauth.Client.exchange
    monkeypatch.setattr(oauth.Client, "exchange", exchange)
    client = {"client_id": "us", "client_secret": "the jewel"}
    oauth_clients.keep(aimable.context, "google-drive", client)
    return asked


def place(aimable: Aimable, **more: str) -> dict[str, str]:
    names = ("space_id", "collection_id")
    return {**{name: aimable.variables[name] for name in names}, **more}


def begin(aimable: Aimable, **more: str) -> dict[str, Any]:
    """Begin a sign-in as a program does; return the query that the provider gets."""
    headers = {"Accept": "application/json"}
    answer = aimable.ask("GET", f"{DRIVE}/authorize", params=place(aimable, **more), headers=headers)
    assert answer.status_code == 200, answer.text
    return {k: v[0] for k, v in parse_qs(urlsplit(answer.json()["data"]["authorization_url"]).query).items()}


class TestAuthorize:
    def test_sends_a_browser_on(self, aimable: Aimable, drive: Any) -> None:
        """302 to the provider; the token may stand in the address, where a popup can send no header."""
        query = place(aimable, token=aimable.variables["tok_admin"])
        answer = aimable.client.get(f"{DRIVE}/authorize", params=query)
        assert answer.status_code == 302
        there = urlsplit(answer.headers["location"])
        assert there.hostname == "accounts.google.com"
        sent = parse_qs(there.query)
        assert sent["redirect_uri"] == [f"http://testserver{DRIVE}/callback"]
        assert aimable.variables["tok_admin"] not in answer.headers["location"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"

    def test_asks_who_it_is_first(self, aimable: Aimable, drive: Any) -> None:
        """401 before anything else is looked at; a bad header is not made good by a good token."""
        good = aimable.variables["tok_admin"]
        assert aimable.client.get(f"{DRIVE}/authorize").status_code == 401
        assert aimable.client.get(f"{DRIVE}/authorize", params={"token": "bad"}).status_code == 401
        headers = {"Authorization": "Bearer bad"}
        answer = aimable.client.get(f"{DRIVE}/authorize", params=place(aimable, token=good), headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})

    def test_refuses_what_cannot_be(self, aimable: Aimable, drive: Any) -> None:
        """Missing ids, strangers, viewers, unknown providers, pages that are none."""
        path = f"{DRIVE}/authorize"
        missing = told(aimable.ask("GET", path))
        assert sorted(missing) == [(["query", name], "missing") for name in ("collection_id", "space_id")]
        assert aimable.ask("GET", path, token="viewer", params=place(aimable)).status_code == 403
        assert aimable.ask("GET", path, token="other_tenant", params=place(aimable)).status_code == 404
        nobody = aimable.ask("GET", path.replace("google-drive", "nobody"), params=place(aimable))
        assert nobody.status_code == 404
        unset = aimable.ask("GET", path.replace("google-drive", "slack"), params=place(aimable))
        assert unset.status_code == 409
        odd = place(aimable, redirect_uri="javascript:alert(1)")
        assert told(aimable.ask("GET", path, params=odd))[0][0] == ["query", "redirect_uri"]
        foreign = place(aimable, tenant_id=aimable.variables["space_id"])
        assert aimable.ask("GET", path, params=foreign).status_code == 403


class TestTheRole:
    """An editor of the space signs in there, whatever the tenant calls it; nobody else does."""

    def member(self, aimable: Aimable, role: str, tenant_role: str = "viewer") -> IssuedToken:
        """Make a principal with a role in the space."""
        space = aimable.variables["space_id"].replace("-", "")
        issued = access.add_token(aimable.context, "guest", role=tenant_role, space_roles={space: role})
        aimable.variables["tok_guest"] = issued.secret
        return issued

    def begun(self, aimable: Aimable) -> str:
        """Begin a sign-in as that principal; return its state."""
        headers = {"Accept": "application/json"}
        answer = aimable.ask(
            "GET", f"{DRIVE}/authorize", token="guest", params=place(aimable), headers=headers
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["state"])

    def test_of_the_space_suffices(self, aimable: Aimable, drive: Any) -> None:
        """A viewer of the tenant who is editor of the space makes a connector there."""
        self.member(aimable, "editor")
        query = {"code": "c", "state": self.begun(aimable)}
        assert aimable.client.get(f"{DRIVE}/callback", params=query).status_code == 200
        (made,) = aimable.ask("GET", aimable.connectors).json()["data"]
        assert made["status"] == "active"

    def test_of_the_space_is_needed(self, aimable: Aimable, drive: Any) -> None:
        """An editor of the tenant who is a viewer of the space begins nothing."""
        self.member(aimable, "viewer", "editor")
        answer = aimable.ask("GET", f"{DRIVE}/authorize", token="guest", params=place(aimable))
        assert answer.status_code == 403

    @pytest.mark.parametrize("now", ["viewer", None])
    def test_is_looked_at_again_in_the_end(self, aimable: Aimable, drive: Any, now: str | None) -> None:
        """Who has lost it meanwhile ends nothing, editor of the tenant or not; nobody asks Google."""
        issued = self.member(aimable, "editor", "editor")
        state = self.begun(aimable)
        with writing(aimable.context.engine) as connection:
            space = aimable.variables["space_id"].replace("-", "")
            set_space_roles(connection, issued.principal.id, {space: now}, now=0.0)
        answer = aimable.client.get(f"{DRIVE}/callback", params={"code": "c", "state": state})
        assert answer.status_code == 403
        assert drive == []
        assert aimable.ask("GET", aimable.connectors).json()["data"] == []


class TestCallback:
    def test_makes_a_connector_that_can_be_synced(self, aimable: Aimable, drive: Any) -> None:
        """Without a connector_id one is made in the collection; a page tells how it went."""
        sent = begin(aimable)
        answer = aimable.client.get(f"{DRIVE}/callback", params={"code": "c", "state": sent["state"]})
        assert answer.status_code == 200
        assert "Signed in" in answer.text
        assert drive[0]["code"] == ["c"]
        (made,) = aimable.ask("GET", aimable.connectors).json()["data"]
        assert (made["provider_slug"], made["status"]) == ("google-drive", "active")
        again = aimable.client.get(f"{DRIVE}/callback", params={"code": "c", "state": sent["state"]})
        assert told(again) == [(["query", "state"], "value_error")]

    def test_signs_a_connector_in_and_returns(self, aimable: Aimable, drive: Any) -> None:
        """A named connector gets the credential; the browser goes where the client wanted it."""
        made = aimable.create(provider_slug="google-drive", credential={}).json()["data"]
        sent = begin(aimable, connector_id=made["id"], redirect_uri="https://app.example/done?tab=1")
        answer = aimable.client.get(f"{DRIVE}/callback", params={"code": "c", "state": sent["state"]})
        assert answer.status_code == 302
        assert answer.headers["location"] == f"https://app.example/done?tab=1&connector_id={made['id']}"
        assert aimable.ask("GET", f"{aimable.connectors}/{made['id']}").json()["data"]["status"] == "active"

    def test_tells_that_the_person_said_no(self, aimable: Aimable, drive: Any) -> None:
        """Nothing is made; the word of the provider goes to the client's page."""
        sent = begin(aimable, redirect_uri="https://app.example/done")
        query = {"error": "access_denied", "state": sent["state"]}
        answer = aimable.client.get(f"{DRIVE}/callback", params=query)
        assert answer.headers["location"] == "https://app.example/done?error=access_denied"
        assert aimable.ask("GET", aimable.connectors).json()["data"] == []

    def test_writes_nothing_of_the_request_into_its_page(self, aimable: Aimable, drive: Any) -> None:
        """What looks like markup stays text."""
        sent = begin(aimable)
        query = {"error": "<script>alert(1)</script>", "state": sent["state"]}
        answer = aimable.client.get(f"{DRIVE}/callback", params=query)
        assert "<script>" not in answer.text

    @pytest.mark.parametrize("query", [{}, {"state": "forged", "code": "c"}, {"state": "\u00e9" * 900}])
    def test_refuses_a_state_that_was_never_handed_out(
        self, aimable: Aimable, drive: Any, query: dict[str, str]
    ) -> None:
        """422, and nobody is asked anything."""
        assert told(aimable.client.get(f"{DRIVE}/callback", params=query))[0][0] == ["query", "state"]
        assert drive == []
