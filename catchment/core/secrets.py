"""Secrets inside of URLs: a password before the host, a key or signature in the query.

Settings are shown to everybody who may see a connector, so a URL among them must hold neither. Every pattern
goes over a text once, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

MARK = "********"
"""Stands where a secret was; it is no secret itself."""

_END = r"\s\"'<>"
_USER = rf"[^{_END}@:/?#\[\]]"
# A number that a slash or the end follows is a port. A password may hold slashes and at signs, as people
# write them; where the next address begins, this one is over.
_PASSWORD = re.compile(
    rf"(?P<before>://{_USER}*+:)(?!\d{{1,5}}+(?:[/?#{_END}]|$))"
    rf"(?P<secret>(?:[^{_END}@/]++|/(?!/)|@(?=[^{_END}@/?#]*+@))++)(?=@)"
)
# Web servers take tokens as the name of the user, and no web address needs one otherwise.
_NAME = re.compile(rf"(?P<before>https?://)(?P<secret>{_USER}++:?+)(?=@)", re.IGNORECASE)
_PARAMETER = re.compile(rf"(?P<before>[?&;#](?P<name>[\w.%\[\]-]{{1,80}}+)=)(?P<secret>[^{_END}&;#]++)")
_ENDINGS = (
    *("password", "passwd", "passphrase", "secret", "token", "signature", "authorization", "bearer"),
    *("credential", "credentials", "apikey", "accesskey", "privatekey", "secretkey", "signingkey"),
    *("subscriptionkey", "sessionid"),
)
_WORDS = ("auth", "jwt", "key", "pass", "pwd", "sas", "sig")


def holds_secret(value: Any) -> bool:
    """Tell whether a URL with a secret stands in a value, at any depth."""
    if isinstance(value, str):
        return without_secrets(value) != value
    if isinstance(value, Mapping):
        return any(holds_secret(part) for pair in value.items() for part in pair)
    return isinstance(value, list | tuple) and any(map(holds_secret, value))


def without_secrets(text: str) -> str:
    """Return a text with a mark in place of every secret that a URL in it holds."""
    if "@" in text:
        text = _NAME.sub(_marked, _PASSWORD.sub(_marked, text))
    return _PARAMETER.sub(_marked_if_secret, text) if "=" in text else text


def _marked(found: re.Match[str]) -> str:
    return found["before"] + MARK


def _marked_if_secret(found: re.Match[str]) -> str:
    word = re.sub(r"[\W_]", "", unquote(found["name"])).lower()
    # What stands in braces is filled in later, from a row.
    is_secret = (word in _WORDS or word.endswith(_ENDINGS)) and not found["secret"].startswith("{")
    return _marked(found) if is_secret else found[0]
