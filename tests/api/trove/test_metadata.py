"""What clients read before they have a token."""

from __future__ import annotations

from tests.api.trove.conftest import Trove


def test_the_metadata_are_open_to_all_and_name_this_address(trove: Trove) -> None:
    """RFC 9728 and RFC 8414: the resource, its issuer and how a token is sent."""
    resource = trove.client.get("/.well-known/oauth-protected-resource")
    assert resource.status_code == 200
    assert resource.json()["resource"] == "http://testserver"
    assert resource.json()["bearer_methods_supported"] == ["header"]
    assert {"profile", "email", "offline_access"} <= set(resource.json()["scopes_supported"])
    (issuer,) = resource.json()["authorization_servers"]
    server = trove.client.get("/.well-known/oauth-authorization-server")
    assert server.status_code == 200
    assert server.json()["issuer"] == issuer


def test_the_document_of_the_face_tells_statuses_and_shapes(trove: Trove) -> None:
    """Every path of the face, each with its answers and the face's own errors."""
    paths = trove.client.get("/openapi/trove.json").json()["paths"]
    assert set(paths) == {
        "/graphql",
        "/api/sync/documents",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-authorization-server",
    }
    push = paths["/api/sync/documents"]["post"]
    assert {"200", "202", "400", "401", "403", "404", "409", "413"} <= set(push["responses"])
    assert push["requestBody"]["content"]["application/json"]["schema"]["required"] == [
        "connector_id",
        "documents",
    ]
    assert "200" in paths["/graphql"]["post"]["responses"]


def test_the_cookie_of_a_browser_signs_in(trove: Trove) -> None:
    """`__session` is an alternative to the header."""
    trove.client.cookies.set("__session", trove.tokens["viewer"])
    answer = trove.client.post("/graphql", json={"query": "{ stats { totalDocuments } }"})
    assert answer.json() == {"data": {"stats": {"totalDocuments": 0}}}
