"""Shapes that this face sends: what the document of the API promises, and what answers are checked by."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

T = TypeVar("T")

ConnectorState = Literal["active", "paused", "error", "inactive"]
JobState = Literal["queued", "running", "completed", "failed", "cancelled"]
DocumentState = Literal["indexed", "pending", "failed"]
FileState = Literal["indexed", "pending", "failed", "skipped", "deleted"]


class Sent(BaseModel):
    """What all of them have in common: names in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Meta(Sent):
    """What every answer says beside its data."""

    request_id: str
    timestamp: str


class ListMeta(Meta):
    """What a list says beside its page."""

    total: int
    limit: int
    offset: int


class SearchMeta(Meta):
    """What a search says beside its results; `took` is in milliseconds."""

    took: int


class One(Sent, Generic[T]):
    """One thing."""

    data: T
    meta: Meta


class Many(Sent, Generic[T]):
    """A page of things."""

    data: list[T]
    meta: ListMeta


class Searched(Sent, Generic[T]):
    """Results of a search."""

    data: T
    meta: SearchMeta


class Connector(Sent):
    """A connector; what it signs in with is in no answer."""

    id: str
    name: str
    type: str
    status: ConnectorState
    collection: str
    last_sync: str | None = Field(examples=["2024-01-20T14:00:00Z"])
    created_at: str = Field(examples=["2024-01-20T14:00:00Z"])
    updated_at: str
    config: dict[str, Any]
    schedule: str | None
    enabled: bool
    document_count: int
    error_message: str | None


class UpdatedConnector(Connector):
    """A connector after a change, and how many of its documents its settings leave out now."""

    documents_outside: int


class Deleted(Sent):
    """Something is gone."""

    id: str
    deleted: Literal[True]


class Job(Sent):
    """A job that was asked for."""

    job_id: str
    status: JobState
    started_at: str


class Progress(Sent):
    """How far a job has got; the numbers only grow."""

    collected: int
    fetched: int
    parsed: int
    indexed: int
    skipped: int
    failed: int
    deleted: int


class JobError(Sent):
    """Why a job failed."""

    code: str
    message: str


class ItemError(Sent):
    """Why one item failed."""

    path: str
    stage: str | None
    reason: str | None
    message: str | None


class JobStatus(Job):
    """A job, and what has come of it so far."""

    kind: str
    mode: str
    trigger: str
    strategy: str | None
    reason: str | None
    progress: Progress
    completed_at: str | None
    error: JobError | None
    errors: list[ItemError]


class Test(Sent):
    """What a try of a connection came to."""

    success: bool
    message: str
    latency_ms: int


class Document(Sent):
    """A document, without its text."""

    id: str
    title: str
    path: str
    url: str | None
    status: DocumentState
    stale: bool
    content_type: str
    size: int | None
    author: str | None
    tags: list[str]
    collection: str
    connector_id: str
    metadata: dict[str, Any]
    created_at: str
    updated_at: str
    indexed_at: str


class FullDocument(Document):
    """A document with its text."""

    content: str


class Content(Sent):
    """The text of a document."""

    id: str
    title: str
    content_type: str
    content: str


class Summary(Sent):
    """How a document begins."""

    id: str
    title: str
    summary: str


class File(Sent):
    """An item as the source showed it last, or a file that was handed in."""

    id: str
    path: str
    size: int | None
    content_type: str | None
    version: str | None
    modified_at: str | None
    origin: str
    document_id: str | None
    status: FileState
    error: str | None


class Upload(Sent):
    """Files that were taken in, and the job that reads them."""

    files: list[File]
    job_id: str
    status: JobState
    started_at: str


class FilesDeleted(Sent):
    """What became of the files that were named."""

    deleted: int
    not_found: list[str]


class OAuthStart(Sent):
    """Where to send the browser, and what comes back with it."""

    auth_url: str
    state: str


class Collection(Sent):
    """A collection, and how much is in it."""

    id: str
    name: str
    description: str | None
    embedding_model: str | None
    document_count: int
    connector_count: int
    created_at: str


class ResultMetadata(Sent):
    """Where a result comes from; `source` is the id of its connector."""

    source: str
    collection: str
    created_at: str


class Result(Sent):
    """One document that was found, by its best part."""

    id: str
    title: str
    content: str
    score: float = Field(ge=0, le=1)
    path: str
    url: str | None
    content_type: str
    author: str | None
    metadata: ResultMetadata
    highlights: list[str]


class FacetValue(Sent):
    """How often a value occurs among the results."""

    value: str
    count: int


class Results(Sent):
    """What was found; `total` is at least the number of matches where `totalIsExact` is false."""

    results: list[Result]
    total: int
    total_is_exact: bool
    facets: dict[str, list[FacetValue]]
