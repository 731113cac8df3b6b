"""The Trove face over a real store; Prefect is a wire whose flow runs are worked off at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from catchment.kit import registry
from catchment.services import access
from catchment.services.context import Context
from catchment.store.blobs import Blobs
from tests.cli.prefect_wire import Wire
from tests.support.faces import client_of
from tests.support.plain import PlainHouse


@dataclass
class Trove:
    """The face, and who may call it."""

    client: TestClient
    context: Context
    house: PlainHouse
    wire: Wire
    tokens: dict[str, str]

    def post(self, path: str, body: Any, *, token: str = "admin", **more: Any) -> Any:
        """Send JSON as one of the callers."""
        headers = {"Authorization": f"Bearer {self.tokens[token]}", **more.pop("headers", {})}
        return self.client.post(path, json=body, headers=headers, **more)

    def answer(self, query: str, *, token: str = "admin", **variables: Any) -> dict[str, Any]:
        """Carry out a query, and return data and errors."""
        answer = self.post("/graphql", {"query": query, "variables": variables}, token=token)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ask(self, query: str, *, token: str = "admin", **variables: Any) -> Any:
        """Carry out a query that must succeed, and return its data."""
        found = self.answer(query, token=token, **variables)
        assert "errors" not in found, found
        return found["data"]

    def code(self, query: str, *, token: str = "admin", **variables: Any) -> str:
        """Carry out a query that must fail, and return the code of its error."""
        found = self.answer(query, token=token, **variables)
        (error,) = found["errors"]
        assert isinstance(error["message"], str)
        return str(error["extensions"]["code"])

    def local(self, name: str = "Notes", config: Any = None, *, token: str = "admin", **more: Any) -> str:
        """Make a connector that is pushed to, and return its id."""
        made = {"connectorType": "notion", "name": name, "execution": "LOCAL", "config": config or {}, **more}
        return self.made(made, token=token)

    def cloud(self, config: Any, kind: str = "fixture", *, token: str = "admin", **more: Any) -> str:
        """Make a connector that fetches by itself, and return its id."""
        return self.made(
            {"connectorType": kind, "name": kind, "execution": "CLOUD", "config": config, **more}, token=token
        )

    def made(self, values: dict[str, Any], *, token: str = "admin") -> str:
        query = "mutation M($input: CreateConnectorInput!) { createConnector(input: $input) { id } }"
        return str(self.ask(query, token=token, input=values)["createConnector"]["id"])

    def push(self, connector_id: str, *documents: dict[str, Any], token: str = "admin", **more: Any) -> Any:
        """Push documents, and return the answer."""
        body = {"connector_id": connector_id, "documents": list(documents), **more}
        return self.post("/api/sync/documents", body, token=token)

    def texts(self, connector_id: str, **texts: str) -> None:
        """Push some texts by their ids."""
        done = self.push(connector_id, *({"external_id": key, "text": text} for key, text in texts.items()))
        assert done.json()["documentsIndexed"] == len(texts), done.text


def items(*paths: str, text: str = "words", version: str = "1") -> dict[str, Any]:
    """Settings of a fixture."""
    return {"items": [{"path": path, "text": f"{text} of {path}", "version": version} for path in paths]}


@pytest.fixture
def trove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trove]:
    """The face over SQLite."""
    with opened(tmp_path, monkeypatch) as made:
        yield made


@contextmanager
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store_url: str | None = None) -> Iterator[Trove]:
    """Open the face over a store of its own."""
    monkeypatch.setenv("CATCHMENT_FIXTURE_PROVIDER", "1")
    registry.provider.cache_clear()
    house = PlainHouse(tmp_path, store_url=store_url)
    wire = Wire(lambda: house)
    context = Context(house.engine, connect=wire.client, blobs=Blobs(tmp_path / "blobs"))
    with client_of(context) as client:
        yield Trove(client, context, house, wire, _tokens(context))
    house.engine.dispose()
    registry.provider.cache_clear()


def _tokens(context: Context) -> dict[str, str]:
    owner = access.first_token(context)
    assert owner is not None
    other = access.tenant_called(context, "other")
    made = {
        "admin": access.add_token(context, "admin", role="admin"),
        "editor": access.add_token(context, "editor", role="editor"),
        "viewer": access.add_token(context, "viewer", role="viewer"),
        "outsider": access.add_token(context, "outsider", role="editor", space_roles={}),
        "other": access.add_token(context, "other", role="owner", tenant_id=other),
    }
    return {"owner": owner.secret, "bad": "ct_nobody", **{name: one.secret for name, one in made.items()}}
