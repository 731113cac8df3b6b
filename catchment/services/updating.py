"""Several changes of a connector at once: all of them are looked at before the first one is made."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from msgspec import Struct

from catchment.core.errors import Conflict
from catchment.core.runs import ConnectorStatus
from catchment.kit import registry
from catchment.kit.spelling import in_one_spelling
from catchment.services import connectors
from catchment.services.connectors import Edited
from catchment.services.context import Context
from catchment.services.schedules import prefect_schedule
from catchment.store.rows import ConnectorRow
from catchment.sync.begin import read_config, read_credentials


class Keep(Enum):
    """Stands for: leave it as it is, where None means something else."""

    KEEP = "keep"


KEEP = Keep.KEEP


class Changes(Struct, frozen=True):
    """What is to change; what is not given stays.

    Attributes:
        name: What people call it.
        description: What it is for; None takes it away.
        config: All its settings, in place of those it had; see `merged`.
        credentials: What it signs in with, in place of what it had.
        schedule: When it is synced; None takes the schedule away.
        paused: Whether it rests.
    """

    name: str | None = None
    description: str | Keep | None = KEEP
    config: Mapping[str, Any] | None = None
    credentials: Mapping[str, Any] | None = None
    schedule: str | Keep | None = KEEP
    paused: bool | None = None


def merged(connector: ConnectorRow, part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a connector's settings with some of them changed; None takes one away."""
    model = registry.provider_of(connector).config_model
    # Both in one spelling, so that a setting sent in another one does not stand beside the old value.
    both = {**in_one_spelling(model, connector.config), **in_one_spelling(model, part)}
    return {name: value for name, value in both.items() if value is not None}


def update(context: Context, connector: ConnectorRow, changes: Changes) -> Edited:
    """Make changes of a connector, none where one of them cannot be.

    Raises:
        ConfigRejected: A setting or credential cannot work.
        UsageError: The schedule cannot be read, or the provider takes no credentials.
        Conflict: It is to rest or go on, and its set-up is not finished.
        Unavailable: Prefect is away; nothing was changed.
    """
    _require_possible(connector, changes)
    if connector.execution != registry.PUSHED:
        connectors.orchestrator(context).deployment(connector)
    if changes.credentials is not None:
        connector = connectors.set_credentials(context, connector, changes.credentials)
    if not isinstance(changes.schedule, Keep) and changes.schedule != connector.schedule:
        connector = connectors.set_schedule(context, connector, changes.schedule)
    if changes.paused is not None and changes.paused != connector.paused:
        connector = connectors.set_paused(context, connector, paused=changes.paused)
    settings = None
    if changes.config is not None:
        settings = {**dict.fromkeys(connector.config), **changes.config}
    words = {} if isinstance(changes.description, Keep) else {"description": changes.description}
    if changes.name is None and settings is None and not words:
        return Edited(connector, 0)
    return connectors.edit(context, connector, name=changes.name, changes=settings, **words)


def _require_possible(connector: ConnectorRow, changes: Changes) -> None:
    provider = registry.provider_of(connector)
    if changes.config is not None:
        read_config(provider, dict(changes.config))
    if changes.credentials is not None and provider.credentials_model is not None:
        read_credentials(provider, dict(changes.credentials))
    if isinstance(changes.schedule, str):
        prefect_schedule(changes.schedule)
    waits = connector.status == ConnectorStatus.SETUP and changes.credentials is None
    if waits and changes.paused is not None and changes.paused != connector.paused:
        raise Conflict("The connector's set-up is not finished.", remedy="Give it credentials first.")
