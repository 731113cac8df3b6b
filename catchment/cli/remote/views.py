"""What a server tells, with the names that this machine's rows have, so that one piece of code shows both."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from catchment.client.connectors import plain

if TYPE_CHECKING:
    from catchment.client import Connector, JobReport

_RUN_STATES = {
    "queued": "QUEUED",
    "running": "RUNNING",
    "completed": "SUCCEEDED",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
}
_CONNECTOR_STATES = {"inactive": "SETUP"}


class ConnectorView(Struct, frozen=True):
    """A connector of a server; what no face tells is None. See `catchment.store.rows.ConnectorRow`."""

    id: str
    slug: str
    name: str
    provider: str
    status: str
    paused: bool
    config: dict[str, Any]
    schedule: str | None
    created_at: float
    last_success_at: float | None
    error_code: str | None
    error_message: str | None
    documents: int
    credentials_block: str | None = None
    has_credentials: bool | None = None


class RunView(Struct, frozen=True):
    """A run of a server; what no face tells is None or empty. See `catchment.store.rows.RunRow`."""

    id: str
    state: str
    mode: str
    strategy: str | None
    reason: str | None
    trigger: str
    collected: int
    fetched: int
    skipped: int
    parsed: int
    indexed: int
    failed: int
    deleted: int
    error_code: str | None
    error_message: str | None
    created_at: float
    ended_at: float | None
    details: dict[str, Any] = field(default_factory=dict)
    started_at: float | None = None
    dry_run: bool = False
    waiting: bool = False
    cancel_reason: str | None = None
    wait_reason: str | None = None
    wait_since: float | None = None


def connector_view(connector: Connector) -> ConnectorView:
    """Show a connector of a server."""
    return ConnectorView(
        id=connector.id,
        slug=plain(connector.name),
        name=connector.name,
        provider=connector.type.replace("_", "-"),
        status=_CONNECTOR_STATES.get(connector.status, connector.status.upper()),
        paused=not connector.enabled,
        config=connector.config,
        schedule=connector.schedule,
        created_at=connector.created_at.timestamp(),
        last_success_at=seconds(connector.last_sync),
        error_code="failed" if connector.error_message else None,
        error_message=connector.error_message,
        documents=connector.document_count,
    )


def run_view(report: JobReport) -> RunView:
    """Show a job of a server."""
    errors = [
        {"key": one.path, "stage": one.stage, "reason": one.reason, "error": one.message}
        for one in report.errors
    ]
    return RunView(
        id=report.id,
        state=_RUN_STATES[report.status],
        mode=report.mode,
        strategy=report.strategy,
        reason=report.reason,
        trigger=report.trigger,
        **report.progress.model_dump(),
        error_code=report.error.code if report.error else None,
        error_message=report.error.message if report.error else None,
        created_at=report.accepted_at.timestamp(),
        ended_at=seconds(report.completed_at),
        details={"errors": errors} if errors else {},
    )


def seconds(moment: datetime | None) -> float | None:
    """Return POSIX seconds; None stays None."""
    return moment.timestamp() if moment is not None else None
