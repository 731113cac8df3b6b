"""The ZenSearch face over a real store; behind the wire to Prefect, runs are worked off by plain threads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from catchment.api.app import create_app
from catchment.core.home import home_settings
from catchment.core.settings import ApiSettings
from catchment.services.context import Context
from catchment.store.blobs import Blobs
from catchment.store.engine import open_engine
from tests.api.aimable.conftest import BusyWire
from tests.support.plain import PlainHouse
from tests.support.tenants import variables_of

BASE = "/api/v1"


@dataclass
class Zen:
    """A team with one collection, those who call, and ways to call."""

    client: TestClient
    context: Context
    wire: BusyWire
    variables: dict[str, str]

    @property
    def collection(self) -> str:
        """Id of the collection, as this face writes it."""
        return self.variables["zen_collection"]

    def ask(self, method: str, path: str, *, token: str = "admin", **more: Any) -> Any:
        """Send a request as one of the callers (``viewer``, ``editor``, ``outsider``, ``other_tenant``)."""
        headers = {"Authorization": f"Bearer {self.variables[f'tok_{token}']}", **more.pop("headers", {})}
        return self.client.request(method, BASE + path, headers=headers, **more)

    def data(self, method: str, path: str, **more: Any) -> Any:
        """Send a request that must succeed, and return its data."""
        answer = self.ask(method, path, **more)
        assert answer.status_code < 300, answer.text
        return answer.json()["data"]

    def create(self, *, token: str = "admin", **body: Any) -> Any:
        """Ask for a connector in the collection."""
        values = {"name": "Docs", "collection": self.collection, **body}
        return self.ask("POST", "/connectors", token=token, json=values)

    def fixture(self, *paths: str, token: str = "admin", **config: Any) -> str:
        """Make a connector over these paths, and return its path."""
        made = self.create(type="fixture", token=token, config={"items": items(*paths), **config})
        assert made.status_code == 201, made.text
        return f"/connectors/{made.json()['data']['id']}"

    def sync(self, connector: str, **body: Any) -> dict[str, Any]:
        """Sync, wait for the end, and return the job."""
        job = self.data("POST", f"{connector}/sync", json=body)["jobId"]
        self.wire.rest()
        found: dict[str, Any] = self.data("GET", f"{connector}/sync/{job}")
        return found


def items(*paths: str, version: str = "1", text: str = "words") -> list[dict[str, str]]:
    """What a fixture holds."""
    return [{"path": path, "text": f"{text} of {path}", "version": version} for path in paths]


def refused(answer: Any, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """Check that an answer is this error in this face's words, and return the error."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    assert body["meta"]["requestId"]
    if field is not None:
        assert body["error"]["details"]["field"] == field
    error: dict[str, Any] = body["error"]
    return error


@pytest.fixture
def zen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zen]:
    monkeypatch.setenv("CATCHMENT_HOME", str(tmp_path))
    monkeypatch.setenv("CATCHMENT_FIXTURE_PROVIDER", "1")
    home_settings.cache_clear()
    house = PlainHouse(tmp_path)
    wire = BusyWire(house)
    engine = open_engine(f"sqlite:///{tmp_path / 'catchment.db'}")
    context = Context(engine, connect=wire.client, blobs=Blobs(tmp_path / "blobs"))
    app = create_app(context, settings=ApiSettings())
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    variables = variables_of(context, "http://testserver")
    yield Zen(client, context, wire, {**variables, "tok_editor": _editor(context)})
    wire.rest()
    engine.dispose()
    house.engine.dispose()
    home_settings.cache_clear()


def _editor(context: Context) -> str:
    from catchment.services import access

    return access.add_token(context, "editor", role="editor").secret
