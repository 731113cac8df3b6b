"""Connectors: made, shown, changed, tried, paused, scheduled and removed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from pydantic import ValidationError

from catchment.core.errors import UsageError
from catchment.core.ids import new_id
from catchment.core.runs import ConnectorStatus
from catchment.kit import registry
from catchment.kit.catalog import holds_secrets, needs_credentials
from catchment.kit.connector import BrowsePage, Kind
from catchment.kit.health import Capability
from catchment.kit.push import Push
from catchment.kit.registry import PUSHED, AnyConnector
from catchment.kit.session import Session
from catchment.kit.spelling import in_one_spelling, spelled
from catchment.kit.url import SourceAddress
from catchment.services.context import Context
from catchment.services.names import connector_called
from catchment.services.orchestrator import Orchestrator, deployment_name
from catchment.services.schedules import prefect_schedule
from catchment.store import connectors, items, meta
from catchment.store.engine import reading, writing
from catchment.store.rows import ConnectorRow
from catchment.sync.begin import make_source, read_config, read_credentials, refuse_secrets

SLUG_CHARACTERS = 40
FETCHED = "CLOUD"
"""Execution of a connector that fetches by itself."""


def orchestrator(context: Context) -> Orchestrator:
    """Return the way to Prefect for this store.

    Raises:
        Unavailable: Prefect is away.
    """
    with reading(context.engine) as connection:
        store_id = meta.store_id(connection)
    return Orchestrator(context.prefect, store_id=store_id)


def find(context: Context, name: str) -> ConnectorRow:
    """Return the connector that is meant by an id, slug or name.

    Raises:
        NotFound: There is none.
        UsageError: There are several of that name.
    """
    return connector_called(context.engine, name)


def all_connectors(context: Context, tenant_id: str | None = None) -> list[ConnectorRow]:
    """Return the living connectors of one tenant, or of all, oldest first."""
    with reading(context.engine) as connection:
        return connectors.all_living(connection, tenant_id)


def counts(context: Context, connector: ConnectorRow) -> dict[str, int]:
    """Return how many items of a connector stand in each state."""
    with reading(context.engine) as connection:
        return items.count_by_state(connection, connector.pk)


def at_address(context: Context, provider: str, address: SourceAddress) -> ConnectorRow | None:
    """Return the connector to the source at an address, or None."""
    with reading(context.engine) as connection:
        tenant = connectors.default_tenant(connection)
        return connectors.by_identity(connection, tenant, provider, address.identity)


def for_address(context: Context, provider: str, address: SourceAddress) -> tuple[ConnectorRow, bool]:
    """Return the connector to the source at an address, and whether it had to be made.

    Secrets that stood in the address replace the credentials that the connector had; the name of a user
    alone does not.
    """
    found = at_address(context, provider, address)
    if found is None:
        made = add(context, provider, address.config, name=address.name, credentials=address.credentials)
        return made, True
    if holds_secrets(registry.provider(provider), address.credentials):
        set_credentials(context, found, address.credentials)
    return find(context, found.id), False


def add(
    context: Context,
    provider_slug: str,
    config: Mapping[str, Any],
    *,
    name: str | None = None,
    credentials: Mapping[str, Any] | None = None,
    schedule: str | None = None,
    trusted: bool = True,
    pushed: bool = False,
    tenant_id: str | None = None,
    collection_pk: int | None = None,
    created_by: str | None = None,
    description: str | None = None,
    icon: str | None = None,
    may_lack: bool = False,
) -> ConnectorRow:
    """Make a connector and its deployment; the source is not contacted.

    Args:
        context: The surroundings.
        provider_slug: Its provider; of a connector that is pushed to, any word.
        config: Its settings.
        name: What people call it; by default its provider's name.
        credentials: What it signs in with.
        schedule: When it is synced; of a connector that is pushed to it is kept and has no effect.
        trusted: Whether the operator of this machine makes it.
        pushed: Whether documents are pushed to it; it then needs no Prefect.
        tenant_id: Whose it is, by default the command line's.
        collection_pk: Where its documents go, by default the tenant's first collection.
        created_by: Id of the principal that makes it; None for the operator.
        description: What it is for.
        icon: Address of a picture, or a word for one.
        may_lack: Whether settings may be missing; it then waits for them, in setup.

    Raises:
        ConfigRejected: A setting is unknown, cannot work, or holds a secret.
        NotFound: No such provider is known.
        UsageError: The schedule cannot be read.
        Unavailable: Prefect is away; nothing was stored.
    """
    provider = Push if pushed else registry.provider(provider_slug)
    refuse_secrets(provider, config)
    waits = may_lack and lacks_settings(provider, config)
    checked = None if waits else read_config(provider, dict(config))
    secrets = _checked(provider, credentials) if credentials else None
    if schedule is not None:
        prefect_schedule(schedule)
    # Settings that cannot work are found before anything is stored.
    stored = checked.model_dump(mode="json", exclude_defaults=True) if checked is not None else dict(config)
    shown = name or (provider_slug if pushed else provider.display_name)
    row = _insert(
        context,
        stored,
        identity=provider.identity(stored) if checked is not None else "",
        name=shown,
        provider=provider_slug,
        execution=PUSHED if pushed else FETCHED,
        schedule=schedule,
        trusted=trusted,
        tenant_id=tenant_id,
        collection_pk=collection_pk,
        created_by=created_by,
        description=description,
        icon=icon,
    )
    values: dict[str, Any] = {}
    try:
        if secrets:
            values["credentials_block"] = orchestrator(context).write_credentials(row, secrets)
        if provider.kind is not Kind.PUSH:
            values["deployment_id"] = orchestrator(context).deploy(row)
    except BaseException:
        with writing(context.engine) as connection:
            connectors.forget(connection, row.pk)
        raise
    with writing(context.engine) as connection:
        waits = waits or (needs_credentials(provider) and not credentials)
        values["status"] = ConnectorStatus.SETUP if waits else ConnectorStatus.ACTIVE
        connectors.change(connection, row.pk, **values)
        return connectors.by_pk(connection, row.pk)


def _checked(provider: type[AnyConnector], credentials: Mapping[str, Any]) -> dict[str, Any]:
    """Return credentials under the names that their block has, so that all of it is kept secret."""
    read = read_credentials(provider, dict(credentials))
    return read.reveal() if read is not None else {}


def lacks_settings(provider: type[AnyConnector], config: Mapping[str, Any]) -> bool:
    """Tell whether settings are missing, and nothing else is wrong with those that are there."""
    try:
        provider.config_model.model_validate(spelled(provider.config_model, config))
    except ValidationError as error:
        return all(one["type"] == "missing" for one in error.errors(include_input=False))
    return False


def _insert(
    context: Context,
    config: dict[str, Any],
    *,
    name: str,
    tenant_id: str | None,
    collection_pk: int | None,
    **values: Any,
) -> ConnectorRow:
    now = context.clock.now()
    connector_id = new_id()
    with writing(context.engine) as connection:
        tenant = tenant_id or connectors.default_tenant(connection)
        slug = _free_slug(name, connectors.slugs_like(connection, tenant, _slug(name)))
        return connectors.add(
            connection,
            id=connector_id,
            tenant_id=tenant,
            collection_pk=collection_pk or connectors.default_collection(connection, tenant),
            slug=slug,
            name=name,
            config=config,
            status=ConnectorStatus.SETUP,
            deployment_name=deployment_name(slug, connector_id),
            created_at=now,
            updated_at=now,
            **values,
        )


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_CHARACTERS].strip("-") or "connector"


def _free_slug(name: str, taken: set[str]) -> str:
    slug, number = _slug(name), 2
    while slug in taken:
        slug = f"{_slug(name)}-{number}"
        number += 1
    return slug


class Edited(Struct, frozen=True):
    """What an edit did: the connector, and how many documents now lie outside its scope."""

    connector: ConnectorRow
    outside: int


def edit(
    context: Context,
    connector: ConnectorRow,
    *,
    name: str | None = None,
    changes: Mapping[str, Any] | None = None,
    **words: str | None,
) -> Edited:
    """Change the name, settings (None takes one away), description or icon; the next run follows.

    Raises:
        ConfigRejected: A setting is unknown or cannot work; nothing was changed.
    """
    provider = registry.provider_of(connector)
    values: dict[str, Any] = {"updated_at": context.clock.now(), **words}
    if name is not None:
        values["name"] = name
    if changes:
        model = provider.config_model
        merged = {**in_one_spelling(model, connector.config), **in_one_spelling(model, changes)}
        config = read_config(provider, {key: value for key, value in merged.items() if value is not None})
        stored = config.model_dump(mode="json", exclude_defaults=True)
        values.update(config=stored, identity=provider.identity(stored))
        waits = needs_credentials(provider) and connector.credentials_block is None
        if connector.status == ConnectorStatus.SETUP and not waits:
            values["status"] = ConnectorStatus.ACTIVE
    with writing(context.engine) as connection:
        connectors.change(connection, connector.pk, **values)
    fresh = find(context, connector.id)
    return Edited(fresh, _outside(context, fresh) if changes else 0)


def _outside(context: Context, connector: ConnectorRow) -> int:
    """Count the documents that the settings leave out now."""
    from catchment.kit.selection import Selection

    provider = registry.provider_of(connector)
    config = read_config(provider, connector.config)
    selection = Selection.of(config, max_file_bytes=context.sync.max_file_bytes)
    source = provider(config, None, Session(trusted=connector.trusted))
    with reading(context.engine) as connection:
        return sum(
            not (selection.admits(path) and source.admits(path))
            for path in items.document_paths(connection, connector.pk)
        )


def set_credentials(context: Context, connector: ConnectorRow, values: Mapping[str, Any]) -> ConnectorRow:
    """Replace a connector's credentials, whole.

    Raises:
        ConfigRejected: A field is missing or unknown, or the provider takes none.
        Unavailable: Prefect is away; nothing was changed.
    """
    provider = registry.provider_of(connector)
    if provider.credentials_model is None:
        raise UsageError(f"{provider.display_name} takes no credentials.")
    block = orchestrator(context).write_credentials(connector, _checked(provider, values))
    changed: dict[str, Any] = {"credentials_block": block, "updated_at": context.clock.now()}
    waits = connector.status == ConnectorStatus.SETUP and lacks_settings(provider, connector.config)
    if connector.status in (ConnectorStatus.SETUP, ConnectorStatus.ERROR) and not waits:
        changed.update(status=ConnectorStatus.ACTIVE, error_code=None, error_message=None)
    with writing(context.engine) as connection:
        connectors.change(connection, connector.pk, **changed)
    return find(context, connector.id)


def set_schedule(context: Context, connector: ConnectorRow, schedule: str | None) -> ConnectorRow:
    """Give a connector a schedule, or take it away.

    Raises:
        UsageError: The schedule cannot be read.
        Unavailable: Prefect is away; nothing was changed.
    """
    if schedule is not None:
        prefect_schedule(schedule)
    return _mirror(context, connector, schedule=schedule)


def set_paused(context: Context, connector: ConnectorRow, *, paused: bool) -> ConnectorRow:
    """Pause a connector, or let it go on.

    Raises:
        Unavailable: Prefect is away; nothing was changed.
    """
    if connector.status == ConnectorStatus.SETUP:
        raise UsageError("The connector's set-up is not finished.", remedy="Give it credentials first.")
    status = ConnectorStatus.PAUSED if paused else ConnectorStatus.ACTIVE
    return _mirror(context, connector, paused=paused, status=status)


def _mirror(context: Context, connector: ConnectorRow, **values: Any) -> ConnectorRow:
    """Change the row and then the deployment; when Prefect is away, the row is put back."""
    before = {name: getattr(connector, name) for name in values}
    with writing(context.engine) as connection:
        connectors.change(connection, connector.pk, updated_at=context.clock.now(), **values)
    fresh = find(context, connector.id)
    if connector.execution == PUSHED:
        return fresh
    try:
        way = orchestrator(context)
        if way.deployment(fresh) is None:
            deployment_id = way.deploy(fresh)
            with writing(context.engine) as connection:
                connectors.change(connection, connector.pk, deployment_id=deployment_id)
        else:
            way.schedule(fresh)
    except BaseException:
        with writing(context.engine) as connection:
            connectors.change(connection, connector.pk, **before)
        raise
    return find(context, connector.id)


def source_of(context: Context, connector: ConnectorRow, session: Session | None = None) -> AnyConnector:
    """Return the connector object of a stored connector, with its credentials.

    Raises:
        SourceError: Its settings or credentials cannot work.
        Unavailable: It needs credentials, and Prefect, which keeps them, is away.
    """
    credentials = None
    if connector.credentials_block is not None:
        credentials = orchestrator(context).read_credentials(connector)
    return make_source(connector, credentials, session or Session(trusted=connector.trusted))


def check(context: Context, connector: ConnectorRow) -> list[Capability]:
    """Try each thing that a sync of this connector needs."""
    return checked(source_of(context, connector))


def checked(source: AnyConnector) -> list[Capability]:
    """Try each thing that a sync of this source needs, and let go of it."""
    try:
        return source.check()
    finally:
        source.close()


def browse(
    context: Context, connector: ConnectorRow, parent_id: str | None = None, page: str | None = None
) -> BrowsePage:
    """Return what can be chosen below a resource of the source."""
    source = source_of(context, connector)
    try:
        return source.browse(parent_id, page)
    finally:
        source.close()


def blind_spots(connector: ConnectorRow) -> tuple[str, ...]:
    """Return what the source of a connector cannot tell, in words."""
    return registry.provider_of(connector).blind_spots
