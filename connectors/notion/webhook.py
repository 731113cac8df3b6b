"""Deliveries of Notion's webhooks: signature first, then what they say has changed."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from catchment.kit import Changed, Deleted, FeedEvent, Item, PermissionMissing
from connectors.notion.words import dashed

SIGNATURE = "x-notion-signature"
_PREFIX = "sha256="
_READ = frozenset({"page", "data_source"})


def read_delivery(headers: Mapping[str, str], body: bytes, secret: str) -> list[FeedEvent]:
    """Verify a delivery and return what it reports.

    The key of the signature is the verification token that the first delivery of a subscription told. A
    delivery carries no content, and may come late, twice or out of order: it names what to look at. That
    first delivery reports nothing and is let in only while there is no secret; `verification_token` reads it.

    Raises:
        PermissionMissing: The signature is absent or wrong.
    """
    if not secret and verification_token(body) is not None:
        return []
    given = {name.lower(): value for name, value in headers.items()}.get(SIGNATURE, "")
    expected = _PREFIX + hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    if not secret or not hmac.compare_digest(given.encode(), expected.encode()):
        raise PermissionMissing(
            "The delivery is not signed with the verification token of this connector.",
            remedy="Compare the token with the one at the subscription in Notion.",
        )
    told = _told(body)
    named = _named(told)
    if named is None:
        return []
    key, is_gone = named
    return [Deleted(key)] if is_gone else [Changed(Item(key, key))]


def verification_token(body: bytes) -> str | None:
    """Return the token that the first delivery of a subscription tells; None for any other delivery.

    It is not signed with anything known yet, so it must be taken only while no token is stored.
    """
    token = _told(body).get("verification_token")
    return token if isinstance(token, str) and token else None


def _told(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _named(told: Mapping[str, Any]) -> tuple[str, bool] | None:
    """Return the key that an event is about, and whether it is gone; None for what is no item of ours."""
    kind, _, event = str(told.get("type") or "").partition(".")
    entity, data = told.get("entity"), told.get("data")
    if kind == "comment":
        key = dashed(str(data.get("page_id") or "")) if isinstance(data, dict) else None
        return (key, False) if key else None
    if kind not in _READ or not isinstance(entity, dict):
        return None
    key = dashed(str(entity.get("id") or ""))
    return (key, event == "deleted") if key else None
