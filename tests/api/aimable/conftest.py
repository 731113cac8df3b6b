"""The Aimable face over a real store; behind the wire to Prefect, runs are worked off by plain threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from catchment.api.app import create_app
from catchment.core.home import home_settings
from catchment.core.settings import ApiSettings
from catchment.services.context import Context
from catchment.store.blobs import Blobs
from catchment.store.engine import open_engine
from tests.cli.prefect_wire import Wire
from tests.support.plain import PlainHouse
from tests.support.tenants import variables_of


class BusyWire(Wire):
    """Works flow runs off beside the request that asked for them, as a worker does."""

    def __init__(self, house: PlainHouse) -> None:
        super().__init__(lambda: house)
        self.works = False
        self.has_worker = True
        self._workers = ThreadPoolExecutor(4)
        self._at_work: list[Future[None]] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; a flow run that was made is begun."""
        answer = super().answer(request)
        if self.has_worker and request.url.path.endswith("/create_flow_run"):
            self._at_work.append(self._workers.submit(self.work, answer.json()["id"]))
        return answer

    def rest(self) -> None:
        """Wait until everything that was asked for is done."""
        for work in self._at_work:
            work.result(60)


@dataclass
class Aimable:
    """A tenant with one collection, those who call, and ways to call."""

    client: TestClient
    context: Context
    wire: BusyWire
    variables: dict[str, str]
    _keys: list[int] = field(default_factory=lambda: [0])

    @property
    def space(self) -> str:
        """Path of the space."""
        return f"/v1/spaces/{self.variables['space_id']}"

    @property
    def collection(self) -> str:
        """Path of the collection."""
        return f"{self.space}/collections/{self.variables['collection_id']}"

    @property
    def connectors(self) -> str:
        """Path of its connectors."""
        return f"{self.collection}/connectors"

    def ask(self, method: str, path: str, *, token: str | None = None, **more: Any) -> Any:
        """Send a request as admin, or as another (``viewer``, ``outsider``, ``other_tenant``)."""
        secret = self.variables[f"tok_{token or 'admin'}"]
        headers = {"Authorization": f"Bearer {secret}", **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)

    def create(self, *, key: str | None = None, token: str | None = None, **body: Any) -> Any:
        """Ask for a connector, under a key of its own unless one is given."""
        self._keys[0] += 1
        headers = {"Idempotency-Key": key or f"key-{self._keys[0]}"}
        return self.ask("POST", self.connectors, token=token, headers=headers, json=body)

    def fixture(self, *paths: str, **config: Any) -> str:
        """Make a connector over these paths and return its path."""
        items = [{"path": path, "text": f"text of {path}", "version": "1"} for path in paths]
        made = self.create(provider_slug="fixture", scope_config={"items": items, **config})
        assert made.status_code == 201, made.text
        return f"{self.connectors}/{made.json()['data']['id']}"


@pytest.fixture
def aimable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aimable]:
    monkeypatch.setenv("CATCHMENT_HOME", str(tmp_path))
    monkeypatch.setenv("CATCHMENT_FIXTURE_PROVIDER", "1")
    home_settings.cache_clear()
    house = PlainHouse(tmp_path)
    wire = BusyWire(house)
    engine = open_engine(f"sqlite:///{tmp_path / 'catchment.db'}")
    context = Context(engine, connect=wire.client, blobs=Blobs(tmp_path / "blobs"))
    yield made_of(context, wire)
    wire.rest()
    engine.dispose()
    house.engine.dispose()
    home_settings.cache_clear()


def made_of(context: Context, wire: BusyWire) -> Aimable:
    """Put a face and those who call it on a store."""
    app = create_app(context, settings=ApiSettings())
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    return Aimable(client, context, wire, variables_of(context, "http://testserver"))
