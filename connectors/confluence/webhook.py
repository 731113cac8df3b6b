"""Deliveries of Data Center: signed with the secret of the webhook, each about one piece of content."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping

from catchment.kit import Changed, Deleted, FeedEvent, Item, PermissionMissing

STALE_SECONDS = 15 * 60.0
"""A delivery is made once and at once: an older one is a copy that somebody kept."""
_SIGNATURE = "x-hub-signature"
_KINDS = frozenset({"page", "blog", "comment", "attachment"})
_GONE = frozenset({"trashed", "removed", "archived"})
_NEW = frozenset({"created", "updated", "restored", "moved", "unarchived"})


def events(headers: Mapping[str, str], body: bytes, secret: str) -> list[FeedEvent]:
    """Return what a delivery reports: keys that changed, or that are gone; nothing for other events.

    Raises:
        PermissionMissing: The signature is absent or wrong, or the delivery is old.
    """
    given = {name.lower(): value for name, value in headers.items()}.get(_SIGNATURE, "")
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not secret or not hmac.compare_digest(given.removeprefix("sha256=").encode(), expected.encode()):
        raise PermissionMissing(
            "The signature of the delivery is absent or wrong.",
            remedy="Give the webhook and the connector the same secret.",
        )
    try:
        told = json.loads(body)
    except ValueError:
        # The button that tries a webhook sends no event.
        return []
    if not isinstance(told, dict):
        return []
    _require_fresh(told)
    return _reported(told)


def _require_fresh(told: Mapping[str, object]) -> None:
    stamp = told.get("timestamp")
    if isinstance(stamp, int | float) and abs(time.time() - stamp / 1000) > STALE_SECONDS:
        raise PermissionMissing(
            "The delivery is old.", remedy="Set the clocks right; a delivery is not taken twice."
        )


def _reported(told: Mapping[str, object]) -> list[FeedEvent]:
    noun, _, what = str(told.get("event") or "").partition("_")
    about = told.get(noun) if noun in _KINDS else None
    id = about.get("id") if isinstance(about, dict) else None
    if not isinstance(id, int | str) or not str(id).removeprefix("att").isdigit():
        return []
    key = str(id)
    if noun == "attachment" and not key.startswith("att"):
        key = f"att{key}"
    if what in _GONE:
        return [Deleted(key)]
    return [Changed(Item(key, key))] if what in _NEW else []
