"""How ``s3://bucket/prefix?region=...`` becomes settings and credentials."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from pydantic import ValidationError

from catchment.kit import ConfigRejected, SourceAddress
from connectors.s3.config import S3Config, identity

# A secret access key may hold slashes, so the keys end at the `@`; no bucket has a colon before one.
_KEYS = re.compile(r"([^:/@?]*):([^@?]*)@")
_FLAGS = ("anonymous", "requester_pays", "path_style")
_TEXTS = ("endpoint", "region", "profile", "role_arn", "external_id")
_SECRETS = ("access_key_id", "secret_access_key", "session_token")
_HIDDEN = ("external_id",)
_WORDS = {"": True, "true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def address(text: str) -> SourceAddress | None:
    """Take an ``s3://`` URL apart; None when the text is none.

    Prefix, keys and parameters are percent-encoded as in every URL; the keys in front of the bucket may
    also be written as they are. ``?`` begins the parameters.

    Raises:
        ConfigRejected: It is one, and cannot work; no secret is repeated.
    """
    text = text.strip()
    if text[:5].lower() != "s3://":
        return None
    rest, credentials = _without_keys(text[5:])
    place, _, query = rest.partition("?")
    bucket, _, prefix = place.partition("/")
    settings = _parameters(query, credentials)
    if ("access_key_id" in credentials) != ("secret_access_key" in credentials) or (
        credentials and "access_key_id" not in credentials
    ):
        raise ConfigRejected(
            "This address has one half of an access key.",
            setting="access_key_id",
            remedy="Write both as s3://ID:SECRET@bucket, or neither.",
        )
    config: dict[str, Any] = {"bucket": unquote(bucket), **settings}
    if prefix:
        config["prefix"] = unquote(prefix)
    return _checked(config, credentials)


def _without_keys(rest: str) -> tuple[str, dict[str, str]]:
    found = _KEYS.match(rest)
    if found is None:
        return rest, {}
    keys = {"access_key_id": unquote(found[1]), "secret_access_key": unquote(found[2])}
    return rest[found.end() :], {name: value for name, value in keys.items() if value}


def _parameters(query: str, credentials: dict[str, str]) -> dict[str, Any]:
    """Read the parameters; secrets among them go to the credentials."""
    settings: dict[str, Any] = {}
    unknown: list[str] = []
    for name, value in parse_qsl(query.replace("+", "%2B"), keep_blank_values=True):
        if name in _SECRETS:
            credentials[name] = value
        elif name in _TEXTS:
            settings[name] = value
        elif name in _FLAGS:
            if value.lower() not in _WORDS:
                raise ConfigRejected(
                    f"The parameter {name} is true or false.", setting=name, remedy=f"Write ?{name}=true."
                )
            settings[name] = _WORDS[value.lower()]
        else:
            unknown.append(name)
    if unknown:
        raise ConfigRejected(
            f"The address has parameters that S3 does not know: {', '.join(sorted(set(unknown)))}.",
            setting=unknown[0],
            remedy=f"Known are {', '.join((*_TEXTS, *_FLAGS, 'session_token'))}.",
        )
    return settings


def _checked(config: dict[str, Any], credentials: dict[str, str]) -> SourceAddress:
    try:
        parsed = S3Config.model_validate(config)
    except ValidationError as error:
        raise _rejected(error) from None
    if parsed.anonymous and credentials:
        raise ConfigRejected(
            "This address has an access key and asks for no sign-in.",
            setting="anonymous",
            remedy="Leave one of them out.",
        )
    stored = parsed.model_dump(mode="json", exclude_defaults=True)
    return SourceAddress(
        name=f"{parsed.bucket}/{parsed.bare_prefix}".rstrip("/"),
        config=stored,
        identity=identity(stored),
        display=_display(parsed, stored),
        credentials=dict(credentials),
    )


def _display(parsed: S3Config, stored: dict[str, Any]) -> str:
    shown = {name: stored[name] for name in (*_TEXTS, *_FLAGS) if name in stored and name not in _HIDDEN}
    words = {name: str(value).lower() if name in _FLAGS else value for name, value in shown.items()}
    query = f"?{urlencode(words, safe=':/')}" if words else ""
    return f"s3://{parsed.bucket}/{quote(parsed.bare_prefix, safe='/')}{query}"


def _rejected(error: ValidationError) -> ConfigRejected:
    """Say which part is wrong, without what stands in it: that may be a secret in the wrong place."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    setting = ".".join(str(part) for part in first["loc"]) or "source"
    return ConfigRejected(
        f"The {setting} of this address cannot be used: {first['msg'].removeprefix('Value error, ')}.",
        setting=setting,
        remedy="Write it as s3://bucket/prefix?region=eu-central-1, or with ?endpoint=https://host.",
    )
