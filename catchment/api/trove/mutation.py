"""What can be changed: connectors, their runs, and documents."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import UNSET

from catchment.api import ids
from catchment.api.trove.asked import Asked
from catchment.api.trove.scalars import Json
from catchment.api.trove.types import Asking, Connector, Document, ExecutionMode, SyncRun
from catchment.core.errors import Conflict, NotFound, UsageError
from catchment.kit import registry
from catchment.services import (
    connectors,
    deletion,
    inline_secrets,
    library,
    reach,
    removal,
    saved,
    syncs,
    updating,
)
from catchment.services.updating import KEEP, Changes
from catchment.store.rows import ConnectorRow

SCHEDULES = ("every 30 minutes", "every hour", "every 6 hours", "every 12 hours", "daily")
MOST_NAME = 255
MOST_WORDS = 10_000
_WRITES = "editor"


@strawberry.input(description="A connector to be made.")
class CreateConnectorInput:
    """What a new connector is to be."""

    connector_type: str
    name: str
    execution: ExecutionMode
    config: Json
    description: str | None = None
    icon: str | None = None
    schedule: str | None = None


@strawberry.input(description="What is to change; what is not given stays, and config is replaced whole.")
class UpdateConnectorInput:
    """Changes of a connector."""

    name: str | None = UNSET
    description: str | None = UNSET
    config: Json | None = UNSET
    schedule: str | None = UNSET


@strawberry.input(description="A document to be saved by hand.")
class SaveDocumentInput:
    """What is saved."""

    text: str
    title: str | None = None
    url: str | None = None
    author: str | None = None
    tags: list[str] | None = None
    content_type: str | None = None
    metadata: Json | None = None


@strawberry.type
class Mutation:
    """Writes; they need the role editor."""

    @strawberry.mutation
    def create_connector(self, info: Asking, input: CreateConnectorInput) -> Connector:
        """Make a connector; its source is not contacted."""
        asked = _writer(info)
        home = reach.default_collection(asked.context, asked.caller)
        asked.caller.require_space_role(home.space_id, _WRITES)
        _check_words(input.name, input.description, input.icon)
        _check_schedule(input.schedule)
        is_pushed = input.execution is ExecutionMode.LOCAL
        provider = _provider(input.connector_type, is_pushed=is_pushed)
        parted = inline_secrets.part(asked.context, provider, _config(input.config), pushed=is_pushed)
        row = connectors.add(
            asked.context,
            provider,
            parted.config,
            name=input.name,
            credentials=parted.credentials,
            schedule=input.schedule,
            trusted=False,
            pushed=is_pushed,
            tenant_id=asked.caller.tenant_id,
            collection_pk=home.pk,
            created_by=asked.caller.principal_id,
            description=input.description,
            icon=input.icon,
            may_lack=True,
        )
        return _shown(asked, row)

    @strawberry.mutation
    def update_connector(
        self,
        info: Asking,
        id: strawberry.ID,
        input: UpdateConnectorInput,
    ) -> Connector:
        """Change a connector; all of it is looked at before anything changes."""
        asked = _writer(info)
        row = _connector(asked, id)
        name = _given(input.name)
        _check_words(name, _given(input.description), None)
        schedule = KEEP if input.schedule is UNSET else input.schedule
        if schedule is not KEEP and schedule != row.schedule:
            _check_schedule(schedule)
        config: dict[str, Any] | None = None
        credentials: dict[str, Any] | None = None
        if _given(input.config) is not None:
            parted = inline_secrets.part(
                asked.context,
                row.provider,
                _config(input.config),
                pushed=row.execution == registry.PUSHED,
                connector=row,
            )
            config, credentials = parted.config, parted.credentials
        changes = Changes(
            name=name,
            description=KEEP if input.description is UNSET else input.description,
            config=config,
            credentials=credentials,
            schedule=schedule,
        )
        return _shown(asked, updating.update(asked.context, row, changes).connector)

    @strawberry.mutation
    def delete_connector(self, info: Asking, id: strawberry.ID) -> bool:
        """Remove a connector with its documents; its run is cancelled first."""
        asked = _writer(info)
        removal.remove(asked.context, _connector(asked, id))
        return True

    @strawberry.mutation
    def pause_connector(self, info: Asking, id: strawberry.ID) -> Connector:
        """Let a connector rest: nothing is synced, and nothing is taken from pushes."""
        return _paused(_writer(info), id, paused=True)

    @strawberry.mutation
    def resume_connector(self, info: Asking, id: strawberry.ID) -> Connector:
        """Let a connector go on."""
        return _paused(_writer(info), id, paused=False)

    @strawberry.mutation
    def trigger_sync(self, info: Asking, connector_id: strawberry.ID) -> SyncRun:
        """Sync a connector now."""
        asked = _writer(info)
        return SyncRun(row=syncs.trigger(asked.context, _connector(asked, connector_id)))

    @strawberry.mutation
    def cancel_sync(self, info: Asking, connector_id: strawberry.ID) -> SyncRun:
        """Stop the run of a connector; what it has indexed stays."""
        asked = _writer(info)
        run = library.unfinished_run(asked.context, _connector(asked, connector_id))
        if run is None:
            raise Conflict("No sync of this connector is running.")
        return SyncRun(row=syncs.cancel(asked.context, run))

    @strawberry.mutation
    def save_document(self, info: Asking, input: SaveDocumentInput) -> Document:
        """Save a document by hand, in the connector Manual Saves, which is made on first use."""
        asked = _writer(info)
        home = reach.default_collection(asked.context, asked.caller)
        asked.caller.require_space_role(home.space_id, _WRITES)
        document = {
            "text": input.text,
            "title": input.title,
            "url": input.url,
            "author": input.author,
            "tags": input.tags,
            "content_type": input.content_type,
            "metadata": input.metadata,
        }
        row = saved.save(asked.context, document, tenant_id=asked.caller.tenant_id)
        asked.forget()
        return Document(row=row)

    @strawberry.mutation
    def delete_document(self, info: Asking, id: strawberry.ID) -> bool:
        """Delete a document; the source is not touched."""
        asked = _writer(info)
        inner = ids.parse("document", id)
        if inner is None:
            raise NotFound("Document not found")
        row = library.document(asked.context, asked.caller, inner)
        _require_role(asked, asked.seen[row.connector_pk])
        deletion.delete_document(asked.context, row)
        asked.forget()
        return True


def _writer(info: Asking) -> Asked:
    info.context.caller.require_role(_WRITES)
    return info.context


def _connector(asked: Asked, connector_id: str) -> ConnectorRow:
    inner = ids.read("connector", connector_id)
    return library.seen_connector(asked.context, asked.caller, inner, least=_WRITES)


def _require_role(asked: Asked, row: ConnectorRow) -> None:
    space = reach.collection_of(asked.context, row).space_id
    asked.caller.require_space_role(space, _WRITES)


def _shown(asked: Asked, row: ConnectorRow) -> Connector:
    asked.forget()
    return Connector(row=row)


def _paused(asked: Asked, connector_id: str, *, paused: bool) -> Connector:
    row = _connector(asked, connector_id)
    if row.paused != paused:
        row = connectors.set_paused(asked.context, row, paused=paused)
    return _shown(asked, row)


def _given(value: Any) -> Any:
    return None if value is UNSET else value


def _provider(name: str, *, is_pushed: bool) -> str:
    """Return the provider that is meant: of a connector that is pushed to, any word."""
    if not 0 < len(name.strip()) <= MOST_NAME:
        raise UsageError(f"connectorType must have 1 to {MOST_NAME} characters.")
    if is_pushed:
        return name
    slug = name.replace("_", "-")
    if slug not in registry.known():
        raise UsageError(f"CLOUD connectors are of a built-in type: {', '.join(registry.known())}.")
    return slug


def _config(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError("config must be an object.")
    return value


def _check_words(name: str | None, *others: str | None) -> None:
    if name is not None and not 0 < len(name.strip()) <= MOST_NAME:
        raise UsageError(f"name must have 1 to {MOST_NAME} characters.")
    if any(len(other or "") > MOST_WORDS for other in others):
        raise UsageError(f"description and icon have at most {MOST_WORDS:,} characters.")


def _check_schedule(schedule: str | None) -> None:
    if schedule is not None and schedule not in SCHEDULES:
        raise UsageError(f"schedule must be one of: {', '.join(SCHEDULES)}.")
