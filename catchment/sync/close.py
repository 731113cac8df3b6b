"""The last act of a run: what it came to, written once, under the lease."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine

from catchment.core.counters import COUNTER_NAMES
from catchment.core.errors import CatchmentError, DiskFull, LeaseLost, RunCancelled
from catchment.core.runs import ConnectorStatus, RunKind, RunState
from catchment.store import connectors, documents, reserve, runs
from catchment.store.engine import db_now, reading, writing
from catchment.store.rows import ConnectorRow, RunRow
from catchment.sync.claim import INTERRUPTED, Claimed
from catchment.sync.run import Run

MESSAGE_CHARACTERS = 1000
FRAMES_TOLD = 6


class Unexpected(CatchmentError):
    """A bug, told by its kind and place alone: its text may hold a secret, or a document."""

    code = "internal"

    @classmethod
    def of(cls, error: BaseException) -> Unexpected:
        """Describe an error that nobody raised on purpose; raise the result ``from None``."""
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES_TOLD:]
        way = " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
        return cls(f"An unexpected {type(error).__name__} ended the run.", remedy=f"Raised in {way}.")


class Outcome(Struct, frozen=True):
    """How a run ended."""

    state: RunState
    code: str | None = None
    message: str | None = None


def outcome_of(run: Run, error: BaseException | None) -> Outcome:
    """Judge a run by the error that ended it, by its scopes, and by its items."""
    if isinstance(error, RunCancelled):
        return Outcome(RunState.CANCELLED, error.code, error.message)
    if isinstance(error, CatchmentError):
        return Outcome(RunState.FAILED, error.code, str(error))
    if error is not None:
        unexpected = Unexpected.of(error)
        return Outcome(RunState.FAILED, unexpected.code, unexpected.message)
    told = "; ".join(f"{name}: {text}" for name, text in run.incomplete.items())
    if run.report.held:
        return Outcome(
            RunState.FAILED,
            "deletion_guard",
            f"{told} Look at the sample in the run, then allow it with --allow-mass-delete.",
        )
    if run.incomplete:
        return Outcome(RunState.FAILED, "scope_incomplete", f"Not read to the end: {told}")
    counters = run.counters
    grave = counters.failed - run.report.harmless_failures
    if grave > 0 and counters.indexed + counters.skipped == 0 and not _only_old_sorrows(run, grave):
        return Outcome(RunState.FAILED, "all_failed", f"None of {counters.failed} items could be indexed.")
    return Outcome(RunState.SUCCEEDED)


def _only_old_sorrows(run: Run, grave: int) -> bool:
    """Whether nothing failed but what had failed before, beside documents that are well."""
    if run.report.repeated_failures < grave:
        return False
    with reading(run.engine) as connection:
        return documents.any_of(connection, run.connector.pk)


def close_run(run: Run, error: BaseException | None) -> Outcome:
    """Write how the run ended. The lanes must have ended before: nobody writes behind a closed row.

    Raises:
        LeaseLost: Another run has taken over; the row is theirs, and nothing was written.
        DiskFull: There is no room even for that; the sweep ends the row.
    """
    outcome = outcome_of(run, error)
    if isinstance(error, LeaseLost):
        return outcome
    values: dict[str, Any] = {name: getattr(run.counters, name) for name in COUNTER_NAMES}
    values.update(strategy=run.strategy, reason=run.reason, details=run.report.as_json())
    try:
        _close(run.engine, run.row, run.connector, outcome, values)
    except DiskFull:
        if not reserve.give_up(run.engine):
            raise
        _close(run.engine, run.row, run.connector, outcome, values)
    return outcome


def close_unbegun(engine: Engine, claimed: Claimed, error: CatchmentError) -> Outcome:
    """Write that a claimed run could not even begin: settings or credentials do not work."""
    state = RunState.CANCELLED if isinstance(error, RunCancelled) else RunState.FAILED
    outcome = Outcome(state, error.code, str(error))
    _close(engine, claimed.run, claimed.connector, outcome, {})
    return outcome


def _close(
    engine: Engine, row: RunRow, connector: ConnectorRow, outcome: Outcome, values: dict[str, Any]
) -> None:
    if outcome.message is not None:
        values["error_message"] = outcome.message[:MESSAGE_CHARACTERS]
    with writing(engine) as connection:
        connectors.lock(connection, connector.pk)
        if not runs.hold(connection, row.id, row.lease or 0):
            raise LeaseLost("Another run has taken over this connector.")
        if outcome.state is RunState.CANCELLED:
            # A cancel in Prefect's pages asks nothing of the row; only a person does that.
            runs.request_cancel(connection, row.id, reason="user")
        runs.change(
            connection,
            row.id,
            state=outcome.state,
            error_code=outcome.code,
            wait_reason=None,
            wait_since=None,
            ended_at=db_now(),
            **values,
        )
        if not row.dry_run and row.kind == RunKind.SYNC:
            _mark_connector(connection, connector, outcome)


def _mark_connector(connection: Connection, connector: ConnectorRow, outcome: Outcome) -> None:
    """Let the connector's status follow: success mends, failure shows, the rest changes nothing."""
    if outcome.state is RunState.SUCCEEDED:
        values: dict[str, Any] = {"error_code": None, "error_message": None, "last_success_at": db_now()}
        if connector.status == ConnectorStatus.ERROR:
            values["status"] = ConnectorStatus.ACTIVE
        connectors.change(connection, connector.pk, **values)
    elif outcome.state is RunState.FAILED and outcome.code != INTERRUPTED:
        connectors.change(
            connection,
            connector.pk,
            status=ConnectorStatus.ERROR,
            error_code=outcome.code,
            error_message=(outcome.message or "")[:MESSAGE_CHARACTERS],
        )
