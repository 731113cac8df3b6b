"""The bodies of this face: what it takes, and what it answers. Names are those that clients know."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from catchment.core.errors import UsageError
from catchment.core.runs import Mode
from catchment.services.schedules import prefect_schedule

T = TypeVar("T")

ConnectorState = Literal["pending", "active", "paused", "error"]
SyncState = Literal["running", "completed", "failed", "cancelled"]


class One(BaseModel, Generic[T]):
    """The envelope of one thing."""

    data: T


class Meta(BaseModel):
    """Where a list goes on."""

    next_cursor: str | None
    has_more: bool


class Many(BaseModel, Generic[T]):
    """The envelope of a list."""

    data: list[T]
    meta: Meta


def _readable(schedule: str) -> str:
    try:
        prefect_schedule(schedule)
    except UsageError as error:
        raise ValueError(str(error)) from None
    return schedule


def _said(name: str) -> str:
    if not name.strip():
        raise ValueError("A name has more than blanks")
    return name


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_said)]
Schedule = Annotated[
    str,
    Field(max_length=100, examples=["every 6 hours", "0 6 * * 1-5"]),
    AfterValidator(_readable),
]


class NewConnector(BaseModel):
    """A connector to be made."""

    # What we do not know is ignored, and still makes another request under an idempotency key.
    model_config = ConfigDict(extra="allow")

    provider_slug: str = Field(min_length=1, max_length=100, examples=["google-drive"])
    credential: dict[str, Any] | None = Field(
        None, description="What the provider signs in with; needed unless its auth_type is none."
    )
    scope_config: dict[str, Any] = Field(default_factory=dict, description="What is to be synced.")
    name: Name | None = None
    schedule: Schedule | None = None


class ChangedConnector(BaseModel):
    """What of a connector is to change; what is absent or null stays, but for `schedule`."""

    provider_slug: str | None = Field(None, description="Cannot change.")
    credential: dict[str, Any] | None = Field(None, description="Replaces the old one, whole.")
    scope_config: dict[str, Any] | None = Field(None, description="Replaces the old one, whole.")
    status: Literal["active", "paused"] | None = None
    name: Name | None = None
    schedule: Schedule | None = Field(None, description="null takes the schedule away.")


class Connector(BaseModel):
    """A link between a collection and an external service."""

    id: str
    collection_id: str
    provider_slug: str
    principal_id: str
    scope_config: dict[str, Any]
    status: ConnectorState
    created_at: str
    updated_at: str
    name: str
    schedule: str | None
    last_synced_at: str | None
    error_message: str | None


class NewSync(BaseModel):
    """How to sync; without a body: automatically, everything."""

    model_config = ConfigDict(extra="allow")

    sync_mode: Mode = Mode.AUTO
    file_filter: list[Annotated[str, Field(min_length=1, max_length=4096)]] | None = Field(
        None, max_length=1000, description="Exact paths or ids; only these are looked at."
    )


class Sync(BaseModel):
    """A single execution of an import."""

    id: str
    collection_connector_id: str
    status: SyncState
    records_fetched: int
    metadata: dict[str, Any]
    created_at: str
    started_at: str | None
    completed_at: str | None
    error_message: str | None


class Resource(BaseModel):
    """Something at the source that can be chosen."""

    id: str
    name: str
    type: str
    parent_id: str | None
    has_children: bool
    selectable: bool
    size: int | None
    modified_at: str | None
    selected: bool


class NewSpace(BaseModel):
    """A space to be made."""

    name: Name


class Space(BaseModel):
    """A room with collections, and roles of its own."""

    id: str
    space_id: str
    name: str
    role: str | None
    created_at: str


class MadeSpace(Space):
    """A space that was made; the same again in the usual envelope."""

    data: Space


class NewCollection(BaseModel):
    """A collection to be made."""

    name: Name
    description: str | None = Field(None, max_length=4000)


class ChangedCollection(BaseModel):
    """What of a collection is to change; what is absent stays."""

    name: Name | None = None
    description: str | None = Field(None, max_length=4000)


class Collection(BaseModel):
    """A set of documents that can be searched."""

    id: str
    collection_id: str
    space_id: str
    name: str
    description: str | None
    connectors: int
    documents: int
    created_at: str


class MadeCollection(Collection):
    """A collection that was made; the same again in the usual envelope."""

    data: Collection


RoleKey = Literal["space.viewer", "space.editor", "space.admin"]


class Member(BaseModel):
    """Somebody with a role in a space."""

    principal_id: str
    name: str
    kind: str
    role_key: str


class Role(BaseModel):
    """A role in a space."""

    role_id: str
    role_key: str


class GivenRole(BaseModel):
    """A role to be given, by its id or key; they are the same here."""

    role_id: RoleKey | None = None
    role_key: RoleKey | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> GivenRole:
        if self.role_id is None and self.role_key is None:
            raise ValueError("role_key or role_id is needed")
        return self


class Principal(BaseModel):
    """Who calls."""

    id: str
    principal_id: str
    kind: str
    name: str
    tenant_id: str
    role: str


class Membership(BaseModel):
    """A tenant that one belongs to."""

    tenant_id: str
    tenant_name: str
    role: str


class ScopeName(BaseModel):
    """A permission to grant at the provider."""

    name: str
    description: str


class Provider(BaseModel):
    """A service that connectors can be made for."""

    id: str
    provider_slug: str
    display_name: str
    auth_type: Literal["none", "key", "oauth2"]
    execution_strategy: str
    default_scopes: list[ScopeName]
    config_schema: dict[str, Any]
    setup_complete: bool
    installed: bool


class File(BaseModel):
    """A file that was handed in."""

    id: str
    name: str
    size: int
    status: str


class Upload(BaseModel):
    """What became of files that were handed in; they are read in the background."""

    source_ids: list[str]
    collection_id: str
    connector_id: str
    sync_id: str
    files: list[File]


class TakenUpload(Upload):
    """What became of files that were handed in; the same again in the usual envelope."""

    data: Upload


class AuthorizationUrl(BaseModel):
    """Where a person signs in."""

    authorization_url: str
    state: str
