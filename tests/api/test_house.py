"""What belongs to no face: health, readiness, figures, documents."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from catchment.api.app import create_app
from catchment.core.settings import ApiSettings
from catchment.services.context import Context
from catchment.store.engine import open_engine
from tests.api.conftest import Api, no_prefect, nothing


class Healthy:
    """A Prefect that answers."""

    def is_healthy(self) -> bool:
        return True


def test_health_needs_nobody(api: Api) -> None:
    """The process lives, whatever else is away."""
    answer = api.raw("GET", "/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": "v1"}


class TestReady:
    def test_names_the_part_that_is_away(self, api: Api) -> None:
        """503 while Prefect is away."""
        answer = api.raw("GET", "/ready")
        assert answer.status_code == 503
        assert answer.json() == {"status": "unavailable", "store": "ok", "prefect": "unavailable"}

    def test_is_ok_when_all_answer(self, context: Context) -> None:
        """200 when store and Prefect answer."""
        working = Context(context.engine, connect=Healthy)  # type: ignore[arg-type]
        client = TestClient(create_app(working, settings=ApiSettings()))
        assert client.get("/ready").json() == {"status": "ok", "store": "ok", "prefect": "ok"}

    def test_notices_a_store_of_another_revision(self, tmp_path: Any) -> None:
        """A store that must be migrated first is no store to work with."""
        empty = Context(open_engine(f"sqlite:///{tmp_path / 'other.db'}"), connect=no_prefect)
        client = TestClient(create_app(empty, settings=ApiSettings()))
        assert client.get("/ready").json()["store"] == "usage"


def test_metrics_count_requests_by_face(api: Api) -> None:
    """Requests by face, method and status; and how the store stands."""
    api.ask("GET", "/v1/nowhere")
    api.ask("BREW", "/v1/nowhere")
    text = api.raw("GET", "/metrics").text
    assert 'catchment_http_requests_total{face="aimable",method="GET",status="404"} 1.0' in text
    assert 'method="other"' in text
    assert "BREW" not in text
    assert "catchment_store_up 1.0" in text
    assert "catchment_documents 0.0" in text


class TestTheDocuments:
    def test_of_a_face_have_its_routes_alone(self, api: Api) -> None:
        """One document for each face."""
        api.route("/v1/probe", nothing)
        zensearch = api.raw("GET", "/openapi/zensearch.json").json()
        aimable = api.raw("GET", "/openapi/aimable.json").json()
        assert "/api/v1/tokens" in zensearch["paths"]
        assert all(path.startswith(("/api/v1", "/webhooks", "/v1/webhooks")) for path in zensearch["paths"])
        assert "/v1/probe" in aimable["paths"]
        assert "/api/v1/tokens" not in aimable["paths"]
        assert api.raw("GET", "/openapi/trove.json").status_code == 200

    def test_of_a_face_have_its_shapes_alone_by_their_plain_names(self, api: Api) -> None:
        """Shapes that two faces call the same are told apart by the document that they stand in."""
        for face in ("zensearch", "aimable"):
            document = api.raw("GET", f"/openapi/{face}.json").json()
            shapes = document["components"]["schemas"]
            assert {"Connector", f"{face.capitalize()}Error"} <= set(shapes)
            assert not any("__" in name for name in shapes)
            referred = set(re.findall(r"#/components/schemas/([^\"]+)", json.dumps(document)))
            assert referred == set(shapes)

    def test_of_all_have_every_route(self, api: Api) -> None:
        """/docs shows all."""
        paths = api.raw("GET", "/openapi.json").json()["paths"]
        assert {"/health", "/ready", "/api/v1/tokens"} <= set(paths)
        page = api.raw("GET", "/docs")
        assert page.status_code == 200
        for file in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
            assert api.raw("GET", file).status_code == 200, file

    def test_are_drawn_by_files_of_our_own(self, api: Api) -> None:
        """The page names no other host, its policy lets none in, and only its own files lie below it."""
        page = api.raw("GET", "/docs")
        assert "://" not in page.text
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert "http" not in policy and "'unsafe-eval'" not in policy
        for other in ("redoc.standalone.js", "..%2fcore.py", "__init__.py", "oauth2-redirect"):
            assert api.raw("GET", f"/docs/{other}").status_code == 404

    def test_tell_the_errors_that_a_face_really_says(self, api: Api) -> None:
        """No face answers a wrong body with the framework's own shape."""
        document = api.raw("GET", "/openapi/zensearch.json").json()
        responses = document["paths"]["/api/v1/tokens"]["post"]["responses"]
        assert "422" not in responses
        shape = responses["400"]["content"]["application/json"]["schema"]
        assert shape == {"$ref": "#/components/schemas/ZensearchError"}
        assert set(document["components"]["schemas"]["ZensearchError"]["required"]) == {"error", "meta"}
        assert {"401", "403", "404", "409", "429", "503"} <= set(responses)
        assert document["paths"]["/api/v1/tokens"]["post"]["security"]


@pytest.mark.parametrize("path", ["/nowhere", "/api/v2/connectors", "/"])
def test_what_belongs_to_nobody_is_not_there(api: Api, path: str) -> None:
    """A plain 404 in JSON."""
    answer = api.raw("GET", path)
    assert answer.status_code == 404
    assert answer.json() == {"error": "There is nothing here."}
