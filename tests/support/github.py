"""The vendor's own data, where they lie beside the checkout: schemas, recordings, examples of deliveries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

DATA = Path(__file__).parents[2].parent / "shared" / "vendors" / "data" / "github"
GRAPHQL = DATA / "schema.graphql"
needs_graphql = pytest.mark.skipif(
    not GRAPHQL.exists(), reason="the vendor's schema of GraphQL does not lie beside the checkout"
)
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the vendor's data do not lie beside the checkout")


@cache
def _openapi() -> dict[str, Any]:
    told = json.loads((DATA / "openapi.api.github.com.trimmed.json").read_text("utf-8"))
    loosened: dict[str, Any] = _json_schema(told)
    return loosened


def _json_schema(value: Any) -> Any:
    """Write what OpenAPI 3.0 calls nullable as JSON Schema does; formats and examples say nothing."""
    if isinstance(value, list):
        return [_json_schema(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {name: _json_schema(one) for name, one in value.items() if name not in ("example", "examples")}
    if made.pop("nullable", False):
        made = {"anyOf": [{"type": "null"}, made]}
    return made


def schema_of(path: str, status: int = 200, method: str = "get") -> Draft202012Validator:
    """Return what checks an answer of an endpoint."""
    told = _openapi()
    response = told["paths"][path][method]["responses"][str(status)]
    if "$ref" in response:
        response = told["components"]["responses"][response["$ref"].rpartition("/")[2]]
    found = next(iter(response["content"].values()))["schema"]
    return Draft202012Validator({**found, "components": told["components"]})


def delivery_schema(event: str, action: str = "event") -> Draft7Validator:
    """Return what checks a delivery."""
    told = _deliveries()
    return Draft7Validator({**told["definitions"][f"{event}${action}"], "definitions": told["definitions"]})


@cache
def _deliveries() -> dict[str, Any]:
    told: dict[str, Any] = json.loads((DATA / "webhooks.schema.trimmed.json").read_text("utf-8"))
    return told


def examples(event: str) -> list[Any]:
    """Return the examples of an event's deliveries."""
    found = json.loads((DATA / "webhook-examples" / f"{event}.json").read_text("utf-8"))
    return found if isinstance(found, list) else [found]


def events() -> list[str]:
    """Return the events that there are examples of."""
    return sorted(path.stem for path in (DATA / "webhook-examples").glob("*.json")) if DATA.exists() else []


def recordings() -> Iterator[tuple[str, str, int, Mapping[str, str], Any]]:
    """Yield name, address, status, headers and body of every recorded answer."""
    for path in sorted(DATA.glob("recorded-*/*.json")):
        told = json.loads(path.read_text("utf-8"))
        for one in told["interactions"] if isinstance(told, dict) else told:
            if "request" in one:
                asked, answered = one["request"], one["response"]
                address = asked.get("url") or asked.get("path")
                yield path.stem, address, answered["status"], answered["headers"], answered["body"]
            else:
                yield path.stem, one["path"], one["status"], one["headers"], one["response"]
