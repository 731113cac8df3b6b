"""Deliveries of webhooks: what a greeting is answered with, and what every vendor's signature has in common.

All of it is pure: nothing is asked, kept or sent. Whoever takes deliveries in asks `Connector.handshake`
first, and `Connector.webhook` where that says None.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from msgspec import Struct
from pydantic import SecretStr

from catchment.core.discreet import Discreet
from catchment.core.errors import PermissionMissing

AHEAD_SECONDS = 15 * 60.0
"""How far the vendor's clock may be ahead of ours."""


class Handshake(Discreet, Struct, frozen=True):
    """The answer to a delivery by which a vendor makes the acquaintance of this address; it reports nothing.

    Attributes:
        body: What to answer, word for word; the status is 200.
        content_type: Media type of `body`.
        secret: What later deliveries are signed with, to be kept in the place of the secret so far; None
            where that stays as it is.
        remedy: What a person has to do at the vendor with the secret; empty where there is nothing to do.
    """

    unseen = frozenset({"body"})

    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    secret: SecretStr | None = None
    remedy: str = ""


def header(headers: Mapping[str, str], name: str) -> str:
    """Return a header, however its name is written; empty where there is none."""
    wanted = name.lower()
    return next((value for each, value in headers.items() if each.lower() == wanted), "")


def is_signed(given: str, body: bytes, secret: str, *, prefix: str = "sha256=") -> bool:
    """Whether a signature is the HMAC-SHA256 of a body, in hex; compared in constant time.

    Without a secret nothing is signed: an empty one would be everybody's.
    """
    expected = prefix + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def require_fresh(sent_at: float, *, now: float, most_seconds: float) -> None:
    """Refuse a delivery that was sent so long ago that it can only be a copy that somebody kept.

    Args:
        sent_at: When the vendor says that it was, under its signature; POSIX seconds.
        now: When it came; POSIX seconds.
        most_seconds: How late the vendor's last attempt may come.

    Raises:
        PermissionMissing: It is older, or of a time to come.
    """
    if not -AHEAD_SECONDS <= now - sent_at <= most_seconds:
        raise PermissionMissing(
            "The delivery is old, or of a time to come.",
            remedy="Set the clocks right; a delivery is not taken twice.",
        )
