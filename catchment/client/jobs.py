"""Jobs: how they stand, waited for, listed, cancelled.

How one job stands comes from the ZenSearch face, which tells a queued job from one that runs and says why a
job failed. Lists and cancels come from the Aimable face, the only one that has both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catchment.client.asking import cursor_pages, data, read
from catchment.client.errors import Conflict, StillRunning
from catchment.client.ids import in_path, prefixed
from catchment.client.places import connector_path, nested_path
from catchment.client.replies import JobReport, JobStatus
from catchment.client.session import Part
from catchment.client.steps import Call, Pause, Steps, Tell

FIRST_POLL_SECONDS = 0.2
MOST_POLL_SECONDS = 5.0
_GROWTH = 1.5
RESUME_SECONDS = 20.0
"""The server opens the job that goes on with an interrupted one every 15 s."""
_INTERRUPTED, _RESUMED, _SYNC = "interrupted", "resume", "sync"
_FACTS = ("kind", "mode", "trigger", "strategy", "reason")
Listener = Callable[[JobReport], Any]


class Followed(Part):
    """A job that somebody follows; `report` is how it stood when it was last looked at."""

    report: JobReport

    @property
    def id(self) -> str:
        """Id of the job."""
        return self.report.id

    @property
    def connector_id(self) -> str:
        """Id of its connector."""
        return self.report.connector_id

    @property
    def status(self) -> JobStatus:
        """Its status when it was last looked at."""
        return self.report.status


def get_report(here: Part, connector: str, job: str) -> Steps[JobReport]:
    """Return how a job stands.

    Args:
        here: The client.
        connector: Id of its connector.
        job: Id of the job.
    """
    path = f"{connector_path(connector)}/sync/{in_path(job)}"
    told = yield from data(here, Call("GET", path))
    return report_of(here, connector, told)


def list_reports(
    here: Part, connector: str, *, status: str | None = None, limit: int | None = 20
) -> Steps[list[JobReport]]:
    """Return the jobs of a connector, newest first.

    Args:
        here: The client.
        connector: Id of the connector.
        status: Only ``running`` (queued ones, too), ``completed``, ``failed`` or ``cancelled`` jobs.
        limit: Most jobs; None for all.
    """
    place = yield from nested_path(here, connector)
    told = yield from cursor_pages(here, f"{place}/sync", status=status, limit=limit)
    return [_of_aimable(here, one) for one in told]


def refresh(job: Followed) -> Steps[JobReport]:
    """Return how the job stands now."""
    job.report = yield from get_report(job, job.connector_id, job.id)
    return job.report


def wait(
    job: Followed,
    *,
    progress: Listener | None = None,
    timeout: float | None = None,
    most_poll_seconds: float = MOST_POLL_SECONDS,
    follow: bool = True,
) -> Steps[JobReport]:
    """Wait for the end of the job and return how it ended, well or not.

    It is asked for after 0.2 s, then ever more rarely, and often again as soon as something moves.

    Args:
        job: The job; it becomes the one that goes on with it, if there is one.
        progress: Called with each report that is new; for the awaited client it may be a coroutine function.
        timeout: Most seconds to wait; None waits as long as it takes.
        most_poll_seconds: Longest time between two looks.
        follow: Whether to go on with the job that takes up one whose process died.

    Raises:
        StillRunning: The time is over; the job goes on, unless it is cancelled.
    """
    clock = job.session.clock
    give_up_at = None if timeout is None else clock.monotonic() + timeout
    told: JobReport | None = None
    pause = FIRST_POLL_SECONDS
    while True:
        report = yield from refresh(job)
        if report != told:
            pause = FIRST_POLL_SECONDS
            told = report
            if progress is not None:
                yield Tell(progress, report)
        if report.is_final:
            following = (yield from _successor(job, report)) if follow and _was_interrupted(report) else None
            if following is None:
                return report
            job.report, pause = following, FIRST_POLL_SECONDS
            continue
        left = None if give_up_at is None else give_up_at - clock.monotonic()
        if left is not None and left <= 0:
            raise StillRunning(
                f"Job {report.id} is still {report.status}.",
                remedy="Wait longer, or cancel it.",
                report=report,
            )
        yield Pause(pause if left is None else min(pause, left))
        pause = min(pause * _GROWTH, most_poll_seconds)


def cancel(job: Followed) -> Steps[JobReport]:
    """Ask the job to stop, and return how it stands: often it still runs for a moment. What it indexed stays.

    The faces cancel what a connector is doing, not a job by its id, so this looks first that it is this job.

    Raises:
        Conflict: It is over already, is no sync, or waits behind another job, which would be cancelled in its
            place.
    """
    report = yield from refresh(job)
    if report.is_final:
        raise Conflict(f"Job {report.id} is {report.status} already.")
    if report.kind != _SYNC:
        raise Conflict(f"Job {report.id} is no sync, and cannot be cancelled.")
    if (ahead := (yield from _ahead_of(job, report))) is not None:
        raise Conflict(
            f"Job {report.id} waits behind job {ahead.id}.",
            remedy="Cancel that one first.",
            details={"jobId": ahead.id},
        )
    yield from cancel_current(job, job.connector_id)
    return (yield from refresh(job))


def _was_interrupted(report: JobReport) -> bool:
    return report.error is not None and report.error.code == _INTERRUPTED


def _ahead_of(here: Part, report: JobReport) -> Steps[JobReport | None]:
    """Return the sync that a job waits for, if there is one: it is older, and has not ended."""
    unfinished = yield from list_reports(here, report.connector_id, status="running", limit=None)
    ids = [one.id for one in unfinished]
    for older in reversed(unfinished[ids.index(report.id) + 1 :] if report.id in ids else []):
        # Those that are queued have no kind in a list.
        found = older if older.kind else (yield from get_report(here, older.connector_id, older.id))
        if found.kind == _SYNC and not found.is_final:
            return found
    return None


def cancel_current(here: Part, connector: str) -> Steps[JobReport]:
    """Ask what a connector is doing to stop, and return that job.

    Args:
        here: The client.
        connector: Id of the connector.

    Raises:
        Conflict: Nothing is running.
    """
    place = yield from nested_path(here, connector)
    told = yield from data(here, Call("POST", f"{place}/sync/cancel"))
    return _of_aimable(here, told)


def _successor(here: Part, report: JobReport) -> Steps[JobReport | None]:
    """Return the job that goes on with an interrupted one, waiting a little for it."""
    clock = here.session.clock
    give_up_at = clock.monotonic() + RESUME_SECONDS
    while True:
        newer = yield from list_reports(here, report.connector_id, limit=5)
        for one in newer:
            if one.id == report.id:
                break
            found = yield from get_report(here, report.connector_id, one.id)
            if found.trigger == _RESUMED:
                return found
        if clock.monotonic() >= give_up_at:
            return None
        yield Pause(0.5)


def report_of(here: Part, connector: str, told: Any) -> JobReport:
    """Read a job of the ZenSearch face, which names no connector."""
    renamed = {**told, "id": told.get("jobId"), "acceptedAt": told.get("startedAt")}
    return read(here, JobReport, {**renamed, "connectorId": prefixed("conn", connector)})


def _of_aimable(here: Part, told: Any) -> JobReport:
    facts = told.get("metadata") or {}
    status, message = told.get("status"), told.get("error_message")
    failed = [
        {"path": str(one.get("key", "")), "message": one.get("error"), **one}
        for one in facts.get("errors") or []
    ]
    return read(
        here,
        JobReport,
        {
            **{name: facts[name] for name in _FACTS if name in facts},
            "id": prefixed("job", str(told.get("id"))),
            "connectorId": prefixed("conn", str(told.get("collection_connector_id"))),
            # This face calls a queued job running, but has no facts of it yet.
            "status": "queued" if status == "running" and "kind" not in facts else status,
            "progress": facts,
            "acceptedAt": told.get("created_at"),
            "completedAt": told.get("completed_at"),
            "error": {"code": status, "message": message} if message else None,
            "errors": failed,
        },
    )
