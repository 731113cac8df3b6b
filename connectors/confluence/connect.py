"""How Atlassian Connect signs the deliveries of Cloud: a word (JWT) that names verb, path and parameters.

https://developer.atlassian.com/cloud/confluence/understanding-jwt-for-connect-apps/
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from catchment.kit import PermissionMissing
from catchment.kit.webhook import AHEAD_SECONDS, header

SCHEME = "JWT "


def verified_event(headers: Mapping[str, str], secret: str, *, now: float) -> str:
    """Return the name of the event, from the parameter that the signature covers; empty where it is not told.

    Args:
        headers: Of the request, with ``:method`` and ``:path``.
        secret: The shared secret of the app.
        now: POSIX seconds.

    Raises:
        PermissionMissing: The word is not signed with the secret, has ended, or is for another request.
    """
    claims = _claims(header(headers, "authorization").removeprefix(SCHEME), secret)
    ends, made = claims.get("exp"), claims.get("iat")
    if not isinstance(ends, int | float) or not isinstance(made, int | float):
        raise _refused("its signature does not say until when it is good")
    if now > ends or made > now + AHEAD_SECONDS:
        raise _refused("its signature has ended, or is of a time to come")
    method, address = header(headers, ":method"), header(headers, ":path")
    named = str(claims.get("qsh")).encode()
    if not any(hmac.compare_digest(named, each.encode()) for each in _hashes(method, address)):
        raise _refused("it was signed for another request")
    return dict(parse_qsl(urlsplit(address).query)).get("event", "")


def _claims(word: str, secret: str) -> Mapping[str, Any]:
    signed, _, signature = word.rpartition(".")
    expected = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    try:
        head, claims = (json.loads(_bytes(part)) for part in signed.split("."))
        is_good = bool(secret) and hmac.compare_digest(_bytes(signature), expected)
    except (ValueError, binascii.Error) as error:
        raise _refused("its signature cannot be read") from error
    # The head is the sender's own word: no other method, and above all not "none", is taken.
    if (
        not is_good
        or not isinstance(head, dict)
        or head.get("alg") != "HS256"
        or not isinstance(claims, dict)
    ):
        raise _refused("its signature is wrong")
    return claims


def _bytes(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _hashes(method: str, address: str) -> Iterator[str]:
    """Yield what a request may be signed as: its path counts from the app's address, wherever that ends."""
    parts = urlsplit(address)
    query = _query(parts.query)
    steps = parts.path.rstrip("/").split("/")
    for start in range(len(steps)):
        path = "/" + "/".join(steps[start + 1 :])
        yield hashlib.sha256(f"{method.upper()}&{path.replace('&', '%26')}&{query}".encode()).hexdigest()


def _query(query: str) -> str:
    """Write parameters by the order of their names, those of one name together, without the word."""
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name != "jwt":
            values.setdefault(quote(name, safe="~"), []).append(quote(value, safe="~"))
    return "&".join(f"{name}={','.join(sorted(each))}" for name, each in sorted(values.items()))


def _refused(reason: str) -> PermissionMissing:
    return PermissionMissing(
        f"The delivery is refused: {reason}.", remedy="Give the connector the shared secret of the app."
    )
