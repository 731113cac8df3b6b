"""The ZenSearch face over a real store; behind the wire to Prefect, runs are worked off by plain threads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catchment.services import access
from catchment.services.context import Context
from tests.support.faces import Served, served

BASE = "/api/v1"


@dataclass
class Zen(Served):
    """A team with one collection, those who call, and ways to call."""

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
    with served(tmp_path, monkeypatch) as face:
        variables = {**face.variables, "tok_editor": _editor(face.context)}
        yield Zen(face.client, face.context, face.wire, variables)


def _editor(context: Context) -> str:
    return access.add_token(context, "editor", role="editor").secret
