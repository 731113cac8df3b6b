"""Prefect's REST API as far as the command needs it, in memory, behind the real client.

A flow run that is created is worked off at once by the product's own lanes in threads, as a worker would.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

from catchment.core.parameters import RunParameters
from catchment.services.prefect_client import PrefectClient
from catchment.sync.claim import Claimed, Ticket, claim
from tests.support.plain import PlainHouse

RUN_TAG = "catchment-run:"


class Wire:
    """The other side of the connection."""

    def __init__(self, house: Callable[[], PlainHouse]) -> None:
        self.house = house
        self.is_away = False
        self.works = True
        self.flows: dict[str, str] = {}
        self.deployments: dict[str, dict[str, Any]] = {}
        self.blocks: dict[tuple[str, str], dict[str, Any]] = {}
        self.flow_runs: dict[str, dict[str, Any]] = {}
        self.bodies: list[str] = []
        self.pool: dict[str, Any] = {"name": "catchment", "is_paused": False}

    def client(self) -> PrefectClient:
        """Return the real client, connected to this."""
        return PrefectClient(
            "http://prefect.test/api",
            transport=httpx.MockTransport(self.answer),
            sleep=lambda _seconds: None,
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if self.is_away:
            raise httpx.ConnectError("refused", request=request)
        body = json.loads(request.content) if request.content else {}
        path = request.url.path.removeprefix("/api")
        self.bodies.append(request.content.decode())
        for pattern, handler in _ROUTES:
            if (found := re.fullmatch(pattern, f"{request.method} {path}")) is not None:
                status, answer = handler(self, body, *found.groups())
                return httpx.Response(status, json=answer)
        raise AssertionError(f"nobody answers {request.method} {path}")

    def health(self, _body: Any) -> tuple[int, Any]:
        return 200, True

    def get_pool(self, _body: Any) -> tuple[int, Any]:
        return 200, self.pool

    def nothing(self, _body: Any) -> tuple[int, Any]:
        return 200, []

    def make_flow(self, body: Any) -> tuple[int, Any]:
        return 201, {"id": self.flows.setdefault(body["name"], str(uuid4()))}

    def make_deployment(self, body: Any) -> tuple[int, Any]:
        known = [key for key, one in self.deployments.items() if one["name"] == body["name"]]
        key = known[0] if known else str(uuid4())
        self.deployments[key] = {**body, "id": key}
        return 201, {"id": key}

    def get_deployment(self, _body: Any, key: str) -> tuple[int, Any]:
        found = self.deployments.get(key)
        return (200, found) if found else (404, {"detail": "gone"})

    def change_deployment(self, body: Any, key: str) -> tuple[int, Any]:
        self.deployments[key].update(body)
        return 200, {}

    def drop_deployment(self, _body: Any, key: str) -> tuple[int, Any]:
        return (200, {}) if self.deployments.pop(key, None) else (404, {"detail": "gone"})

    def get_block(self, _body: Any, kind: str, name: str) -> tuple[int, Any]:
        found = self.blocks.get((kind, name))
        return (200, found) if found else (404, {"detail": "gone"})

    def get_block_type(self, _body: Any, kind: str) -> tuple[int, Any]:
        return 200, {"id": kind}

    def find_schemas(self, body: Any) -> tuple[int, Any]:
        return 200, [{"id": body["block_schemas"]["block_type_id"]["any_"][0]}]

    def make_block(self, body: Any) -> tuple[int, Any]:
        block = {"id": str(uuid4()), "data": body["data"]}
        self.blocks[body["block_type_id"], body["name"]] = block
        return 201, block

    def change_block(self, body: Any, key: str) -> tuple[int, Any]:
        for block in self.blocks.values():
            if block["id"] == key:
                block["data"] = body["data"]
        return 200, {}

    def drop_block(self, _body: Any, key: str) -> tuple[int, Any]:
        self.blocks = {name: block for name, block in self.blocks.items() if block["id"] != key}
        return 200, {}

    def make_flow_run(self, body: Any, _deployment: str) -> tuple[int, Any]:
        key = str(uuid4())
        self.flow_runs[key] = {"id": key, "state_type": "SCHEDULED", **body}
        if self.works:
            self.work(key)
        return 201, {"id": key}

    def get_flow_run(self, _body: Any, key: str) -> tuple[int, Any]:
        found = self.flow_runs.get(key)
        return (200, found) if found else (404, {"detail": "gone"})

    def set_state(self, body: Any, key: str) -> tuple[int, Any]:
        self.flow_runs[key]["state_type"] = body["state"]["type"]
        return 200, {"status": "ACCEPT"}

    def work(self, key: str) -> None:
        """Do what a flow process does with a flow run."""
        made, house = self.flow_runs[key], self.house()
        run_id = next(tag.removeprefix(RUN_TAG) for tag in made["tags"] if tag.startswith(RUN_TAG))
        ticket = Ticket(flow_run_id=key, run_id=run_id)
        parameters = RunParameters(**made["parameters"])
        claimed = claim(house.engine, parameters, ticket, lease_seconds=30)
        assert isinstance(claimed, Claimed), claimed
        house.work(house.begun(claimed))
        made["state_type"] = "COMPLETED"


_ID = "([0-9a-f-]{36})"
_ROUTES: list[tuple[str, Callable[..., tuple[int, Any]]]] = [
    ("GET /health", Wire.health),
    ("GET /work_pools/catchment", Wire.get_pool),
    ("POST /work_pools/catchment/workers/filter", Wire.nothing),
    ("POST /block_documents/filter", Wire.nothing),
    ("POST /flows/", Wire.make_flow),
    ("POST /deployments/", Wire.make_deployment),
    (f"GET /deployments/{_ID}", Wire.get_deployment),
    (f"PATCH /deployments/{_ID}", Wire.change_deployment),
    (f"DELETE /deployments/{_ID}", Wire.drop_deployment),
    (f"POST /deployments/{_ID}/create_flow_run", Wire.make_flow_run),
    (f"GET /flow_runs/{_ID}", Wire.get_flow_run),
    (f"POST /flow_runs/{_ID}/set_state", Wire.set_state),
    ("GET /block_types/slug/([^/]+)/block_documents/name/([^/]+)", Wire.get_block),
    ("GET /block_types/slug/([^/]+)", Wire.get_block_type),
    ("POST /block_schemas/filter", Wire.find_schemas),
    ("POST /block_documents/", Wire.make_block),
    (f"PATCH /block_documents/{_ID}", Wire.change_block),
    (f"DELETE /block_documents/{_ID}", Wire.drop_block),
]
