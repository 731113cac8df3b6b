"""That one bad thing stays one bad thing, and what is counted adds up."""

from __future__ import annotations

from itertools import pairwise

from sqlalchemy import select

from catchment.conformance.abilities import Ability
from catchment.conformance.check import check
from catchment.conformance.stage import Stage, shown, told
from catchment.conformance.world import does
from catchment.core.counters import Counters
from catchment.store.engine import reading
from catchment.store.rows import RunRow
from catchment.store.tables import items
from catchment.sync.run import Run

COUNT = 5
LIMIT_BYTES = 1000
_RETRY_SECONDS = 3600.0


@check(
    "poisoned-item-is-isolated",
    "A thing that cannot be read fails alone, is tried again, is put in quarantine, and keeps its old text.",
    Ability.FAIL_BODY,
)
def poisoned(stage: Stage) -> None:
    """One that is known and one that is new, until both are given up, and then well again."""
    names = stage.fill(COUNT)
    stage.succeed()
    stage.world.edit(names[1], f"the {names[1]} froze")
    stage.world.put("newcomer", "the newcomer arrives")
    stage.world.settle()
    bad = {stage.world.key(name) for name in (names[1], "newcomer")}
    for name in (names[1], "newcomer"):
        stage.world.fail_body(name)
    attempts = stage.house.sync_settings.attempts
    for attempt in range(1, attempts + 1):
        run = _ends(stage)
        stage.expect(run.failed == len(bad), f"attempt {attempt}: {run.failed} failed in place of {len(bad)}")
        states = {stage.house.fact(key, "state") for key in bad}
        wanted = "quarantined" if attempt == attempts else "failed"
        stage.expect(states == {wanted}, f"after attempt {attempt} they are {states}")
        missing = (set(stage.world.truth()) - {stage.world.key("newcomer")}) - stage.house.shown()
        stage.expect(not missing, f"went from the index: {shown(missing)}")
        stage.clock.advance(_RETRY_SECONDS)
    run = stage.succeed()
    stage.expect(run.failed == 0, "what is in quarantine was tried again")
    stage.world.mend()
    for name in (names[1], "newcomer"):
        stage.world.edit(name, f"the {name} is well again")
    stage.notice()
    stage.list_all()
    stage.agree()


@check(
    "counters-add-up", "Counters only grow, and at the end what was collected is skipped, indexed or failed."
)
def counters_add_up(stage: Stage) -> None:
    """With one that fails, where that can be; then again with what is unchanged."""
    names = stage.fill(COUNT)
    stage.pages_of(2)
    failing = int(does(stage.world, Ability.FAIL_BODY))
    if failing:
        stage.world.fail_body(names[1])
    seen: list[Counters] = []
    stage.house.tune(poll_seconds=0.002)

    def look(run: Run) -> None:
        seen.append(run.snapshot())

    stage.house.on_progress = look
    good = len(stage.world.truth()) - failing
    for indexed, skipped in ((good, 0), (0, good)):
        seen.clear()
        run = _ends(stage)
        for before, after in pairwise(seen):
            pairs = zip(vars_of(before), vars_of(after), strict=True)
            stage.expect(all(old <= new for old, new in pairs), f"a counter fell: {before}, {after}")
        ended = run.skipped + run.indexed + run.failed + run.gone
        stage.expect(run.collected == ended, f"collected {run.collected}, and ended {ended}")
        if run.strategy == "listing":
            told_of = (run.indexed, run.skipped, run.failed)
            stage.expect(told_of == (indexed, skipped, failing), f"indexed, skipped, failed: {told_of}")


def _ends(stage: Stage) -> RunRow:
    """Sync, and return the row of a run that came to its own end: of one that had bad things alone, too."""
    run = stage.sync()
    stage.expect(run.state == "SUCCEEDED" or run.error_code == "all_failed", f"the run ended {told(run)}")
    return run


def vars_of(counters: Counters) -> list[int]:
    """Return the values in one order."""
    return [getattr(counters, name) for name in Counters.__struct_fields__]


@check(
    "skips-have-reasons", "What is not indexed stands in the ledger with a reason, and reasons are counted."
)
def skips_have_reasons(stage: Stage) -> None:
    """One thing is longer than the settings allow; nothing vanishes without a word."""
    stage.fill(COUNT)
    stage.world.put("epic", "word " * LIMIT_BYTES)
    stage.world.settle()
    stage.house.configure(**{**stage.world.config(), "max_file_bytes": LIMIT_BYTES})
    for _ in range(2):
        run = stage.succeed()
        reasons = run.details.get("skipped", {})
        stage.expect(all(reason.strip() for reason in reasons), f"reasons are {reasons}")
        stage.expect(sum(reasons.values()) == run.skipped, f"{run.skipped} skipped, told are {reasons}")
        stage.world.settle()
    with reading(stage.house.engine) as connection:
        rows = connection.execute(select(items.c.key, items.c.state, items.c.reason)).all()
    named = {item.key for item in stage.everything(stage.source())}
    stage.expect(named == {row.key for row in rows}, "the ledger has other things than the source names")
    mute = [row.key for row in rows if row.state == "skipped" and not row.reason]
    stage.expect(not mute, f"skipped without a reason: {shown(mute)}")
    missing = set(stage.world.truth()) - named
    stage.expect(not missing, f"left out without a word: {shown(missing)}")


@check(
    "token-expires",
    "A token that ends in the middle of a run is renewed, and the new one is kept.",
    Ability.EXPIRE_TOKEN,
)
def token_expires(stage: Stage) -> None:
    """The next run signs in with what was kept."""
    stage.fill(COUNT)
    stage.world.expire_token(2)
    stage.succeed()
    stage.agree()
    stage.world.mend()
    stage.world.put("newcomer", "the newcomer arrives")
    stage.notice()
    stage.agree()


@check(
    "token-revoked",
    "A token that is refused for good ends the run with auth, and deletes nothing.",
    Ability.REVOKE_TOKEN,
)
def token_revoked(stage: Stage) -> None:
    """In the middle of a run; once the person has signed in again, the next goes on."""
    names = stage.fill(COUNT)
    stage.pages_of(2)
    stage.succeed()
    before = stage.house.shown()
    stage.world.edit(names[0], f"the {names[0]} froze")
    stage.world.settle()
    stage.world.revoke_token(1)
    run = stage.sync(mode="full")
    stage.expect((run.state, run.error_code) == ("FAILED", "auth"), f"the run ended {told(run)}")
    stage.expect(before <= stage.house.shown(), "documents went")
    stage.world.mend()
    stage.list_all()
    stage.agree()
