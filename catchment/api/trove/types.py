"""The types that answers are made of; a field is read when it is asked for."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry import Private
from strawberry.types import Info

from catchment.api.trove.asked import Asked
from catchment.api.trove.scalars import DateTime, Json
from catchment.core.errors import UsageError
from catchment.core.runs import RunState
from catchment.services import inline_secrets
from catchment.services.library import FoundDocument
from catchment.services.overview import next_run_at
from catchment.store.documents import DocumentRow
from catchment.store.rows import ConnectorRow, RunRow

Asking = Info[Asked, None]
PREVIEW_WORDS = 300
CONTENT_TYPES = ("text", "transcript", "highlight", "bookmark")
MOST_RUNS = 100


def within(name: str, value: int | None, most: int, usual: int) -> int:
    """Return a limit that may be asked for; null means the usual one.

    Raises:
        UsageError: It is not from 1 to `most`.
    """
    if value is None:
        return usual
    if not 1 <= value <= most:
        raise UsageError(f"{name} must be from 1 to {most}.")
    return value


@strawberry.enum(description="Whether a connector fetches by itself, or is pushed to.")
class ExecutionMode(Enum):
    """Execution of a connector."""

    CLOUD = "CLOUD"
    LOCAL = "LOCAL"


@strawberry.enum(description="How a connector stands.")
class ConnectorStatus(Enum):
    """Status of a connector."""

    SETUP = "SETUP"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ERROR = "ERROR"


@strawberry.enum(description="How a run stands; one that is queued counts as running.")
class SyncRunStatus(Enum):
    """Status of a run."""

    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"


_RUN_STATUS = {
    RunState.SUCCEEDED: SyncRunStatus.SUCCESS,
    RunState.FAILED: SyncRunStatus.ERROR,
    RunState.CANCELLED: SyncRunStatus.CANCELLED,
}


@strawberry.type(description="One sync, or one push.")
class SyncRun:
    """A run."""

    row: Private[RunRow]

    @strawberry.field
    def id(self) -> strawberry.ID:
        """Its id, 32 hexadecimal digits."""
        return strawberry.ID(self.row.id)

    @strawberry.field
    def status(self) -> SyncRunStatus:
        """How it stands."""
        return _RUN_STATUS.get(RunState(self.row.state), SyncRunStatus.RUNNING)

    @strawberry.field
    def started_at(self) -> DateTime:
        """When it was accepted."""
        return DateTime(self.row.created_at)

    @strawberry.field
    def completed_at(self) -> DateTime | None:
        """When it ended."""
        return _moment(self.row.ended_at)

    @strawberry.field
    def duration_ms(self) -> int | None:
        """Milliseconds from its acceptance to its end."""
        if self.row.ended_at is None:
            return None
        # A 32-bit number in GraphQL; no run takes 24 days.
        return min(max(0, round((self.row.ended_at - self.row.created_at) * 1000)), 2**31 - 1)

    @strawberry.field
    def documents_synced(self) -> int:
        """Documents that it put into the index, new or changed."""
        return self.row.indexed

    @strawberry.field
    def documents_skipped(self) -> int:
        """Documents that it found unchanged, or that a rule left out."""
        return self.row.skipped

    @strawberry.field
    def error_message(self) -> str | None:
        """Why it failed; or how many documents of it did."""
        if self.row.error_message is not None or not self.row.failed:
            return self.row.error_message
        return f"{self.row.failed} of {self.row.collected} documents failed."

    @strawberry.field
    def cursor(self) -> str | None:
        """The cursor that came with a push."""
        found = self.row.details.get("cursor")
        return found if isinstance(found, str) else None

    @strawberry.field
    def trigger(self) -> str:
        """What asked for it: manual, schedule, push, webhook, retry or resume."""
        return self.row.trigger


@strawberry.type(description="A source of documents.")
class Connector:
    """A connector."""

    row: Private[ConnectorRow]

    @strawberry.field
    def id(self) -> strawberry.ID:
        """Its id, 32 hexadecimal digits."""
        return strawberry.ID(self.row.id)

    @strawberry.field
    def name(self) -> str:
        """What people call it."""
        return self.row.name

    @strawberry.field
    def connector_type(self) -> str:
        """Its type, in kebab-case."""
        return self.row.provider

    @strawberry.field
    def status(self) -> ConnectorStatus:
        """How it stands."""
        return ConnectorStatus(self.row.status)

    @strawberry.field
    def execution(self) -> ExecutionMode:
        """Whether it fetches by itself."""
        return ExecutionMode(self.row.execution)

    @strawberry.field
    def schedule(self) -> str | None:
        """When it is synced."""
        return self.row.schedule

    @strawberry.field
    def description(self) -> str | None:
        """What it is for."""
        return self.row.description

    @strawberry.field
    def icon(self) -> str | None:
        """Its picture."""
        return self.row.icon

    @strawberry.field
    def config(self) -> Json:
        """Its settings; a mark stands for each secret."""
        return Json(inline_secrets.shown(self.row))

    @strawberry.field
    def cursor(self) -> str | None:
        """The cursor of the last push that sent one; nothing for a connector that fetches by itself."""
        return self.row.cursor if self.row.execution == ExecutionMode.LOCAL.value else None

    @strawberry.field
    def document_count(self, info: Asking) -> int:
        """How many documents it has."""
        return info.context.documents_of_connectors.get(self.row.pk, 0)

    @strawberry.field
    def last_synced_at(self) -> DateTime | None:
        """When it was last synced well."""
        return _moment(self.row.last_success_at)

    @strawberry.field
    def next_sync_at(self) -> DateTime | None:
        """When the schedule starts it next, if that can be told."""
        return _moment(next_run_at(self.row))

    @strawberry.field
    def error_message(self) -> str | None:
        """What is wrong with it."""
        return self.row.error_message

    @strawberry.field
    def created_at(self) -> DateTime:
        """When it was made."""
        return DateTime(self.row.created_at)

    @strawberry.field
    def updated_at(self) -> DateTime:
        """When it was last changed."""
        return DateTime(self.row.updated_at)

    @strawberry.field
    def sync_runs(self, info: Asking, limit: int | None = 20) -> list[SyncRun]:
        """Its newest runs, newest first."""
        most = within("limit", limit, MOST_RUNS, 20)
        return [SyncRun(row=row) for row in info.context.runs([self.row], most)]


@strawberry.type(description="What can be found.")
class Document:
    """A document."""

    row: Private[DocumentRow]

    @strawberry.field
    def id(self) -> strawberry.ID:
        """Its id, 16 hexadecimal digits."""
        return strawberry.ID(self.row.id)

    @strawberry.field
    def connector(self, info: Asking) -> Connector:
        """Where it comes from."""
        return Connector(row=info.context.seen[self.row.connector_pk])

    @strawberry.field
    def external_id(self) -> str:
        """Its id at the source."""
        return self.row.key

    @strawberry.field
    def title(self) -> str | None:
        """Its title."""
        return self.row.title or None

    @strawberry.field
    def url(self) -> str | None:
        """Where a person opens it."""
        return self.row.url

    @strawberry.field
    def author(self) -> str | None:
        """Who wrote it."""
        return self.row.author

    @strawberry.field
    def content_date(self, info: Asking) -> DateTime | None:
        """When its content was written, as far as the source tells."""
        is_pushed = info.context.seen[self.row.connector_pk].execution == ExecutionMode.LOCAL.value
        # What was pushed without a date has that of its arrival in the ledger, which is not the content's.
        return _moment(self.row.created_at or (None if is_pushed else self.row.modified_at))

    @strawberry.field
    def indexed_at(self) -> DateTime:
        """When it was last indexed."""
        return DateTime(self.row.indexed_at)

    @strawberry.field
    def created_at(self) -> DateTime:
        """When this version of it came into the index."""
        return DateTime(self.row.indexed_at)

    @strawberry.field
    def preview_text(self, info: Asking) -> str | None:
        """Its first 300 words at most."""
        if not self.row.characters:
            return None
        words = info.context.beginning(self.row).split(maxsplit=PREVIEW_WORDS)
        return " ".join(words[:PREVIEW_WORDS])

    @strawberry.field
    def full_text(self, info: Asking) -> str | None:
        """All of its text; nothing while a recording waits for its transcription."""
        return info.context.text(self.row) if self.row.characters else None

    @strawberry.field
    def word_count(self, info: Asking) -> int | None:
        """Words of its text."""
        return len(info.context.text(self.row).split()) if self.row.characters else None

    @strawberry.field
    def content_type(self) -> str:
        """One of text, transcript, highlight and bookmark; files of any format are text."""
        return content_type(self.row.content_type)

    @strawberry.field
    def tags(self) -> list[str]:
        """Its labels."""
        return list(self.row.tags)

    @strawberry.field
    def metadata(self) -> Json | None:
        """Other facts about it."""
        return Json(self.row.metadata)


@strawberry.type(description="A stretch of a list of documents.")
class DocumentPage:
    """A page."""

    nodes: list[Document]
    total_count: int
    has_more: bool


@strawberry.type(description="A document that was found, and where.")
class SearchResult:
    """A hit."""

    found: Private[FoundDocument]

    @strawberry.field
    def document(self) -> Document:
        """What was found."""
        return Document(row=self.found.document)

    @strawberry.field
    def snippet(self) -> str:
        """The part of it that fits best."""
        return self.found.hit.snippet

    @strawberry.field
    def relevance_score(self) -> float:
        """From 0 to 1, greater is better; how well it fits beside the best one of this search."""
        return self.found.relevance


@strawberry.type(description="What a search came to; matches are counted up to 100.")
class SearchResults:
    """Hits."""

    results: list[SearchResult]
    total_matches: int
    query_time_ms: int


@strawberry.type(description="Documents of the connectors of one type.")
class TypeCount:
    """A count."""

    connector_type: str
    document_count: int


@strawberry.type(description="Documents of one content type.")
class ContentCount:
    """A count."""

    content_type: str
    document_count: int


def content_type(stored: str) -> str:
    """Return the content type that is shown for a stored one."""
    return stored if stored in CONTENT_TYPES else "text"


def _moment(seconds: float | None) -> DateTime | None:
    return DateTime(seconds) if seconds is not None else None
