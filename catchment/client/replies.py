"""What the client answers with: the replies of the faces, in one set of words and ids.

Ids are those of the ZenSearch face (``conn_...``, ``col_...``, ``job_...``), spaces have those of Aimable;
every face reads them all. Fields that a newer server adds are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

ConnectorStatus = Literal["active", "paused", "error", "inactive"]
JobStatus = Literal["queued", "running", "completed", "failed", "cancelled"]
FINAL: frozenset[JobStatus] = frozenset({"completed", "failed", "cancelled"})


class Reply(BaseModel):
    """What all of them have in common."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


class Space(Reply):
    """A room with collections; `role` is what the token may do there, such as ``space.editor``."""

    id: str
    name: str
    role: str | None = None
    created_at: datetime


class Collection(Reply):
    """A set of documents that can be searched."""

    id: str
    space_id: str
    name: str
    description: str | None = None
    connectors: int = 0
    documents: int = 0
    created_at: datetime


class Connector(Reply):
    """A connector; what it signs in with is in no answer. `type` is written with underscores."""

    id: str
    name: str
    type: str
    status: ConnectorStatus
    collection: str
    config: dict[str, Any]
    schedule: str | None = None
    enabled: bool
    document_count: int = 0
    last_sync: datetime | None = None
    error_message: str | None = None
    created_at: datetime
    updated_at: datetime


class UpdatedConnector(Connector):
    """A connector after a change; `documents_outside` is how many documents its settings leave out now."""

    documents_outside: int = 0


class Trial(Reply):
    """What trying a connection came to."""

    success: bool
    message: str
    latency_ms: int


class Resource(Reply):
    """Something at a source that can be chosen; its `id` is what settings take."""

    id: str
    name: str
    type: str
    parent_id: str | None = None
    has_children: bool = False
    size: int | None = None
    selected: bool = False


class Progress(Reply):
    """How far a job has got; the numbers only grow."""

    collected: int = 0
    fetched: int = 0
    parsed: int = 0
    indexed: int = 0
    skipped: int = 0
    failed: int = 0
    deleted: int = 0


class JobError(Reply):
    """Why a job failed."""

    code: str
    message: str


class ItemError(Reply):
    """Why one item of a job failed."""

    path: str
    stage: str | None = None
    reason: str | None = None
    message: str | None = None


class JobReport(Reply):
    """How a job stands.

    Attributes:
        id: Of the job.
        connector_id: Whose job it is.
        status: ``queued``, ``running``, ``completed``, ``failed`` or ``cancelled``.
        kind: ``sync``, ``push``, ``upload``, ``permissions`` or ``transcribe``; empty before it begins, as
            are the next four in a list.
        mode: ``auto``, ``full`` or ``incremental``.
        trigger: What asked for it.
        strategy: How it finds out what to do.
        reason: Why so.
        progress: How far it has got.
        accepted_at: When it was asked for.
        completed_at: When it ended.
        error: Why it failed.
        errors: The first hundred items that failed.
    """

    id: str
    connector_id: str
    status: JobStatus
    kind: str = ""
    mode: str = ""
    trigger: str = ""
    strategy: str | None = None
    reason: str | None = None
    progress: Progress = Progress()
    accepted_at: datetime
    completed_at: datetime | None = None
    error: JobError | None = None
    errors: tuple[ItemError, ...] = ()

    @property
    def is_final(self) -> bool:
        """Whether nothing changes any more."""
        return self.status in FINAL


class Document(Reply):
    """A document, without its text; `path` is its external id."""

    id: str
    title: str
    path: str
    url: str | None = None
    status: str
    stale: bool = False
    content_type: str
    size: int | None = None
    author: str | None = None
    tags: tuple[str, ...] = ()
    collection: str
    connector_id: str
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    indexed_at: datetime


class FullDocument(Document):
    """A document with its text."""

    content: str


class File(Reply):
    """An item as its source showed it last, or a file that was handed in."""

    id: str
    path: str
    size: int | None = None
    content_type: str | None = None
    version: str | None = None
    modified_at: datetime | None = None
    origin: str
    document_id: str | None = None
    status: str
    error: str | None = None


class Upload(Reply):
    """Files that were taken in, and the job that reads them."""

    files: tuple[File, ...]
    job: JobReport


class FilesDeleted(Reply):
    """What became of files that were named."""

    deleted: int
    not_found: tuple[str, ...] = ()


class HitPlace(Reply):
    """Where a hit comes from; `source` is the id of its connector."""

    source: str
    collection: str
    created_at: datetime


class Hit(Reply):
    """One document that was found, by its best part, which `content` holds."""

    id: str
    title: str
    content: str
    score: float
    path: str
    url: str | None = None
    content_type: str
    author: str | None = None
    metadata: HitPlace
    highlights: tuple[str, ...] = ()


class FacetValue(Reply):
    """How often a value occurs among the results."""

    value: str
    count: int


class SearchResults(Reply):
    """What was found, best first; `total` is at least the number of matches where it is not exact."""

    results: tuple[Hit, ...]
    total: int
    total_is_exact: bool = True
    facets: dict[str, tuple[FacetValue, ...]] = {}


class LastRun(Reply):
    """The newest run of a connector, in the words of the Trove face."""

    id: str
    status: Literal["RUNNING", "SUCCESS", "ERROR", "CANCELLED"]
    started_at: datetime
    completed_at: datetime | None = None


class Standing(Reply):
    """How a connector stands, for an overview."""

    id: str
    name: str
    type: str
    status: ConnectorStatus
    is_pushed: bool
    documents: int
    schedule: str | None = None
    next_sync: datetime | None = None
    last_sync: datetime | None = None
    last_run: LastRun | None = None
    error_message: str | None = None


class Overview(Reply):
    """Everything that the token may see, at a glance."""

    documents: int
    connectors: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class DocumentError:
    """Why one document of a push was not taken.

    Attributes:
        external_id: Of the document; None where it had none.
        error: What is wrong with it.
        place: Its place among all that were pushed, from 0.
    """

    external_id: str | None
    error: str
    place: int | None = None


@dataclass(slots=True)
class Pushed:
    """What a push came to. The first four add up to the documents that were taken from the iterable.

    Attributes:
        indexed: New documents, and with ``documentSemantics: upsert`` changed ones.
        skipped: Known already. After a connection was cut, also what the first attempt had brought.
        transcriptions: Recordings that wait for their text.
        errors: Documents that were not taken, and why.
        cursor: The last cursor that was stored.
        batches: Requests that were answered.
    """

    indexed: int = 0
    skipped: int = 0
    transcriptions: int = 0
    errors: list[DocumentError] = field(default_factory=list)
    cursor: str | None = None
    batches: int = 0
