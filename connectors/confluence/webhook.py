"""Deliveries: those of Data Center are signed with the secret of the webhook, those of Cloud as Connect does.

Cloud delivers to apps alone. An app of one's own, whose descriptor names this address for each event with the
event's name behind it (``?event=page_updated``), has its shared secret as the secret here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from catchment.kit import Changed, Deleted, FeedEvent, Item, PermissionMissing
from catchment.kit.webhook import header, is_signed, require_fresh
from connectors.confluence import connect

STALE_SECONDS = 15 * 60.0
"""A delivery is made once and at once: an older one is a copy that somebody kept."""
_SIGNATURE = "x-hub-signature"
_KINDS = ("page", "blog", "comment", "attachment")
_GONE = frozenset({"trashed", "removed", "archived"})
_NEW = frozenset({"created", "updated", "restored", "moved", "unarchived"})


def events(headers: Mapping[str, str], body: bytes, secret: str, *, now: float) -> list[FeedEvent]:
    """Return what a delivery reports: keys that changed, or that are gone; nothing for other events.

    Args:
        headers: Of the request, with ``:method`` and ``:path`` where it comes from Cloud.
        body: As it came.
        secret: Of the webhook at Data Center; the shared secret of the app in Cloud.
        now: When it came, POSIX seconds.

    Raises:
        PermissionMissing: The signature is absent or wrong, or the delivery is old.
    """
    event = ""
    if header(headers, "authorization").startswith(connect.SCHEME):
        event = connect.verified_event(headers, secret, now=now)
    elif not is_signed(_with_prefix(header(headers, _SIGNATURE)), body, secret):
        raise PermissionMissing(
            "The signature of the delivery is absent or wrong.",
            remedy="Give the webhook and the connector the same secret.",
        )
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        # The button that tries a webhook sends no event.
        return []
    if not isinstance(told, dict):
        return []
    stamp = told.get("timestamp")
    if isinstance(stamp, int | float):
        require_fresh(_seconds(stamp), now=now, most_seconds=STALE_SECONDS)
    return _reported(told, str(told.get("event") or event))


def _seconds(milliseconds: float) -> float:
    try:
        return milliseconds / 1000
    except OverflowError:
        return math.inf


def _with_prefix(signature: str) -> str:
    """Return a signature with the name of its method, which not every release writes."""
    return signature if signature.startswith("sha256=") else f"sha256={signature}"


def _reported(told: Mapping[str, Any], event: str) -> list[FeedEvent]:
    noun, _, what = event.partition("_")
    about = told.get(noun) if noun in _KINDS else None
    id = about.get("id") if isinstance(about, dict) else None
    if not isinstance(id, int | str) or not str(id).removeprefix("att").isdecimal():
        return []
    key = str(id)
    if noun == "attachment" and not key.startswith("att"):
        key = f"att{key}"
    if what in _GONE:
        return [Deleted(key)]
    return [Changed(Item(key, key))] if what in _NEW else []
