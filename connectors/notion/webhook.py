"""Deliveries of Notion's webhooks: signature first, then what they say has changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from catchment.kit import Changed, Deleted, FeedEvent, Handshake, Item, PermissionMissing
from catchment.kit.webhook import header, is_signed, require_fresh
from connectors.notion.words import dashed, seconds

SIGNATURE = "x-notion-signature"
STALE_SECONDS = 2 * 86_400.0
"""Notion tries eight times, the last one about a day after the event."""
_READ = frozenset({"page", "data_source"})


def read_delivery(headers: Mapping[str, str], body: bytes, secret: str, *, now: float) -> list[FeedEvent]:
    """Verify a delivery and return what it reports.

    The key of the signature is the verification token that the first delivery of a subscription told. A
    delivery carries no content, and may come late, twice or out of order: it names what to look at.

    Args:
        headers: Of the request.
        body: As it came.
        secret: The verification token.
        now: When it came, POSIX seconds.

    Raises:
        PermissionMissing: The signature is absent or wrong, or the event is two days old.
    """
    if not is_signed(header(headers, SIGNATURE), body, secret):
        raise _unsigned()
    told = _told(body)
    stamp = told.get("timestamp")
    sent_at = seconds(stamp) if isinstance(stamp, str) else None
    if sent_at is not None:
        require_fresh(sent_at, now=now, most_seconds=STALE_SECONDS)
    named = _named(told)
    if named is None:
        return []
    key, is_gone = named
    return [Deleted(key)] if is_gone else [Changed(Item(key, key))]


def read_handshake(headers: Mapping[str, str], body: bytes, secret: str) -> Handshake | None:
    """Take the verification token of a new subscription; None for every other delivery.

    It is signed with nothing known yet, so that anybody could send one: it is let in while there is no
    secret, and afterwards only if it is signed with the secret and tells the same.

    Raises:
        PermissionMissing: A secret is stored already, and this is not signed with it.
    """
    token = verification_token(body)
    if token is None:
        return None
    if secret and not (is_signed(header(headers, SIGNATURE), body, secret) and token == secret):
        raise _unsigned()
    return Handshake(
        secret=SecretStr(token),
        remedy="Paste the verification token into the subscription, among the webhooks of the integration.",
    )


def _unsigned() -> PermissionMissing:
    return PermissionMissing(
        "The delivery is not signed with the verification token of this connector.",
        remedy="Compare the token with the one at the subscription in Notion.",
    )


def verification_token(body: bytes) -> str | None:
    """Return the token that the first delivery of a subscription tells; None for any other delivery.

    It is not signed with anything known yet, so it must be taken only while no token is stored.
    """
    token = _told(body).get("verification_token")
    return token if isinstance(token, str) and token and token.isascii() else None


def _told(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
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
