"""What the vendor publishes about its API, where it lies beside the checkout; and a client of a simulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from catchment.simulators.notion.simulator import TOKEN

FOLDER = Path(__file__).parents[2].parent / "shared" / "vendors" / "data" / "notion"
SCHEMAS = FOLDER / "notion.types.schema.json"
RECORDED = FOLDER / "recorded-notion-sdk-py"
HOOKS = FOLDER / "webhook-examples"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Notion-Version": "2025-09-03"}

needs_data = pytest.mark.skipif(
    not SCHEMAS.exists(), reason="the vendor's published data do not lie beside the checkout"
)


class Schemas:
    """The vendor's own types."""

    def __init__(self) -> None:
        self._whole = json.loads(SCHEMAS.read_text())
        self._made: dict[str, Any] = {}

    def check(self, entry: str, value: Any) -> None:
        """Fail where a value is not of the type that an entry point names."""
        if entry not in self._made:
            schema = {
                "$ref": self._whole["x-entry-points"][entry],
                "definitions": self._whole["definitions"],
            }
            self._made[entry] = jsonschema.Draft7Validator(schema)
        errors = [
            f"{list(error.absolute_path)}: {error.message[:300]}"
            for error in self._made[entry].iter_errors(value)
        ]
        assert errors == [], f"{entry}: {errors[:3]}"


def recorded(name: str = "*") -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield file, request and body of each recorded answer that is good."""
    for file in sorted(RECORDED.glob(f"{name}.json")):
        for told in json.loads(file.read_text())["interactions"]:
            if told["response"]["status"] == 200:
                yield file.stem, told["request"], told["response"]["body"]
