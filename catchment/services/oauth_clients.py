"""The clients that vendors know this installation by, for sign-ins in the browser.

They belong to the operator and hold for all tenants. The store keeps them sealed (`catchment.store.sealed`);
the environment is a way to hand them in: what it gives is taken over when the API starts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from catchment.core.errors import Conflict, NotFound, UsageError
from catchment.kit import catalog, oauth, registry
from catchment.kit.oauth import Client, ClientSettings
from catchment.services.context import Context
from catchment.store import sealed
from catchment.store.engine import reading, writing
from catchment.store.sealed import WrongKey
from catchment.sync.begin import rejected

_PREFIX = "oauth-client:"


class NotConfigured(Conflict):
    """The vendor does not know this installation yet."""

    code = "not_configured"


def client_for(context: Context, provider_slug: str) -> Client:
    """Return the client that the vendor of a provider knows us by.

    Raises:
        NotFound: No such provider is known.
        UsageError: Its people do not sign in in the browser.
        NotConfigured: The operator has set no client for it.
        WrongKey: One is kept, and the key file does not open it.
    """
    _require_vendor(provider_slug)
    kept = _kept(context, provider_slug)
    if kept is None:
        names = (oauth.variable(provider_slug, name) for name in ("client_id", "client_secret"))
        raise NotConfigured(
            f"The sign-in to {registry.provider(provider_slug).display_name} is not configured here: the"
            f" operator has to run catchment oauth set {provider_slug}, or to start the API with"
            f" {' and '.join(names)}."
        )
    return kept.client(provider_slug)


def known(context: Context, provider_slug: str) -> Client | None:
    """Return the same where there is one that can be read, for runs that renew tokens."""
    try:
        return client_for(context, provider_slug)
    except (UsageError, WrongKey):
        return None


def keep(context: Context, provider_slug: str, values: Mapping[str, Any]) -> None:
    """Keep a client, in place of the one that was there.

    Args:
        context: The surroundings.
        provider_slug: Whose.
        values: Fields of `ClientSettings`.

    Raises:
        NotFound: No such provider is known.
        UsageError: Its people do not sign in in the browser.
        ConfigRejected: A field is missing or cannot be; none of the values is repeated.
    """
    _require_vendor(provider_slug)
    try:
        read = ClientSettings.model_validate(dict(values))
    except ValidationError as error:
        raise rejected(error, "credential") from None
    name = _PREFIX + provider_slug
    data = context.key.seal(name, json.dumps(read.reveal()).encode())
    with writing(context.engine) as connection:
        sealed.put(connection, name, data, now=context.clock.now())


def forget(context: Context, provider_slug: str) -> None:
    """Forget a client.

    Raises:
        NotFound: None is kept.
    """
    with writing(context.engine) as connection:
        if not sealed.drop(connection, _PREFIX + provider_slug):
            raise NotFound(f"No client is kept for {provider_slug}.", remedy="See: catchment oauth list.")


def kept(context: Context) -> dict[str, float]:
    """Return the providers that have a client, and when each was set."""
    with reading(context.engine) as connection:
        found = sealed.names(connection, _PREFIX)
    return {name.removeprefix(_PREFIX): at for name, at in found}


def take_over(context: Context, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Keep the clients that the environment gives, where they are new or differ; returns their providers.

    Raises:
        ConfigRejected: One of them has an id without a secret, or the other way round.
    """
    taken = []
    for slug in oauth.VENDORS:
        given = oauth.from_environment(slug, environ)
        if given and not _is_kept(context, slug, given):
            keep(context, slug, given)
            taken.append(slug)
    return taken


def _is_kept(context: Context, slug: str, given: Mapping[str, str]) -> bool:
    try:
        known = _kept(context, slug)
    except WrongKey:
        return False
    return known is not None and known.reveal() == given


def _kept(context: Context, slug: str) -> ClientSettings | None:
    name = _PREFIX + slug
    with reading(context.engine) as connection:
        data = sealed.get(connection, name)
    return ClientSettings.model_validate_json(context.key.open(name, data)) if data is not None else None


def _require_vendor(slug: str) -> None:
    provider = registry.provider(slug)
    if catalog.auth_type(provider) != "oauth2" or slug not in oauth.VENDORS:
        raise UsageError(
            f"{provider.display_name} has no sign-in in the browser.", remedy="Give its credentials."
        )
