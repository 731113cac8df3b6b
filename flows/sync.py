"""What every sync flow shares: claim, the three lanes as tasks, and an end that is always written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from prefect import runtime
from prefect.exceptions import TerminationSignal
from prefect.futures import PrefectFuture
from prefect.states import Cancelled, Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from catchment.core import startup
from catchment.core.clock import SystemClock
from catchment.core.errors import (
    CatchmentError,
    LeaseLost,
    RunCancelled,
    RunInterrupted,
    RunStopped,
    Unavailable,
)
from catchment.core.home import home_settings
from catchment.core.parameters import RunParameters
from catchment.core.runs import RunState, Trigger
from catchment.core.settings import parse_settings, sync_settings
from catchment.kit.config import SourceCredentials
from catchment.services import oauth_clients, upkeep
from catchment.services.connectors import orchestrator
from catchment.services.context import Context
from catchment.services.orchestrator import RUN_TAG
from catchment.services.prefect_client import PrefectClient
from catchment.sync.begin import begin_run
from catchment.sync.claim import Claimed, Refused, Ticket, claim
from catchment.sync.close import Outcome, Unexpected, close_run, close_unbegun
from catchment.sync.pulse import Pulse
from catchment.sync.run import Run, Surroundings
from catchment.sync.stop import StopSignal
from flows.context import log, open_context
from flows.progress import Progress
from tasks.collect import collect
from tasks.index import index
from tasks.parse import parse

JOIN_SECONDS = 20.0
"""Prefect kills a cancelled flow after 30 s; the writer must have been joined by then."""


def sync(parameters: RunParameters) -> Any:
    """Sync a connector once and return the state that its flow run ends in."""
    startup.started()
    context = open_context()
    claimed = claim(context.engine, parameters, _ticket(), lease_seconds=context.sync.lease_seconds)
    if isinstance(claimed, Refused):
        return Cancelled(message=claimed.why)
    stop = StopSignal()
    try:
        run = _begin(context, claimed, stop)
        progress = Progress(run, context.prefect)
    except TerminationSignal as signal:
        close_unbegun(context.engine, claimed, _meaning_of(signal))
        raise
    except CatchmentError as error:
        return _state(close_unbegun(context.engine, claimed, error))
    except Exception as error:
        return _state(close_unbegun(context.engine, claimed, Unexpected.of(error)))
    try:
        return _work(run, progress)
    finally:
        upkeep.start_next(context, claimed.connector)


def _ticket() -> Ticket:
    """Read from Prefect which flow run this is, and which row it was started for."""
    flow_run = runtime.flow_run
    tags = [tag for tag in flow_run.tags or [] if tag.startswith(RUN_TAG)]
    attempt = int(flow_run.run_count or 1)
    trigger = Trigger.SCHEDULE if "auto-scheduled" in (flow_run.tags or []) else Trigger.MANUAL
    return Ticket(
        flow_run_id=str(flow_run.id),
        attempt=attempt,
        run_id=tags[0].removeprefix(RUN_TAG) if tags else None,
        trigger=Trigger.RETRY if attempt > 1 else trigger,
    )


def _begin(context: Context, claimed: Claimed, stop: StopSignal) -> Run:
    connector = claimed.connector
    home = home_settings()
    way = orchestrator(context)

    def keep(credentials: SourceCredentials) -> None:
        way.write_credentials(connector, credentials.reveal())

    surroundings = Surroundings(
        engine=context.engine,
        cursors=way.cursors,
        clock=SystemClock(),
        sync=sync_settings(),
        parse=parse_settings(),
        spool=home.root / "spool",
        watched=home.root,
    )
    return begin_run(
        claimed,
        surroundings,
        stop=stop,
        credentials=way.read_credentials(connector),
        save_credentials=keep,
        oauth_client=partial(oauth_clients.known, context),
    )


def _work(run: Run, progress: Progress) -> Any:
    """Run the lanes, wait for all of them, write the end; a signal to this process ends all three."""
    run.around.on_progress = progress.show
    signalled: TerminationSignal | None = None
    error: BaseException | None = None
    try:
        with Pulse(run):
            _run_lanes(run)
    except TerminationSignal as signal:
        signalled = signal
    except BaseException as caught:
        error = caught
    finally:
        run.close()
    error = run.stop.cause or error
    try:
        outcome = close_run(run, error)
    except LeaseLost as lost:
        error = lost
    if isinstance(error, LeaseLost):
        # The row is the other run's by now, and says how this one ended; Prefect is told no failure.
        return Cancelled(message=str(error))
    progress.finish(run, outcome)
    if signalled is not None:
        raise signalled
    if error is not None and not isinstance(error, CatchmentError):
        log.error("%s", Unexpected.of(error))
        if not isinstance(error, Exception):
            raise error
    return _state(outcome)


def _run_lanes(run: Run) -> None:
    """Submit the lanes and wait for all; whatever happens, they are stopped and the writer is joined."""
    lanes = (collect,) if run.row.dry_run else (collect, parse, index)
    runner: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=len(lanes))
    with runner:
        futures = [runner.submit(lane, parameters={"run": run}) for lane in lanes]
        try:
            _wait(futures)
        except BaseException as caught:
            run.stop.set(_meaning_of(caught) if isinstance(caught, TerminationSignal) else caught)
            _wait(futures, timeout=JOIN_SECONDS)
            raise


def _wait(futures: Sequence[PrefectFuture[Any]], timeout: float | None = None) -> None:
    for future in futures:
        future.wait(timeout)


def _meaning_of(signal: TerminationSignal) -> RunStopped:
    """Tell a cancel in Prefect from a process that is simply being ended."""
    try:
        found = PrefectClient.from_environment().flow_run(str(runtime.flow_run.id))
    except Unavailable:
        found = None
    if found is not None and found["state_type"] in ("CANCELLING", "CANCELLED"):
        return RunCancelled("Cancelled in Prefect.")
    return RunInterrupted(f"The process was ended by signal {signal.signal}.")


def _state(outcome: Outcome) -> Any:
    if outcome.state is RunState.SUCCEEDED:
        return Completed(message=outcome.message)
    if outcome.state is RunState.CANCELLED:
        return Cancelled(message=outcome.message)
    return Failed(message=outcome.message)
