"""Secrets that a client writes among the settings: taken out, kept as credentials, and shown by a mark only.

A mark that is sent back means: as it was. Of a connector that is pushed to no secret is ever needed here,
so the value is not kept at all, and only the mark stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from catchment.core.errors import ConfigRejected, NotFound
from catchment.core.secrets import MARK, without_secrets
from catchment.kit import catalog, registry
from catchment.kit.registry import PUSHED, AnyConnector
from catchment.kit.spelling import snake_case, spelled, spellings
from catchment.services.connectors import orchestrator
from catchment.services.context import Context
from catchment.store.rows import ConnectorRow

_SECRET_WORD = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|secret|token|api_?key|(?:private|access|secret|signing)_key"
    r"|credentials?|authorization|bearer)$"
)


class Parted(Struct, frozen=True):
    """Settings without secrets, and the secrets; None where none were sent, or all are to stay."""

    config: dict[str, Any]
    credentials: dict[str, Any] | None


def looks_secret(name: str) -> bool:
    """Tell whether a setting of this name holds a secret, whoever's it is."""
    return _SECRET_WORD.search(snake_case(name).replace("-", "_")) is not None


def masked(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with a mark in place of whatever looks secret, at any depth, URLs included."""
    shown: dict[str, Any] = _masked(dict(config))
    return shown


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: MARK if looks_secret(name) and part not in (None, "", [], {}) else _masked(part)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_masked(part) for part in value]
    return without_secrets(value) if isinstance(value, str) else value


def part(
    context: Context,
    provider_slug: str,
    config: Mapping[str, Any],
    *,
    pushed: bool,
    connector: ConnectorRow | None = None,
) -> Parted:
    """Take the secrets out of settings.

    Args:
        context: The surroundings; Prefect is asked where some of several secrets are to stay.
        provider_slug: Whose settings.
        config: As the client sent them.
        pushed: Whether the connector is pushed to.
        connector: The connector as it was, for marks that are sent back; None for a new one.

    Raises:
        ConfigRejected: There is a secret that the provider has no use for, or a mark that stands for nothing.
        NotFound: No such provider is known.
        Unavailable: Prefect is away and was needed.
    """
    if pushed:
        return Parted(masked(config), None)
    provider = registry.provider(provider_slug)
    names = _credential_names(provider)
    plain = {name: value for name, value in config.items() if name not in names}
    secrets = {name: value for name, value in config.items() if name in names}
    for name in plain:
        if looks_secret(name) and name not in provider.config_model.model_fields:
            raise ConfigRejected(
                f"The setting {name} looks like a secret, and {provider.display_name} has no use for it.",
                setting=name,
                remedy="Leave it out.",
            )
    fresh = {name: value for name, value in secrets.items() if value != MARK}
    if len(fresh) < len(secrets):
        if connector is None or connector.credentials_block is None:
            raise ConfigRejected("A mark stands for no secret yet: send the secret itself.", part="config")
        if fresh:
            assert provider.credentials_model is not None
            before = orchestrator(context).read_credentials(connector) or {}
            fresh = {**before, **spelled(provider.credentials_model, fresh)}
    return Parted(plain, fresh or None)


def shown(connector: ConnectorRow) -> dict[str, Any]:
    """Return a connector's settings as anybody may see them."""
    config = masked(connector.config)
    if connector.execution == PUSHED or connector.credentials_block is None:
        return config
    try:
        provider = registry.provider(connector.provider)
    except NotFound:
        return config
    # Which of the others were given only their block knows, and reading must not depend on Prefect.
    for name in catalog.required_credentials(provider) or _secret_fields(provider):
        config.setdefault(_as_clients_write(provider, name), MARK)
    return config


def _as_clients_write(provider: type[AnyConnector], name: str) -> str:
    """Return the spelling that the catalog has for a credential; any other is read as well."""
    described = catalog.stand_in(provider.slug)
    fields = (described and described.credentials_model and described.credentials_model.model_fields) or {}
    return next(
        (
            field.serialization_alias
            for field in fields.values()
            if field.serialization_alias and snake_case(field.serialization_alias) == name
        ),
        name,
    )


def _credential_names(provider: type[AnyConnector]) -> set[str]:
    """Return every spelling of a credential that is no setting at the same time."""
    model = provider.credentials_model
    if model is None:
        return set()
    settings = {spelling for name in provider.config_model.model_fields for spelling in spellings(name)}
    return {spelling for name in model.model_fields for spelling in spellings(name)} - settings


def _secret_fields(provider: type[AnyConnector]) -> list[str]:
    secret = catalog.secret_names(provider)
    model = provider.credentials_model
    if model is None:
        return []
    return [field.serialization_alias or name for name, field in model.model_fields.items() if name in secret]
