"""Secrets inside of a connector's URLs: refused by every face, and repeated by none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from catchment.core.secrets import MARK
from catchment.services import oauth_clients
from catchment.store.engine import reading
from catchment.store.tables import metadata
from tests.support.faces import Served, served

CANARY = "canary4711"
URLS = (
    f"https://ann:{CANARY}@wiki.example.org/",
    f"postgresql://ann:{CANARY}@db.example.org/shop",
    f"https://{CANARY}@wiki.example.org/",
    f"https://files.example.org/a?X-Amz-Signature={CANARY}",
    f"https://feeds.example.org/rss?token={CANARY}",
)
WHERE = "give it as credentials"
MAKE = "mutation M($input: CreateConnectorInput!) { createConnector(input: $input) { id config } }"
CHANGE = (
    "mutation M($id: ID!, $to: UpdateConnectorInput!) { updateConnector(id: $id, input: $to) { config } }"
)
Create = Callable[[Served, str, dict[str, Any]], Any]


@pytest.fixture
def face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with served(tmp_path, monkeypatch) as made:
        yield made


def ask(face: Served, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Send a request as an admin."""
    signed = {"Authorization": f"Bearer {face.variables['tok_admin']}", **headers}
    return face.client.request(method, path, json=body, headers=signed)


def at_trove(face: Served, provider: str, config: dict[str, Any]) -> Any:
    made = {"connectorType": provider, "name": "n", "execution": "CLOUD", "config": config}
    return ask(face, "POST", "/graphql", {"query": MAKE, "variables": {"input": made}})


def at_zensearch(face: Served, provider: str, config: dict[str, Any]) -> Any:
    made = {"type": provider, "name": "n", "collection": face.variables["zen_collection"], "config": config}
    return ask(face, "POST", "/api/v1/connectors", made)


def tried_at_zensearch(face: Served, provider: str, config: dict[str, Any]) -> Any:
    return ask(face, "POST", "/api/v1/connectors/test", {"type": provider, "config": config})


def at_aimable(face: Served, provider: str, config: dict[str, Any]) -> Any:
    made = {"provider_slug": provider, "credential": {"access_token": "t"}, "scope_config": config}
    return ask(face, "POST", path_at_aimable(face), made, **{"Idempotency-Key": "k"})


def path_at_aimable(face: Served) -> str:
    spaces = f"/v1/spaces/{face.variables['space_id']}"
    return f"{spaces}/collections/{face.variables['collection_id']}/connectors"


def message_of(answer: Any) -> str:
    """Return what a face says is wrong, after a look at how it says so."""
    body = answer.json()
    if answer.status_code == 200:
        (error,) = body["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        return str(error["message"])
    if answer.status_code == 422:
        (detail,) = body["detail"]
        assert detail["loc"][:2] == ["body", "scope_config"]
        return str(detail["msg"])
    assert answer.status_code == 400, answer.text
    assert body["error"]["details"]["field"].startswith("config.")
    return str(body["error"]["message"])


def everything_written(face: Served) -> str:
    """Return all rows of the store, and all that Prefect was sent."""
    with reading(face.context.engine) as connection:
        rows = [list(connection.execute(select(table))) for table in metadata.sorted_tables]
    return repr(rows) + repr(face.wire.bodies)


@pytest.mark.parametrize("create", [at_trove, at_zensearch, tried_at_zensearch, at_aimable])
def test_a_url_with_a_secret_becomes_no_setting(
    face: Served, create: Create, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the provider, known or not to be read yet: the answer names the field and where it belongs."""
    for url in URLS:
        for provider, setting in (("confluence", "instanceUrl"), ("github", "anything")):
            answer = create(
                face, provider, {setting: url} | ({"deep": [url]} if provider == "github" else {})
            )
            message = message_of(answer)
            assert setting in message
            assert WHERE in message
            assert CANARY not in answer.text
    assert CANARY not in everything_written(face)
    assert CANARY not in caplog.text


def test_a_setting_that_is_missing_does_not_let_one_in(face: Served) -> None:
    """A connector that waits for its settings is stored as it was sent, so it is looked at as well."""
    assert WHERE in message_of(at_trove(face, "s3", {"endpoint": URLS[0]}))
    assert CANARY not in everything_written(face)


def test_a_change_brings_none_in(face: Served) -> None:
    """Through no face; the connector stays as it was."""
    made = at_aimable(face, "confluence", {"instanceUrl": "https://wiki.example.org"}).json()["data"]["id"]
    zen = ask(face, "PUT", f"/api/v1/connectors/{made}", {"config": {"instanceUrl": URLS[0]}})
    aimable = ask(
        face, "PATCH", f"{path_at_aimable(face)}/{made}", {"scope_config": {"instanceUrl": URLS[0]}}
    )
    variables = {"id": made, "to": {"config": {"instanceUrl": URLS[0]}}}
    trove = ask(face, "POST", "/graphql", {"query": CHANGE, "variables": variables})
    for answer in (zen, aimable, trove):
        assert WHERE in message_of(answer)
        assert CANARY not in answer.text
    shown = ask(face, "GET", f"/api/v1/connectors/{made}").json()["data"]
    assert shown["config"] == {"instanceUrl": "https://wiki.example.org"}


def test_a_sign_in_takes_none_along(face: Served) -> None:
    """Settings of the connector that a sign-in in the browser will make are looked at when it begins."""
    oauth_clients.keep(face.context, "confluence", {"client_id": "us", "client_secret": "ours"})
    for config in ({"instanceUrl": URLS[0]}, {"instanceUrl": "https://w.example.org", "api_token": CANARY}):
        answer = ask(face, "POST", "/api/v1/oauth/init", {"provider": "confluence", "config": config})
        assert "credentials" in message_of(answer)
        assert CANARY not in answer.text
    assert CANARY not in everything_written(face)


def test_of_a_connector_that_is_pushed_to_only_a_mark_stays(face: Served) -> None:
    """Nothing is fetched with it, so it is not kept; every face shows the rest."""
    made = {"connectorType": "wiki", "name": "n", "execution": "LOCAL", "config": {"from": URLS[0]}}
    told = ask(face, "POST", "/graphql", {"query": MAKE, "variables": {"input": made}}).json()["data"]
    marked = {"from": f"https://ann:{MARK}@wiki.example.org/"}
    assert told["createConnector"]["config"] == marked
    connector = told["createConnector"]["id"]
    aimable = f"{path_at_aimable(face)}/{connector}"
    told = ask(face, "PATCH", aimable, {"scope_config": {"from": URLS[0]}}).json()["data"]
    assert told["scope_config"] == marked
    told = ask(face, "PUT", f"/api/v1/connectors/{connector}", {"config": {"from": URLS[4]}}).json()["data"]
    assert told["config"] == {"from": f"https://feeds.example.org/rss?token={MARK}"}
    assert CANARY not in everything_written(face)
