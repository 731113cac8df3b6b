"""Every error under a prefix is said in the words of its face."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from sqlalchemy.exc import OperationalError

from catchment.api.errors import problem_of
from catchment.api.faces import face_of
from catchment.core.errors import (
    AuthRejected,
    CatchmentError,
    ConfigRejected,
    Conflict,
    DiskFull,
    Forbidden,
    NotFound,
    SourceBusy,
    SourceDown,
    StoreUnavailable,
    Unavailable,
    UsageError,
)
from tests.api.conftest import Api, nothing

FACES = {"trove": "/api/sync/probe", "zensearch": "/api/v1/probe", "aimable": "/v1/probe"}


class Secretive(BaseModel):
    token: SecretStr
    number: int


def is_said_by(face: str, body: Any) -> bool:
    """Whether a body is an error in the words of this face."""
    if face == "trove":
        named = isinstance(body["error"], str) and body["errors"][0]["external_id"] is None
        return named and body["documentsIndexed"] == body["documentsSkipped"] == 0
    if face == "zensearch":
        error = body["error"]
        return {"code", "message"} <= set(error) and body["meta"]["requestId"].startswith("req_")
    return set(body) == {"detail"}


def raising(error: Exception) -> Any:
    def handler() -> None:
        raise error

    return handler


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/graphql", "trove"),
        ("/graphqlx", "house"),
        ("/api/sync/documents", "trove"),
        ("/.well-known/oauth-protected-resource", "trove"),
        ("/mcp", "trove"),
        ("/api/v1", "zensearch"),
        ("/api/v1/connectors/x", "zensearch"),
        ("/api/v2", "house"),
        ("/webhooks/connectors/github", "zensearch"),
        ("/v1/webhooks", "zensearch"),
        ("/v1/webhooks/wh_1/test", "zensearch"),
        ("/v1/webhooksx", "aimable"),
        ("/v1/spaces", "aimable"),
        ("/v1/connectors/oauth/slack/authorize", "aimable"),
        ("/api-proxy/v1/spaces", "aimable"),
        ("/api-proxy/else", "aimable"),
        ("/health", "house"),
        ("/", "house"),
    ],
)
def test_the_path_alone_decides_the_face(path: str, name: str) -> None:
    """A prefix belongs to one face, whole segments only."""
    assert face_of(path).name == name


@pytest.mark.parametrize("face", FACES)
class TestEveryFace:
    def test_says_that_a_route_is_unknown(self, api: Api, face: str) -> None:
        """404 of the framework's own is said in the face's words."""
        answer = api.ask("GET", f"{FACES[face]}/nowhere")
        assert answer.status_code == 404
        assert is_said_by(face, answer.json())

    def test_says_that_a_method_is_wrong(self, api: Api, face: str) -> None:
        """405 names the methods that are right."""
        api.route(FACES[face], nothing)
        answer = api.ask("PUT", FACES[face])
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET"
        assert is_said_by(face, answer.json())

    def test_names_every_method_of_a_path(self, api: Api, face: str) -> None:
        """Also those of other routes of the same path."""
        for method in ("PATCH", "DELETE"):
            api.route(f"{FACES[face]}/{{name}}", nothing, method=method)
        answer = api.ask("PUT", f"{FACES[face]}/x")
        assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, PATCH")

    def test_says_that_nobody_is_known(self, api: Api, face: str) -> None:
        """401 without credentials, with a way to sign in, before the route is even looked for."""
        answer = api.raw("GET", f"{FACES[face]}/nowhere")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        if face == "trove":
            assert answer.json()["error"] == "Unauthorized"
            metadata = "http://testserver/.well-known/oauth-protected-resource"
            assert answer.headers["www-authenticate"] == f'Bearer resource_metadata="{metadata}"'
        if face == "aimable":
            assert answer.json() == {"detail": "Not authenticated"}
        if face == "zensearch":
            assert answer.json()["error"]["code"] == "unauthorized"

    def test_says_that_a_bug_is_ours_and_nothing_of_it(self, api: Api, face: str) -> None:
        """An exception nobody foresaw is a 500 that repeats nothing of it."""
        api.route(FACES[face], raising(RuntimeError("the jewel")))
        answer = api.ask("GET", FACES[face])
        assert answer.status_code == 500
        assert is_said_by(face, answer.json())
        assert "jewel" not in answer.text
        assert "RuntimeError" not in answer.text

    def test_says_that_prefect_is_away(self, api: Api, face: str) -> None:
        """503 tells when to try again."""
        api.route(FACES[face], lambda: api.context.prefect)
        answer = api.ask("GET", FACES[face])
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert is_said_by(face, answer.json())

    def test_says_what_is_invalid_without_the_value(self, api: Api, face: str) -> None:
        """A secret in the wrong place does not come back."""

        def handler(body: Secretive) -> None:
            raise AssertionError(body)

        api.route(FACES[face], handler, method="POST")
        answer = api.ask("POST", FACES[face], json={"token": ["the jewel"], "number": "the jewel"})
        assert answer.status_code == (422 if face == "aimable" else 400)
        assert "jewel" not in answer.text
        assert is_said_by(face, answer.json())
        if face == "aimable":
            told = [(one["loc"], one["type"]) for one in answer.json()["detail"]]
            assert told == [(["body", "token"], "string_type"), (["body", "number"], "int_parsing")]
        if face == "zensearch":
            assert answer.json()["error"]["code"] == "invalid_request"
            assert answer.json()["error"]["details"]["field"] == "token"

    def test_says_where_a_body_stops_being_json(self, api: Api, face: str) -> None:
        """A torn body is the client's fault, and repeated nowhere."""

        def handler(body: dict[str, Any]) -> None:
            raise AssertionError(body)

        api.route(f"{FACES[face]}/json", handler, method="POST")
        headers = {"Content-Type": "application/json"}
        answer = api.ask("POST", f"{FACES[face]}/json", content=b'{"a": "the jewel', headers=headers)
        assert answer.status_code == (422 if face == "aimable" else 400)
        assert "jewel" not in answer.text
        if face == "aimable":
            assert answer.json()["detail"][0]["loc"][0] == "body"
            assert answer.json()["detail"][0]["type"] == "json_invalid"

    def test_names_the_setting_that_cannot_work(self, api: Api, face: str) -> None:
        """A refused setting is named as the face names it."""
        refused = ConfigRejected("The setting bucket cannot be used: Field required.", setting="bucket")
        api.route(FACES[face], raising(refused))
        body = api.ask("GET", FACES[face]).json()
        if face == "zensearch":
            assert body["error"]["details"]["field"] == "config.bucket"
        elif face == "aimable":
            assert body["detail"][0]["loc"] == ["body", "scope_config", "bucket"]
        else:
            assert "bucket" in body["error"]


def test_graphql_says_it_in_graphql(api: Api) -> None:
    """Errors from outside of the schema have GraphQL's shape; a part that is away is no reason for a 503."""
    answer = api.raw("POST", "/graphql")
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    api.route("/graphql", lambda: api.context.prefect, method="PATCH")
    answer = api.ask("PATCH", "/graphql")
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["extensions"] == {"code": "UNAVAILABLE"}


def test_mcp_says_it_in_json_rpc(api: Api) -> None:
    """Errors under /mcp have the shape of JSON-RPC."""
    answer = api.raw("POST", "/mcp")
    assert answer.status_code == 401
    assert answer.json()["jsonrpc"] == "2.0"
    assert answer.json()["error"]["code"] == -32603


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("x"), "not_found"),
        (Conflict("x"), "conflict"),
        (Forbidden("x"), "forbidden"),
        (Unavailable("x"), "unavailable"),
        (StoreUnavailable("x"), "unavailable"),
        (DiskFull("x"), "unavailable"),
        (ConfigRejected("x"), "invalid"),
        (UsageError("x"), "invalid"),
        (AuthRejected("x"), "source_failed"),
        (SourceDown("x"), "source_failed"),
        (OperationalError("SELECT 1", {}, Exception("database is locked")), "unavailable"),
        (CatchmentError("x"), "internal"),
        (ValueError("x"), "internal"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_errors_mean(error: Exception, code: str) -> None:
    """Each class of error has its meaning; what none fits is a bug."""
    assert problem_of(error).code == code


def test_a_busy_source_says_when_to_try_again() -> None:
    """The wait that the source asks for is handed on, in whole seconds."""
    assert problem_of(SourceBusy("x", retry_after_seconds=1.2)).headers == {"Retry-After": "2"}
