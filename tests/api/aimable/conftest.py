"""The Aimable face over a real store; behind the wire to Prefect, runs are worked off by plain threads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.faces import Served, served


@dataclass
class Aimable(Served):
    """A tenant with one collection, those who call, and ways to call."""

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
    with served(tmp_path, monkeypatch) as face:
        yield Aimable(face.client, face.context, face.wire, face.variables)
