"""What holds for every route of the ZenSearch face."""

from __future__ import annotations

from typing import Any

import pytest

from catchment.services import connectors
from catchment.store import connectors as connector_store
from catchment.store.engine import reading
from tests.api.zensearch.conftest import Zen, refused


@pytest.fixture
def operations(zen: Zen) -> dict[tuple[str, str], dict[str, Any]]:
    """The operations of the face's document, by method and path."""
    paths = zen.client.get("/openapi/zensearch.json").json()["paths"]
    return {(method.upper(), path): one for path, item in paths.items() for method, one in item.items()}


ROUTES = """
GET /connectors
POST /connectors
POST /connectors/test
GET /connectors/{connector_id}
PUT /connectors/{connector_id}
DELETE /connectors/{connector_id}
POST /connectors/{connector_id}/test
POST /connectors/{connector_id}/sync
GET /connectors/{connector_id}/sync/{job_id}
POST /connectors/{connector_id}/refresh-permissions
GET /connectors/{connector_id}/documents
GET /connectors/{connector_id}/documents/{document_id}
DELETE /connectors/{connector_id}/documents/{document_id}
GET /connectors/{connector_id}/files
POST /connectors/{connector_id}/files/upload
DELETE /connectors/{connector_id}/files
GET /documents/{document_id}
GET /documents/{document_id}/content
GET /documents/{document_id}/summary
DELETE /documents/{document_id}
POST /oauth/init
GET /oauth/callback/{provider}
GET /collections
POST /collections
GET /collections/{collection_id}
PUT /collections/{collection_id}
DELETE /collections/{collection_id}
POST /collections/{collection_id}/refresh-stats
POST /search
POST /search/faceted
"""


def routes() -> list[tuple[str, str]]:
    return [(line.split()[0], line.split()[1]) for line in ROUTES.strip().splitlines()]


def test_every_route_tells_what_it_sends(operations: dict[tuple[str, str], dict[str, Any]]) -> None:
    """The document has each route with the shape of its success, and of its errors."""
    for method, path in routes():
        operation = operations[method, f"/api/v1{path}"]
        statuses = set(operation["responses"])
        (success,) = (status for status in statuses if status in ("200", "201", "202"))
        if "callback" not in path:
            schema = operation["responses"][success]["content"]["application/json"]["schema"]
            assert schema["$ref"].startswith("#/components/schemas/"), (method, path)
        assert {"400", "401", "403", "404", "409", "503"} <= statuses, (method, path)
        assert "422" not in statuses
        if "requestBody" in operation:
            assert "413" in statuses, (method, path)
    ids = [operation["operationId"] for operation in operations.values()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("method", "path"), routes())
def test_nobody_gets_in_without_a_token(zen: Zen, method: str, path: str) -> None:
    """401 on every route but the one that the vendor's browser comes back to."""
    filled = path.format(
        connector_id="conn_x", job_id="job_x", document_id="doc_x", collection_id="col_x", provider="slack"
    )
    answer = zen.client.request(method, f"/api/v1{filled}")
    if "callback" in path:
        refused(answer, 400, "invalid_request")
    else:
        refused(answer, 401, "unauthorized")


@pytest.mark.parametrize(
    "raw", [b"{", b'"x"', b"[]", b'{"name": "\\u0000"}', b'{"name": "\\ud800"}', b"\xff"]
)
def test_no_body_is_an_error_of_ours(zen: Zen, raw: bytes) -> None:
    """400 for whatever is no body of the route."""
    path = zen.fixture("a.md")
    headers = {"Content-Type": "application/json"}
    for method, where in (
        ("POST", "/connectors"),
        ("PUT", path),
        ("POST", "/connectors/test"),
        ("POST", "/collections"),
        ("POST", "/search"),
        ("POST", "/oauth/init"),
        ("DELETE", f"{path}/files"),
    ):
        refused(zen.ask(method, where, content=raw, headers=headers), 400, "invalid_request")


def test_every_answer_says_its_request_and_time(zen: Zen) -> None:
    """The envelope of the documentation."""
    answer = zen.ask("GET", "/connectors")
    meta = answer.json()["meta"]
    assert meta["requestId"] == answer.headers["x-request-id"]
    assert meta["requestId"].startswith("req_")
    assert meta["timestamp"].endswith("Z")


def test_a_secret_in_old_settings_is_not_shown(zen: Zen) -> None:
    """What another way of making connectors left in their settings is masked here."""
    with reading(zen.context.engine) as connection:
        tenant = connector_store.default_tenant(connection)
    row = connectors.add(
        zen.context,
        "my_own",
        {"apiToken": "crown-jewel", "deep": [{"password": "crown-jewel"}], "folder": "x"},
        pushed=True,
        tenant_id=tenant,
    )
    answer = zen.ask("GET", f"/connectors/{row.id}")
    assert answer.json()["data"]["type"] == "my_own"
    assert answer.json()["data"]["config"]["folder"] == "x"
    assert "jewel" not in answer.text
