"""A face over a real store: an application, those who call it, and a Prefect that is a wire."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
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
from catchment.store.sealed import KeyFile
from tests.cli.prefect_wire import Wire
from tests.support.plain import PlainHouse
from tests.support.prompt import Prompt
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
class Served:
    """An application that is served.

    Attributes:
        client: Sends requests to it; an error of ours is an answer 500.
        context: What its services work with.
        wire: The Prefect behind it.
        variables: Names that the contract's cases have for tenants, tokens and ids.
    """

    client: TestClient
    context: Context
    wire: BusyWire
    variables: dict[str, str]


def client_of(context: Context, **settings: Any) -> TestClient:
    """Put an application on a store, and return what sends requests to it.

    Its ``app`` watches how long each takes; the application stands behind it.
    """
    app = create_app(context, settings=ApiSettings(**settings))
    return TestClient(Prompt(app), raise_server_exceptions=False, follow_redirects=False)


@contextmanager
def served(home: Path, monkeypatch: pytest.MonkeyPatch, store_url: str | None = None) -> Iterator[Served]:
    """Serve a home with the fixture provider; runs are worked off by plain threads.

    The store lies in the home, unless another is named.
    """
    monkeypatch.setenv("CATCHMENT_HOME", str(home))
    monkeypatch.setenv("CATCHMENT_FIXTURE_PROVIDER", "1")
    home_settings.cache_clear()
    store_url = store_url or f"sqlite:///{home / 'catchment.db'}"
    house = PlainHouse(home, store_url=store_url)
    wire = BusyWire(house)
    engine = open_engine(store_url)
    context = Context(engine, connect=wire.client, blobs=Blobs(home / "blobs"), key=KeyFile(home / "key"))
    with client_of(context) as client:  # which starts the application once, not for each request
        yield Served(client, context, wire, variables_of(context, "http://testserver"))
    wire.rest()
    engine.dispose()
    house.engine.dispose()
    home_settings.cache_clear()
