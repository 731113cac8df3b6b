"""An application over a real store; Prefect is away, and what needs it says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest
from fastapi import APIRouter, FastAPI
from starlette.testclient import TestClient

from catchment.api.limits import FaceRoute, LenientRoute
from catchment.conformance.empty import open_file
from catchment.core.clock import SetClock
from catchment.core.errors import Unavailable
from catchment.services import access
from catchment.services.context import Context
from tests.support.asked import Asked, asked
from tests.support.faces import client_of
from tests.support.postgres import (
    postgres_server,
    postgres_store,
    postgres_store_of_module,
    postgres_template,
)

__all__ = ["postgres_server", "postgres_store", "postgres_store_of_module", "postgres_template"]


def no_prefect() -> NoReturn:
    raise Unavailable("Prefect is away.")


def nothing() -> dict[str, str]:
    """A handler that has nothing to say."""
    return {}


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def context(tmp_path: Path, clock: SetClock) -> Iterator[Context]:
    engine = open_file(tmp_path / "catchment.db")
    yield Context(engine, connect=no_prefect, clock=clock)
    engine.dispose()


@dataclass
class Api:
    """An application, who may call it, and how it is called."""

    app: FastAPI
    client: TestClient
    context: Context
    owner: access.IssuedToken

    def route(
        self, path: str, handler: Callable[..., Any], *, method: str = "GET", lenient: bool = False
    ) -> None:
        """Add a route of the test's own."""
        router = APIRouter(route_class=LenientRoute if lenient else FaceRoute)
        router.add_api_route(path, handler, methods=[method])
        self.app.include_router(router)

    def ask(self, method: str, path: str, *, token: str | None = None, **more: Any) -> Any:
        """Send a request as the owner, or with another token."""
        headers = {"Authorization": f"Bearer {token or self.owner.secret}", **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)

    def raw(self, method: str, path: str, **more: Any) -> Any:
        """Send a request as it is, without credentials of ours."""
        return self.client.request(method, path, **more)


@pytest.fixture
def make_api(context: Context) -> Iterator[Callable[..., Api]]:
    """Makes applications over the store, with settings of the test's own; they run until the test ends."""
    owner = access.first_token(context)
    assert owner is not None

    def make(**settings: Any) -> Api:
        client: Any = running.enter_context(client_of(context, **settings))
        return Api(client.app.app, client, context, owner)

    with ExitStack() as running:
        yield make


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    return make_api()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def face(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """All faces over each kind of store, with two tenants in which something is going on."""
    store_url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_store_of_module").url
        store_url = url.render_as_string(hide_password=False)
    with asked(tmp_path_factory.mktemp("asked"), store_url) as made:
        yield made
