"""How Atlassian Connect signs the deliveries of Cloud: a word (JWT) that names verb, path and parameters.

https://developer.atlassian.com/cloud/confluence/understanding-jwt-for-connect-apps/
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from catchment.kit import PermissionMissing
from catchment.kit.webhook import AHEAD_SECONDS, header

if TYPE_CHECKING:
    from jwt.types import Options

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
    ends, made = _seconds(claims, "exp"), _seconds(claims, "iat")
    if now > ends or made > now + AHEAD_SECONDS:
        raise _refused("its signature has ended, or is of a time to come")
    method, address = header(headers, ":method"), header(headers, ":path")
    named = str(claims["qsh"]).encode("utf-8", "replace")
    try:
        if any(hmac.compare_digest(named, each.encode()) for each in _hashes(method, address)):
            return dict(parse_qsl(urlsplit(address).query)).get("event", "")
    except ValueError as error:
        raise _refused("its address cannot be read") from error
    raise _refused("it was signed for another request")


def _claims(word: str, secret: str) -> Mapping[str, Any]:
    """Return what a word says that the secret has signed; whether its time has come is not looked at."""
    import jwt

    try:
        # The head is the sender's own word: no other method, and above all not "none", is taken.
        return jwt.decode(word, secret, algorithms=["HS256"], options=_options())
    except (jwt.PyJWTError, ValueError) as error:
        raise _refused("its signature is wrong, or cannot be read") from error


def _options() -> Options:
    """Ask for what is needed. Times are looked at here: the library knows no clock but the machine's."""
    return {
        "require": ["exp", "iat", "qsh"],
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
        # What these say is up to Connect, and nothing here depends on it.
        "verify_aud": False,
        "verify_iss": False,
        "verify_sub": False,
        "verify_jti": False,
    }


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    told = claims[name]
    if isinstance(told, int) or (isinstance(told, float) and math.isfinite(told)):
        return told
    raise _refused("its signature does not say until when it is good")


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
