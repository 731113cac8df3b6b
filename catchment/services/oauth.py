"""Signing in to a source in the browser: begun by a caller, ended by the vendor's redirect.

What comes back must bring the state that was handed out: 32 random bytes, of which the store keeps a hash,
good once and for ten minutes. The vendor's redirect carries no token of ours, so who began it, and what is to
become of it, is kept with the state, and whether that person still may is looked at again.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from msgspec import Struct

from catchment.core.errors import ConfigRejected, Forbidden, NotFound, UsageError
from catchment.kit import registry
from catchment.services import connectors, inline_secrets, oauth_clients
from catchment.services.access import Caller, caller_of
from catchment.services.context import Context
from catchment.store import connectors as connector_store
from catchment.store import oauth as store
from catchment.store import spaces
from catchment.store.engine import reading, writing
from catchment.store.oauth import OAuthStateRow
from catchment.store.rows import ConnectorRow
from catchment.sync.begin import read_config

LIVES_SECONDS = 600
MOST_STATE_CHARACTERS = 512


class BadState(UsageError):
    """The vendor's redirect belongs to no sign-in that has begun here, or came too late."""

    code = "bad_state"


class BadAddress(UsageError):
    """The address to return to is none that a browser should be sent to."""

    code = "bad_address"


class Begun(Struct, frozen=True):
    """A sign-in that has begun: where to send the browser, and the state that comes back."""

    url: str
    state: str


class Ended(Struct, frozen=True):
    """A sign-in that came back.

    Attributes:
        connector: What it belongs to; None where the person, or the vendor, said no.
        return_to: Where the browser goes next (`with_query` tells it the outcome); None shows a page of ours.
        error: The vendor's word for the refusal.
    """

    connector: ConnectorRow | None
    return_to: str | None
    error: str | None = None


def begin(
    context: Context,
    caller: Caller,
    provider_slug: str,
    *,
    callback_url: str,
    connector: ConnectorRow | None = None,
    collection_pk: int | None = None,
    name: str | None = None,
    config: Mapping[str, Any] | None = None,
    return_to: str | None = None,
) -> Begun:
    """Begin a sign-in; nothing becomes of it until the vendor sends the browser back.

    Args:
        context: The surroundings.
        caller: Who begins it; it must be an editor of the space where the credentials will be used.
        provider_slug: Where to sign in.
        callback_url: Where the vendor sends the browser back to, exactly as the vendor knows it.
        connector: What gets the credentials; None makes a new one then.
        collection_pk: Where a new one lives, by default the tenant's first collection.
        name: What a new one is called.
        config: Settings of a new one.
        return_to: Where the browser goes in the end.

    Raises:
        NotFound: No such provider is known.
        NotConfigured: The operator has set no client for it.
        ConfigRejected: The settings of a new connector cannot work.
        BadAddress: The browser should not be sent there.
        UsageError: The provider has no such sign-in, or is not the connector's.
        Forbidden: The caller is no editor of the space.
    """
    caller.require_space_role(_space_of(context, caller.tenant_id, connector, collection_pk), "editor")
    client = oauth_clients.client_for(context, provider_slug)
    if return_to is not None:
        _require_address(return_to)
    if connector is None:
        parted = inline_secrets.part(context, provider_slug, config or {}, pushed=False)
        if parted.credentials is not None:
            raise ConfigRejected(
                "The sign-in brings the credentials: leave them out of the settings.",
                setting=next(name for name in config or {} if name not in parted.config),
            )
        read_config(registry.provider(provider_slug), parted.config)
    elif connector.provider != provider_slug or connector.execution == registry.PUSHED:
        raise UsageError("The connector belongs to another provider.")
    state, now = secrets.token_urlsafe(32), context.clock.now()
    with writing(context.engine) as connection:
        store.purge(connection, before=now - LIVES_SECONDS)
        store.add(
            connection,
            hash=_hash(state),
            tenant_id=caller.tenant_id,
            principal_id=caller.principal_id,
            provider=provider_slug,
            data={
                "callback_url": callback_url,
                "connector_id": connector.id if connector is not None else None,
                "collection_pk": collection_pk,
                "name": name,
                "config": dict(config or {}),
                "return_to": return_to,
            },
            created_at=now,
            expires_at=now + LIVES_SECONDS,
        )
    return Begun(client.address(state, callback_url), state)


def end(
    context: Context, provider_slug: str, *, state: str | None, code: str | None, error: str | None = None
) -> Ended:
    """Take what a vendor sent the browser back with; the connector has its credentials then.

    Raises:
        BadState: No sign-in with this state has begun, or it is used, or too old.
        Forbidden: Who began it may do so no more.
        NotFound: The connector is gone.
        AuthRejected: The vendor refuses the code.
        SourceDown: The vendor does not answer.
        Unavailable: Prefect, which keeps credentials, is away.
    """
    begun = _take(context, provider_slug, state or "")
    return_to = begun.data["return_to"]
    if error or not code:
        word = error[:100] if error else "no_code"
        return Ended(None, return_to, word)
    connector = _connector(context, begun)
    _require_role(context, begun, connector)
    client = oauth_clients.client_for(context, provider_slug)
    credentials = client.exchange(code, state or "", begun.data["callback_url"], context.clock.now())
    row = _keep(context, begun, connector, credentials)
    return Ended(row, return_to)


def _take(context: Context, provider_slug: str, state: str) -> OAuthStateRow:
    found = None
    if 0 < len(state) <= MOST_STATE_CHARACTERS:
        with writing(context.engine) as connection:
            found = store.take(connection, _hash(state), provider_slug, now=context.clock.now())
    if found is None:
        raise BadState("This sign-in has not begun here, or is too old.", remedy="Begin it again.")
    return found


def _connector(context: Context, begun: OAuthStateRow) -> ConnectorRow | None:
    """Return the connector that a sign-in was begun for; None where it is to make one."""
    wanted = begun.data["connector_id"]
    if wanted is None:
        return None
    with reading(context.engine) as connection:
        row = connector_store.by_id(connection, wanted)
    if row is None or row.deleted_at is not None:
        raise NotFound("The connector of this sign-in is gone.")
    return row


def _space_of(
    context: Context, tenant_id: str, connector: ConnectorRow | None, collection_pk: int | None
) -> str:
    """Return the space where what a sign-in brings will be used."""
    pk = connector.collection_pk if connector is not None else collection_pk
    with reading(context.engine) as connection:
        if pk is None:
            pk = connector_store.default_collection(connection, tenant_id)
        home = spaces.collection_by_pk(connection, pk)
    if home.deleted_at is not None:
        raise NotFound("The collection of this sign-in is gone.")
    return home.space_id


def _require_role(context: Context, begun: OAuthStateRow, connector: ConnectorRow | None) -> None:
    """Let only those end a sign-in who could begin it now: editors of the space."""
    space_id = _space_of(context, begun.tenant_id, connector, begun.data["collection_pk"])
    who = caller_of(context, begun.principal_id, begun.tenant_id)
    if who is None or not who.has_space_role(space_id, "editor"):
        raise Forbidden("Who began this sign-in may not end it any more.")


def _keep(
    context: Context, begun: OAuthStateRow, connector: ConnectorRow | None, credentials: Mapping[str, str]
) -> ConnectorRow:
    data, provider = begun.data, registry.provider(begun.provider)
    model = provider.credentials_model
    known = {name: value for name, value in credentials.items() if model and name in model.model_fields}
    if connector is not None:
        return connectors.set_credentials(context, connector, known)
    return connectors.add(
        context,
        begun.provider,
        data["config"],
        name=data["name"],
        credentials=known,
        trusted=False,
        tenant_id=begun.tenant_id,
        collection_pk=data["collection_pk"],
        created_by=begun.principal_id,
    )


def _require_address(text: str) -> None:
    """Only pages: a browser must not be sent to a script or a file."""
    try:
        parts = urlsplit(text)
        is_page = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_page = False
    if not is_page or any(ord(sign) <= 32 or ord(sign) == 127 for sign in text) or "\\" in text:
        raise BadAddress("The address to return to is no http or https address.")


def with_query(address: str, **told: str) -> str:
    """Return an address with more in its query."""
    parts = urlsplit(address)
    query = f"{parts.query}&{urlencode(told)}" if parts.query else urlencode(told)
    return urlunsplit(parts._replace(query=query))


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()
