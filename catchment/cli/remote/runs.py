"""Runs of a server: asked for, watched, listed, shown, cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catchment.cli import outcome
from catchment.cli.progress import Progress
from catchment.cli.remote.views import RunView, connector_view, run_view
from catchment.cli.server import only_locally, server
from catchment.cli.watching import unbroken, watched

if TYPE_CHECKING:
    from catchment.client import Client, Connector, Job
    from catchment.client.connectors import Mode
    from catchment.client.replies import JobReport

MOST_POLL_SECONDS = 1.0
MOST_LOOKED_THROUGH = 100


def sync(
    source: str,
    /,
    *,
    mode: Mode = "auto",
    file: list[str] | None = None,
    dry_run: bool = False,
    allow_mass_delete: bool = False,
) -> int:
    """Sync a connector of the server, and watch it to the end."""
    from catchment.cli.sync import looks_like_address
    from catchment.core.errors import NotFound

    for option, is_given in (("--dry-run", dry_run), ("--allow-mass-delete", allow_mass_delete)):
        if is_given:
            raise only_locally(option)
    if looks_like_address(source):
        raise NotFound(
            f"{source!r} is no name of a connector: what lies on this machine, the server cannot read.",
            remedy="See: catchment connector list. To make one for an address: catchment connector add.",
        )
    with server() as client:
        connector = client.connectors.find(source)
        with unbroken() as interrupts:
            job = client.connectors.sync(connector.id, mode=mode, file_filter=file or None)
        return watch(job, connector, interrupted=interrupts.came)


def watch(job: Job, connector: Connector, *, interrupted: bool = False) -> int:
    """Follow a job to its end, write what it came to, and return the exit code."""
    from catchment.client import Retries

    # The server may be started anew meanwhile: the job goes on, and so does this.
    job.session.retries = Retries()
    seen = connector_view(connector)

    def follow() -> RunView:
        with Progress(f"Syncing {seen.slug} ({job.report.mode})") as progress:
            report = job.wait(
                progress=lambda report: progress.show(run_view(report)), most_poll_seconds=MOST_POLL_SECONDS
            )
        return run_view(report)

    final, by_keyboard = watched(job.id, follow, job.cancel, interrupted=interrupted)
    if final is None:
        return outcome.INTERRUPTED
    outcome.summarise(final, seen)
    return outcome.exit_code(final, by_keyboard=by_keyboard)


def runs(connector: str | None = None, /, *, limit: int = 20) -> int:
    """List runs of one connector or of all, newest first."""
    from catchment.cli.runs import write

    with server() as client:
        every = client.connectors
        wanted = [every.find(connector)] if connector is not None else every.list()
        found = [(job, one) for one in wanted for job in client.jobs.list(one.id, limit=max(1, limit))]
    found.sort(key=lambda pair: pair[0].accepted_at, reverse=True)
    write([(run_view(job), connector_view(one)) for job, one in found[: max(1, limit)]])
    return 0


def show(run: str, /) -> int:
    """Show what a run came to."""
    with server() as client:
        job, connector = _called(client, run)
        outcome.summarise(run_view(job.report), connector_view(connector), every_failure=True)
    return 0


def cancel(run: str, /) -> int:
    """Ask a run to stop."""
    from catchment.cli.runs import tell_cancelled

    with server() as client:
        job, connector = _called(client, run)
        tell_cancelled(run_view(job.cancel()), connector_view(connector))
    return 0


def _called(client: Client, text: str) -> tuple[Job, Connector]:
    """Return the run that is meant by an id, or by the beginning or the end of it.

    Raises:
        NotFound: There is none among the newest of any connector.
        UsageError: There are several.
    """
    from catchment.core.errors import NotFound, UsageError

    wanted = text.removeprefix("job_").replace("-", "").lower()
    found = list(_like(client, wanted))
    if not found:
        raise NotFound(f"There is no run {text!r}.", remedy="See: catchment runs.")
    if len(found) > 1:
        raise UsageError(f"Several runs match {text!r}.", remedy="Give more of the id.")
    report, connector = found[0]
    # Lists tell less than the run itself does.
    return client.jobs.get(connector.id, report.id), connector


def _like(client: Client, wanted: str) -> Iterator[tuple[JobReport, Connector]]:
    for connector in client.connectors.list():
        for report in client.jobs.list(connector.id, limit=MOST_LOOKED_THROUGH):
            plain = report.id.removeprefix("job_")
            if wanted and (plain.startswith(wanted) or plain.endswith(wanted)):
                yield report, connector
