"""Shapes that this face takes. Unknown fields are ignored; values of another type are refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

MOST_FILTER = 1000
MOST_IDS = 100
MORE_THAN_BLANKS = r"[^\s\x1c-\x1f\x85]"
"""Blanks are what Python strips, of which readers of the document leave some out of their own."""
Name = Annotated[str, Field(min_length=1, max_length=255, pattern=MORE_THAN_BLANKS)]
Word = Annotated[str, Field(min_length=1, max_length=64)]
Id = Annotated[str, Field(min_length=1, max_length=128)]
Path = Annotated[str, Field(min_length=1, max_length=4096)]


def _whole(value: Any) -> Any:
    """JSON knows no integers: 10.0 is as good as 10."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
Values = Annotated[list[Annotated[str, Field(max_length=255)]], Field(max_length=MOST_IDS)]


class Taken(BaseModel):
    """What all of them have in common: names in camelCase, types taken at their word."""

    model_config = ConfigDict(alias_generator=to_camel, strict=True)


class NewConnector(Taken):
    """A connector to be made."""

    name: Name
    type: Word
    collection: Id
    config: dict[str, Any] = Field(default_factory=dict)
    credentials: dict[str, Any] | None = None
    schedule: Word | None = None


class ConnectorChange(Taken):
    """What is to change of a connector; `config` is merged one level deep, and null takes a setting away."""

    name: Name | None = None
    config: dict[str, Any] | None = None
    credentials: dict[str, Any] | None = None
    schedule: Word | None = None
    enabled: bool | None = None
    type: Word | None = None
    collection: Id | None = None


class Trial(Taken):
    """Settings and credentials to try; nothing of them is stored."""

    type: Word
    config: dict[str, Any] = Field(default_factory=dict)
    credentials: dict[str, Any] | None = None


class SyncRequest(BaseModel):
    """How to sync. The one body whose names have underscores."""

    model_config = ConfigDict(strict=True)

    sync_mode: Literal["auto", "full", "incremental"] | None = Field(
        None, description="auto (the default), full or incremental."
    )
    file_filter: list[Path] | None = Field(
        None, max_length=MOST_FILTER, description="Exact source paths; full ignores them."
    )
    force_full_sync: bool | None = Field(
        None,
        description="The same as full, which is to be used instead.",
        # As a mark of the field itself, every look at it would warn.
        json_schema_extra={"deprecated": True},
    )


class FilesToDelete(Taken):
    """Files to take away, by path or by id."""

    paths: list[Path] = Field(default_factory=list, max_length=MOST_FILTER)
    ids: list[Id] = Field(default_factory=list, max_length=MOST_FILTER)


class OAuthRequest(Taken):
    """Where to sign in, and what is to become of it."""

    provider: Word | None = None
    type: Word | None = Field(None, description="Another name for provider.")
    collection: Id | None = None
    connector_id: Id | None = None
    name: Name | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    redirect_uri: Annotated[str, Field(max_length=2048)] | None = None


class NewCollection(Taken):
    """A collection to be made."""

    name: Name
    description: Annotated[str, Field(max_length=2000)] | None = None
    embedding_model: Word | None = None


class CollectionChange(Taken):
    """What is to change of a collection; what is not there stays."""

    name: Name | None = None
    description: Annotated[str, Field(max_length=2000)] | None = None
    embedding_model: Word | None = None


class DateRange(Taken):
    """From the first to the last day or moment, both included."""

    start: Word | None = None
    end: Word | None = None


class Filters(Taken):
    """What results must have. Of one list any value is enough, but for `tags`; all lists must be met."""

    topics: Values | None = None
    tags: Values | None = Field(None, description="Tags that a result must carry, every one of them.")
    authors: Values | None = None
    content_types: Values | None = Field(None, description="Media types.")
    departments: Values | None = None
    languages: Values | None = None
    date_range: DateRange | None = None
    sources: Values | None = Field(None, description="Ids of connectors.")


class SearchRequest(Taken):
    """What to look for."""

    query: Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]
    collections: Values | None = None
    limit: Whole = Field(10, ge=1, le=100)
    offset: Whole = Field(0, ge=0, le=10_000)
    filters: Filters | None = None
    rerank: bool = True
