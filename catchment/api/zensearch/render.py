"""How rows of the store look on this face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catchment.api.ids import prefixed
from catchment.core.clock import iso
from catchment.core.runs import ConnectorStatus, ItemState, RunState
from catchment.services import files
from catchment.services.inline_secrets import masked
from catchment.services.spaces import CollectionView
from catchment.store.documents import ListedDocument
from catchment.store.kept import FileRow
from catchment.store.rows import ConnectorRow, RunRow

_CONNECTOR_STATES = {
    ConnectorStatus.SETUP: "inactive",
    ConnectorStatus.ACTIVE: "active",
    ConnectorStatus.PAUSED: "paused",
    ConnectorStatus.ERROR: "error",
}
_JOB_STATES = {
    RunState.QUEUED: "queued",
    RunState.RUNNING: "running",
    RunState.CANCELLING: "running",
    RunState.SUCCEEDED: "completed",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "cancelled",
}
DOCUMENT_STATES: dict[str, tuple[str, ...]] = {
    # A new version that a rule refused leaves the old text where it is.
    "indexed": (ItemState.INDEXED.value, ItemState.SKIPPED.value),
    "pending": (ItemState.PENDING.value,),
    "failed": (ItemState.FAILED.value, ItemState.QUARANTINED.value),
}
"""What a document's state is called here, and the states of its item that this means."""
_DOCUMENT_STATE = {state: name for name, states in DOCUMENT_STATES.items() for state in states}
MOST_ITEM_ERRORS = 100


def type_of(provider: str) -> str:
    """Write a provider as this face does: ``google_drive``."""
    return provider.replace("-", "_")


def status_of(row: ConnectorRow) -> str:
    """Say how a connector stands."""
    return "paused" if row.paused else _CONNECTOR_STATES[ConnectorStatus(row.status)]


def connector(row: ConnectorRow, *, collection_id: str, documents: int) -> dict[str, Any]:
    """Render a connector, without anything secret."""
    return {
        "id": prefixed("connector", row.id),
        "name": row.name,
        "type": type_of(row.provider),
        "status": status_of(row),
        "collection": prefixed("collection", collection_id),
        "lastSync": iso(row.last_success_at),
        "createdAt": iso(row.created_at),
        "updatedAt": iso(row.updated_at),
        "config": masked(row.config),
        "schedule": row.schedule,
        "enabled": not row.paused,
        "documentCount": documents,
        "errorMessage": row.error_message,
    }


def queued(run: RunRow) -> dict[str, Any]:
    """Render a job as it was when it was taken in, however fast it began."""
    return {"jobId": prefixed("run", run.id), "status": "queued", "startedAt": iso(run.created_at)}


def job(run: RunRow) -> dict[str, Any]:
    """Render a job as it stands."""
    failed = run.state == RunState.FAILED
    error = {"code": run.error_code or "failed", "message": run.error_message or "The job failed."}
    return {
        "jobId": prefixed("run", run.id),
        "status": _JOB_STATES[RunState(run.state)],
        "kind": run.kind,
        "mode": run.mode,
        "trigger": run.trigger,
        "strategy": run.strategy,
        "reason": run.reason,
        "progress": {
            "collected": run.collected,
            "fetched": run.fetched,
            "parsed": run.parsed,
            "indexed": run.indexed,
            "skipped": run.skipped,
            "failed": run.failed,
            "deleted": run.deleted,
        },
        "startedAt": iso(run.created_at),
        "completedAt": iso(run.ended_at),
        "error": error if failed else None,
        "errors": [_item_error(one) for one in _errors(run)],
    }


def _errors(run: RunRow) -> Sequence[dict[str, Any]]:
    found = run.details.get("errors") or []
    return found[:MOST_ITEM_ERRORS] if isinstance(found, list) else []


def _item_error(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": str(one.get("key", "")),
        "stage": one.get("stage"),
        "reason": one.get("reason"),
        "message": one.get("error"),
    }


def document(listed: ListedDocument) -> dict[str, Any]:
    """Render a document without its text."""
    row = listed.document
    return {
        "id": prefixed("document", row.id),
        "title": row.title,
        "path": row.path,
        "url": row.url,
        "status": _DOCUMENT_STATE.get(listed.state, "indexed"),
        "stale": row.stale,
        "contentType": row.content_type,
        "size": row.size,
        "author": row.author,
        "tags": row.tags,
        "collection": prefixed("collection", listed.collection_id),
        "connectorId": prefixed("connector", listed.connector_id),
        "metadata": row.metadata,
        # Sources that know no time are answered for by the time at which we saw the document.
        "createdAt": iso(row.created_at or row.modified_at or row.indexed_at),
        "updatedAt": iso(row.modified_at or row.indexed_at),
        "indexedAt": iso(row.indexed_at),
    }


def file(row: FileRow) -> dict[str, Any]:
    """Render an item of the source, or a file that was handed in."""
    return {
        "id": prefixed("file", row.id),
        "path": row.path,
        "size": row.size,
        "contentType": row.content_type,
        "version": row.version,
        "modifiedAt": iso(row.modified_at),
        "origin": row.origin,
        "documentId": prefixed("document", row.document_id) if row.document_id else None,
        "status": files.status_of(row.state),
        "error": row.error,
    }


def collection(view: CollectionView) -> dict[str, Any]:
    """Render a collection."""
    return {
        "id": prefixed("collection", view.row.id),
        "name": view.row.name,
        "description": view.row.description,
        "embeddingModel": view.row.embedding_model,
        "documentCount": view.documents,
        "connectorCount": view.connectors,
        "createdAt": iso(view.row.created_at),
    }
