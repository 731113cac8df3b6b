"""Trying a connection: does the source answer, and may what a sync needs be done? Nothing is stored."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec import Struct, field

from catchment.core.errors import CatchmentError, ConfigRejected, RunCancelled, Unavailable
from catchment.kit import registry
from catchment.kit.health import Capability, Health
from catchment.kit.registry import AnyConnector
from catchment.kit.session import Session
from catchment.services import connectors
from catchment.services.context import Context
from catchment.store.rows import ConnectorRow
from catchment.sync.begin import read_config, read_credentials

ITEMS_CAPABILITY = "read"
"""What `check` calls the reading of single items: one that cannot be read is a failure of that item."""
MOST_SECONDS = 30.0
"""A source that has not answered by then is told to stop waiting."""


class Tried(Struct, frozen=True):
    """What a try came to.

    Attributes:
        success: Everything that a sync needs works.
        message: One sentence for a person.
        latency_ms: How long the source took.
        capabilities: Each thing that was tried.
    """

    success: bool
    message: str
    latency_ms: int
    capabilities: list[Capability] = field(default_factory=list)


def try_settings(
    provider_slug: str,
    config: Mapping[str, Any],
    credentials: Mapping[str, Any] | None = None,
    *,
    trusted: bool = False,
) -> Tried:
    """Try settings and credentials before they are stored.

    A source that refuses is a result, and no error.

    Args:
        provider_slug: Which provider.
        config: Settings.
        credentials: What to sign in with; None where nothing is needed.
        trusted: Whether the operator of this machine asks.

    Raises:
        NotFound: No such provider is known.
        ConfigRejected: A setting or credential is missing, unknown or malformed.
    """
    provider = registry.provider(provider_slug)
    settings = read_config(provider, dict(config))
    signed = read_credentials(provider, dict(credentials)) if credentials else None

    def make(session: Session) -> AnyConnector:
        if signed is None:
            read_credentials(provider, None)
        return provider(settings, signed, session)

    with _session(trusted=trusted) as session:
        return _try(make, session)


def try_connector(context: Context, connector: ConnectorRow) -> Tried:
    """Try a stored connector with the credentials it has.

    Raises:
        Unavailable: Prefect, which keeps its credentials, is away.
    """
    with _session(trusted=connector.trusted) as session:
        return _try(lambda given: connectors.source_of(context, connector, given), session)


def require_working(
    provider_slug: str, config: Mapping[str, Any], credentials: Mapping[str, Any], *, is_new: bool = True
) -> None:
    """Refuse what the operator is about to store, unless the source can be synced with it.

    Whether single items can be read shows in the sync.

    Args:
        provider_slug: Which provider.
        config: Settings.
        credentials: What to sign in with.
        is_new: Whether the connector is still to be made. Of one that is there only the credentials are new:
            what has gone at its source since, such as all keys of a prefix, is for its run to tell.

    Raises:
        ConfigRejected: It cannot be reached, signed in to or listed; the message names the setting.
    """
    provider = registry.provider(provider_slug)
    settings = read_config(provider, dict(config))
    if not credentials and provider.credentials_model is not None and provider.credentials_required:
        return  # made without them, the connector waits for its credentials
    source = provider(settings, read_credentials(provider, dict(credentials) or None), Session())
    for result in connectors.checked(source):
        if not is_new and result.health is Health.MISCONFIGURED:
            continue
        if result.health is not Health.OK and result.name != ITEMS_CAPABILITY:
            raise ConfigRejected(result.message, setting=result.setting, remedy=result.remedy)


@contextmanager
def _session(*, trusted: bool) -> Iterator[Session]:
    session = Session(trusted=trusted)
    timer = threading.Timer(MOST_SECONDS, session.stop.set)
    timer.daemon = True
    timer.start()
    try:
        yield session
    finally:
        timer.cancel()


def _try(make: Any, session: Session) -> Tried:
    since = time.monotonic()
    try:
        results = connectors.checked(make(session))
    except Unavailable:
        raise
    except RunCancelled:
        return Tried(False, f"The source did not answer within {MOST_SECONDS:.0f} seconds.", _since(since))
    except CatchmentError as error:
        return Tried(False, str(error), _since(since))
    bad = [result for result in results if result.health is not Health.OK]
    if bad:
        return Tried(False, f"{bad[0].message} {bad[0].remedy}".strip(), _since(since), results)
    message = results[-1].message if results else "Nothing has to be reached."
    return Tried(True, message, _since(since), results)


def _since(since: float) -> int:
    return round((time.monotonic() - since) * 1000)
