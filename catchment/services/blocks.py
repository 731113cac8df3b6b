"""Prefect blocks as plain data: cursors and credentials, read and written over the REST API.

The block types themselves are declared in `catchment.blocks` and registered when a worker starts; from
then on nobody needs Prefect's library to use them, so that the command stays quick.
"""

from __future__ import annotations

import json
from typing import Any

from catchment.core.clock import iso
from catchment.core.errors import Unavailable
from catchment.services.prefect_client import PrefectClient, PrefectRefused
from catchment.sync.cursor import CursorValue, SavedCursor

CURSOR_TYPE = "sync-cursor"


class PrefectBlocks:
    """Block documents by type and name."""

    def __init__(self, client: PrefectClient) -> None:
        self._client = client
        self._types: dict[str, tuple[str, str]] = {}

    def read(self, type_slug: str, name: str) -> dict[str, Any] | None:
        """Return the data of a block, secrets in clear; None when there is no such block."""
        document = self._document(type_slug, name)
        return dict(document["data"]) if document is not None else None

    def write(self, type_slug: str, name: str, data: dict[str, Any]) -> str:
        """Create a block or replace all of its data, and return its id.

        Raises:
            Unavailable: The block type is not registered, or Prefect is away.
        """
        document = self._document(type_slug, name)
        if document is not None:
            body = {"data": data, "merge_existing_data": False}
            self._client.request("PATCH", f"/block_documents/{document['id']}", body)
            return str(document["id"])
        type_id, schema_id = self._type(type_slug)
        made = self._client.request(
            "POST",
            "/block_documents/",
            {"name": name, "data": data, "block_type_id": type_id, "block_schema_id": schema_id},
        )
        return str(made["id"])

    def remove(self, type_slug: str, name: str) -> bool:
        """Erase a block; tells whether there was one."""
        document = self._document(type_slug, name)
        if document is None:
            return False
        self._client.request("DELETE", f"/block_documents/{document['id']}")
        return True

    def _document(self, type_slug: str, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client.request(
                "GET", f"/block_types/slug/{type_slug}/block_documents/name/{name}?include_secrets=true"
            )
        except PrefectRefused as refused:
            if refused.status == 404:
                return None
            raise
        return found

    def _type(self, slug: str) -> tuple[str, str]:
        """Return the ids of a block type and of its newest schema."""
        if slug not in self._types:
            try:
                type_id = self._client.request("GET", f"/block_types/slug/{slug}")["id"]
            except PrefectRefused as refused:
                raise Unavailable(
                    f"The block type {slug} is not registered in Prefect.",
                    remedy="Run: prefect block register -m catchment.blocks (a local worker does it).",
                ) from refused
            schemas = self._client.request(
                "POST",
                "/block_schemas/filter",
                {"block_schemas": {"block_type_id": {"any_": [type_id]}}, "limit": 1},
            )
            self._types[slug] = (str(type_id), str(schemas[0]["id"]))
        return self._types[slug]


class BlockCursorStore:
    """Keeps each connector's cursor in a `SyncCursor` block; see `catchment.sync.cursor.CursorStore`."""

    def __init__(self, client: PrefectClient) -> None:
        self._blocks = PrefectBlocks(client)

    def load(self, connector_id: str) -> SavedCursor | None:
        """Return what was saved last, or None; a block that cannot be read counts as none."""
        data = self._blocks.read(CURSOR_TYPE, cursor_block(connector_id))
        if data is None:
            return None
        try:
            return SavedCursor(
                connector_id=str(data["connector_id"]),
                store_id=str(data["store_id"]),
                current=CursorValue(
                    int(data["revision"]), str(data["cursor"]), float(data["saved"]), str(data["run_id"])
                ),
                previous=tuple(CursorValue(*value) for value in json.loads(data["previous"])),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def save(self, saved: SavedCursor) -> None:
        """Keep it in place of what was there."""
        value = saved.current
        previous = [[v.revision, v.text, v.saved_at, v.run_id] for v in saved.previous]
        self._blocks.write(
            CURSOR_TYPE,
            cursor_block(saved.connector_id),
            {
                "connector_id": saved.connector_id,
                "store_id": saved.store_id,
                "revision": value.revision,
                "cursor": value.text,
                "saved": value.saved_at,
                "saved_at": iso(value.saved_at),
                "run_id": value.run_id,
                "previous": json.dumps(previous),
            },
        )

    def remove(self, connector_id: str) -> bool:
        """Erase the cursor; tells whether there was one."""
        return self._blocks.remove(CURSOR_TYPE, cursor_block(connector_id))


def cursor_block(connector_id: str) -> str:
    """Return the name of the block that holds a connector's cursor."""
    return f"catchment-{connector_id}"


def credentials_type(provider: str) -> str:
    """Return the slug of the block type that holds credentials for a provider."""
    return f"catchment-{provider}-credentials"
