"""Webhooks as the vendor signs and words them."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from catchment.simulators.notion.things import DataSource, moment

if TYPE_CHECKING:
    from catchment.simulators.notion.simulator import NotionSimulator

API_VERSION = "2025-09-03"


def sign(body: bytes, token: str) -> str:
    """Return the signature of a delivery: its whole body, with the verification token as the key."""
    return "sha256=" + hmac.digest(token.encode(), body, hashlib.sha256).hex()


def handshake(world: NotionSimulator) -> tuple[dict[str, str], bytes]:
    """Return the delivery that tells the verification token, unsigned."""
    return {"Content-Type": "application/json"}, json.dumps(
        {"verification_token": world.verification_token}
    ).encode()


def delivery(
    world: NotionSimulator, event: str, entity: str, *, attempt: int, data: dict[str, Any]
) -> tuple[dict[str, str], bytes]:
    """Return a signed delivery; what the vendor always tells about the entity is added."""
    told = {
        "id": world.new_id(),
        "timestamp": moment(world.clock.now()).replace("+00:00", "Z"),
        "workspace_id": world.workspace_id,
        "workspace_name": world.workspace_name,
        "subscription_id": world.bot_id,
        "integration_id": world.bot_id,
        "type": event,
        "authors": [{"id": world.author, "type": "person"}],
        "attempt_number": attempt,
        "api_version": API_VERSION,
        "entity": {"id": entity, "type": event.partition(".")[0]},
        "data": {"parent": _parent(world, data.get("page_id", entity)), **_always(event), **data},
    }
    body = json.dumps(told).encode()
    headers = {"Content-Type": "application/json", "X-Notion-Signature": sign(body, world.verification_token)}
    return headers, body


def _always(event: str) -> dict[str, Any]:
    if event == "page.properties_updated":
        return {"updated_properties": []}
    if event in ("page.content_updated", "data_source.content_updated"):
        return {"updated_blocks": []}
    return {"updated_properties": []} if event == "data_source.schema_updated" else {}


def _parent(world: NotionSimulator, entity: str) -> dict[str, Any]:
    thing = world.things.get(entity)
    parent = thing.parent if thing is not None else None
    if parent is None:
        return {"id": world.workspace_id, "type": "space"}
    holder = world.things[parent]
    if isinstance(holder, DataSource):
        return {"id": holder.parent, "type": "database", "data_source_id": parent}
    kind = type(holder).__name__.lower()
    return {"id": parent, "type": kind}
