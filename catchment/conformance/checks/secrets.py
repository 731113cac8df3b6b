"""That secrets stay where they are."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from catchment.conformance.abilities import Ability
from catchment.conformance.check import Skip, check
from catchment.conformance.checks.settings import canaries_of
from catchment.conformance.stage import Stage
from catchment.conformance.world import does
from catchment.core.errors import SourceError


@check(
    "secrets-stay-inside",
    "No secret is in any log line, error, row of the store, cursor, text, or answer of check.",
)
def secrets_stay_inside(stage: Stage) -> None:
    """A good run, one that fails, one whose token is refused, and what check says of it."""
    if not canaries_of(stage):
        raise Skip("there are no secrets")
    names = stage.fill(4)
    with _all_logs() as lines:
        stage.succeed()
        stage.expect(stage.house.shown(), "nothing was indexed")
        _stumble(stage, names[0])
        stage.world.mend()
        source = stage.source()
        said = [repr(source), repr(vars(source)), *map(repr, stage.within(source.check))]
        said += [repr(item) for item in stage.everything(source)]
        said += _refused(stage)
    said += lines
    said.append(repr(stage.house.dump()))
    said.append(repr(stage.house.cursors.saved))
    for secret in canaries_of(stage):
        leaks = [text for text in said if secret in text]
        where = leaks[0].partition(secret)[0][-80:] if leaks else ""
        stage.expect(not leaks, f"a secret stands behind: ...{where}")


def _stumble(stage: Stage, name: str) -> None:
    """Let runs fail in the ways that this vendor knows."""
    world = stage.world
    if does(world, Ability.FAIL_BODY):
        world.fail_body(name)
        stage.sync(mode="full")
        world.mend()
    if does(world, Ability.FAIL_LISTING):
        world.fail_listing(0)
        stage.sync(mode="full")
        world.mend()
    if does(world, Ability.REVOKE_TOKEN):
        world.revoke_token(0)
        stage.sync(mode="full")


def _refused(stage: Stage) -> list[str]:
    """Return what is said where the credentials are not good, or nobody answers."""
    said = []
    for ability in (Ability.BAD_TOKEN, Ability.UNREACHABLE, Ability.MISSING_SCOPE):
        if not does(stage.world, ability):
            continue
        source = stage.source(getattr(stage.world, ability.value)())
        said += [repr(result) for result in stage.within(source.check)]
        try:
            stage.everything(source)
        except SourceError as error:
            said.append(f"{error!r} {error} {error.__cause__!r}")
        stage.world.mend()
    return said


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def _all_logs() -> Iterator[list[str]]:
    """Keep every line of every log, also those that are shown to nobody."""
    root, kept = logging.getLogger(), _Kept()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    try:
        yield kept.lines
    finally:
        root.removeHandler(kept)
        root.setLevel(level)
