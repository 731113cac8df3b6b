"""That a vendor which asks for patience is given it, however it asks; and that a cancel ends all waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from email.utils import formatdate

from catchment.conformance.abilities import Ability
from catchment.conformance.check import check
from catchment.conformance.stage import CANCEL_SECONDS, Stage, shown, told

COUNT = 4
SECONDS = 7
LONG_SECONDS = 1800
"""A wait that nobody sits out, and yet no connector refuses."""
ABSURD_SECONDS = 86_400


def _met(stage: Stage, form: Callable[[], str | None], least: float) -> None:
    """Let one request of a run be refused so; it waits at least so long, and reads all."""
    stage.fill(COUNT)
    before = len(stage.clock.waits)
    stage.world.rate_limit(form(), 1)
    run = stage.sync()
    stage.expect(run.state == "SUCCEEDED", f"the run ended {told(run)}")
    waited = sum(stage.clock.waits[before:])
    stage.expect(waited >= least, f"it waited {waited:g} s, and was asked for {least:g}")
    stage.agree()


@check("retry-after-zero", "Retry-After: 0 is answered by the next request.", Ability.RATE_LIMIT)
def zero(stage: Stage) -> None:
    """No wait is asked for, and none is an error."""
    _met(stage, lambda: "0", 0)


@check("retry-after-seconds", "Retry-After in seconds is waited for.", Ability.RATE_LIMIT)
def in_seconds(stage: Stage) -> None:
    """As most vendors write it."""
    _met(stage, lambda: str(SECONDS), SECONDS)


@check(
    "retry-after-date",
    "Retry-After as a date is waited for; one that has passed is no wait.",
    Ability.RATE_LIMIT,
)
def as_date(stage: Stage) -> None:
    """As RFC 9110 allows it."""
    _met(stage, lambda: formatdate(stage.clock.now() + 2 * SECONDS, usegmt=True), SECONDS)
    stage.world.mend()
    stage.world.rate_limit(formatdate(stage.clock.now() - 60, usegmt=True), 1)
    stage.succeed(mode="full")
    stage.agree()


@check(
    "retry-after-unsaid",
    "A refusal without Retry-After, or with nonsense in it, is waited out.",
    Ability.RATE_LIMIT,
)
def unsaid(stage: Stage) -> None:
    """The length is the connector's own, and not nothing."""
    _met(stage, lambda: None, 0.001)
    stage.world.mend()
    stage.world.rate_limit("in a while", 1)
    stage.succeed(mode="full")
    stage.agree()


@check(
    "retry-after-absurd",
    "A Retry-After of a day is obeyed, or the run gives up and says so; it is never cut short.",
    Ability.RATE_LIMIT,
)
def absurd(stage: Stage) -> None:
    """The next run, a day later, reads all."""
    stage.fill(COUNT)
    before = len(stage.clock.waits)
    stage.world.rate_limit(str(ABSURD_SECONDS), 1)
    run = stage.sync()
    waited = sum(stage.clock.waits[before:])
    if run.state == "SUCCEEDED" and not run.failed:
        stage.expect(waited >= ABSURD_SECONDS, f"it waited {waited:g} s only")
    else:
        reasons = {told_of["reason"] for told_of in run.details.get("errors", ())}
        said = reasons == {"busy"} if run.state == "SUCCEEDED" else run.error_code not in ("internal", "auth")
        stage.expect(said, f"the run ended {told(run)}, things failed for {shown(reasons)}")
        stage.clock.advance(ABSURD_SECONDS)
        stage.succeed()
    stage.agree()


@check(
    "cancel-in-work",
    "A run that is cancelled in its work ends at once; the next one completes it.",
    Ability.MEANWHILE,
)
def cancel_in_work(stage: Stage) -> None:
    """Between two pages."""
    stage.fill(COUNT)
    stage.pages_of(2)
    cancelled = threading.Event()

    def cancel() -> None:
        stage.cancel()
        cancelled.set()

    stage.world.meanwhile(cancel)
    _ends_soon(stage, lambda: cancelled.wait(stage.limit_seconds), "the world let nothing happen")
    stage.world.mend()
    stage.succeed()
    stage.agree()


@check(
    "cancel-in-wait",
    "A run that is cancelled while its vendor has it wait ends at once; the next one completes it.",
    Ability.RATE_LIMIT,
)
def cancel_in_wait(stage: Stage) -> None:
    """The wait can be seen, so that a person knows what to cancel."""
    stage.fill(COUNT)
    stage.world.rate_limit(str(LONG_SECONDS), 1)
    stage.clock.holds = True

    def cancel() -> bool:
        seen = stage.clock.waiting.wait(stage.limit_seconds)
        stage.cancel()
        return seen

    _ends_soon(stage, cancel, "it does not wait by `session.wait`, where it can be seen and cancelled")
    stage.clock.holds = False
    stage.world.mend()
    stage.clock.advance(LONG_SECONDS)
    stage.succeed()
    stage.agree()


def _ends_soon(stage: Stage, cancel: Callable[[], bool], otherwise: str) -> None:
    """Sync, have it cancelled, and see it end."""
    errors: list[Exception] = []

    def work() -> None:
        try:
            stage.house.sync()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work, name="cancelled", daemon=True)
    thread.start()
    seen = cancel()
    thread.join(min(CANCEL_SECONDS, stage.limit_seconds))
    is_over = not thread.is_alive()
    stage.expect(seen, otherwise)
    stage.expect(is_over, f"it did not end within {CANCEL_SECONDS:g} s")
    stage.expect(not errors, f"it ended in {errors}")
    row = stage.house.run(stage.running[-1].row.id)
    stage.expect(row.state == "CANCELLED", f"the run ended {told(row)}")
