"""From a claim to a run that can work: source, settings, credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from catchment.core.errors import AuthRejected, ConfigRejected
from catchment.core.runs import RunKind
from catchment.core.secrets import holds_secret, without_secrets
from catchment.kit import registry
from catchment.kit.config import SourceConfig, SourceCredentials
from catchment.kit.registry import PUSHED, AnyConnector
from catchment.kit.session import Session
from catchment.kit.spelling import spelled
from catchment.store import meta, reserve
from catchment.store.engine import reading
from catchment.store.index import index_for
from catchment.store.rows import ConnectorRow
from catchment.sync.claim import Claimed
from catchment.sync.run import Run, Surroundings
from catchment.sync.stop import StopSignal

if TYPE_CHECKING:
    from catchment.kit.oauth import Client
    from catchment.sync.handed_in import Kept

Credentials = dict[str, Any]


def read_config(provider: type[AnyConnector], config: dict[str, Any]) -> SourceConfig:
    """Read the settings of a connector.

    Raises:
        ConfigRejected: A setting is unknown, cannot work, or holds a secret; none of the values is repeated.
    """
    refuse_secrets(provider, config)
    try:
        return provider.config_model.model_validate(spelled(provider.config_model, config))
    except ValidationError as error:
        raise rejected(error, "setting") from None


def refuse_secrets(provider: type[AnyConnector], config: Mapping[str, Any]) -> None:
    """Let no URL with a password or a key in it become a setting: settings are shown.

    Raises:
        ConfigRejected: A setting holds one; it says where credentials go.
    """
    for name, value in config.items():
        if holds_secret({name: value}):
            shown = without_secrets(name)
            names = ", ".join(provider.credentials_model.model_fields) if provider.credentials_model else ""
            raise ConfigRejected(
                f"The setting {shown} holds a password or a key inside a URL, and settings are shown:"
                + (f" give it as credentials ({names})." if names else " leave it out."),
                setting=shown,
                remedy="Write the URL without it.",
            )


def read_credentials(provider: type[AnyConnector], values: Credentials | None) -> SourceCredentials | None:
    """Read the credentials of a connector.

    Raises:
        AuthRejected: They are missing.
        ConfigRejected: A field is missing or unknown; none of the values is repeated.
    """
    if provider.credentials_model is None or (values is None and not provider.credentials_required):
        return None
    if values is None:
        raise AuthRejected(
            f"{provider.display_name} needs credentials, and this connector has none.",
            remedy="Run: catchment connector credentials <connector>.",
        )
    try:
        return provider.credentials_model.model_validate(spelled(provider.credentials_model, values))
    except ValidationError as error:
        raise rejected(error, "credential") from None


def rejected(error: ValidationError, what: str) -> ConfigRejected:
    """Say what is wrong with a model's input, by field, without its values: they may be secrets."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or what
    message = first["msg"].removeprefix("Value error, ")
    return ConfigRejected(
        f"The {what} {name} cannot be used: {message}.".replace("..", "."),
        setting=name,
        remedy=f"Change the {what} {name}.",
        part="credentials" if what == "credential" else "config",
    )


def make_source(connector: ConnectorRow, credentials: Credentials | None, session: Session) -> AnyConnector:
    """Make the connector object of a stored connector.

    Raises:
        NotFound: Its provider is not known.
        NotInstalled: It is known, and its code is not installed.
        ConfigRejected: Its settings cannot work.
        AuthRejected: Its credentials are missing.
    """
    registry.require_installed(connector)
    provider = registry.provider_of(connector)
    config = read_config(provider, connector.config)
    return provider(config, read_credentials(provider, credentials), session)


def _kept_source(claimed: Claimed, around: Surroundings, session: Session) -> Kept | None:
    """Return what a run reads that asks no vendor; None for a run that does, as most do."""
    handed_in = claimed.run.kind in (RunKind.UPLOAD, RunKind.TRANSCRIBE)
    if not handed_in and claimed.connector.execution != PUSHED:
        return None
    # All others begin sooner without it.
    from catchment.sync.handed_in import kept_source

    return kept_source(claimed, around, session)


def begin_run(
    claimed: Claimed,
    surroundings: Surroundings,
    *,
    stop: StopSignal,
    credentials: Credentials | None = None,
    save_credentials: Callable[[SourceCredentials], None] | None = None,
    oauth_client: Callable[[str], Client | None] | None = None,
) -> Run:
    """Make the run of a claim; errors are the source's, and end the run as failed."""
    session = Session(stop=stop.event, clock=surroundings.clock, trusted=claimed.connector.trusted)
    if save_credentials is not None:
        session.save_credentials = save_credentials
    if oauth_client is not None:
        session.oauth_client = oauth_client
    kept = _kept_source(claimed, surroundings, session)
    source = kept or make_source(claimed.connector, credentials, session)
    with reading(surroundings.engine) as connection:
        store_id = meta.store_id(connection)
    run = Run(
        claimed.run,
        claimed.connector,
        source,
        index_for(surroundings.engine.dialect.name),
        surroundings,
        store_id=store_id,
        kept=kept,
        stop=stop,
    )
    session.on_wait = run.note_wait
    session.spool = lambda: run.spool
    reserve.keep(surroundings.engine)
    return run
