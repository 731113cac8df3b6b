"""Runs checks: each with a world and a house of its own, and paces that nobody else keeps."""

from __future__ import annotations

import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path

from catchment.conformance.check import Broken, Check, Skip, all_checks
from catchment.conformance.report import Outcome, Report, Result
from catchment.conformance.stage import LIMIT_SECONDS, Stage
from catchment.conformance.world import World, does, shortcoming
from catchment.core.clock import PassingClock
from catchment.kit.governor import paces_of_its_own
from catchment.kit.registry import lent

MakeWorld = Callable[[Path, PassingClock], World]
"""A world class, or whatever makes worlds."""
_FRAMES_TOLD = 4


def run_check(
    check: Check, make_world: MakeWorld, folder: Path, *, limit_seconds: float = LIMIT_SECONDS
) -> Result:
    """Run one check.

    Args:
        check: One of `all_checks()`.
        make_world: Makes the vendor's side.
        folder: For what the check writes; it takes away what it made.
        limit_seconds: Longest time of one run of the connector.
    """

    def result(outcome: Outcome, reason: str = "") -> Result:
        return Result(check.name, check.promise, outcome, reason)

    place = Path(tempfile.mkdtemp(prefix="check-", dir=folder))
    clock = PassingClock()
    try:
        (place / "world").mkdir()
        with paces_of_its_own(), closing(make_world(place / "world", clock)) as world:
            reason = _why_not(check, world)
            if reason:
                return result(Outcome.SKIPPED, reason)
            with (
                lent(world.connector),
                closing(Stage(world, place, clock, limit_seconds=limit_seconds)) as stage,
            ):
                check.act(stage)
    except Skip as skip:
        return result(Outcome.SKIPPED, str(skip))
    except Broken as broken:
        return result(Outcome.FAILED, str(broken))
    except Exception as error:
        return result(Outcome.FAILED, _words(error))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return result(Outcome.PASSED)


def conform(
    make_world: MakeWorld, *, folder: Path | None = None, only: Iterable[str] | None = None
) -> Report:
    """Run the checks, and return how each ended.

    Args:
        make_world: Makes the vendor's side; called once for each check.
        folder: For what the checks write; a temporary one by default.
        only: Names of checks; all by default.

    Raises:
        KeyError: There is no check of such a name.
    """
    known = {check.name: check for check in all_checks()}
    chosen = [known[name] for name in only] if only is not None else list(known.values())
    with tempfile.TemporaryDirectory(prefix="conformance-", dir=folder) as place:
        results = [run_check(check, make_world, Path(place)) for check in chosen]
    named = make_world.func if isinstance(make_world, partial) else make_world
    return Report(getattr(named, "__name__", str(named)), results)


def require(check: Check, make_world: MakeWorld, folder: Path) -> None:
    """Run one check inside of a test of pytest: skipped with its reason, or failed.

    Raises:
        AssertionError: The promise does not hold.
    """
    import pytest  # the kit's user has it; the product does without

    result = run_check(check, make_world, folder)
    if result.outcome is Outcome.SKIPPED:
        pytest.skip(result.reason)
    if result.outcome is Outcome.FAILED:
        raise Broken(f"{check.promise} But: {result.reason}")


def _why_not(check: Check, world: World) -> str:
    """Return why a check has no meaning for a world.

    Raises:
        Broken: The world has an ability and denies it, or lacks one and gives no reason.
    """
    for ability in check.needs:
        reason = shortcoming(world, ability)
        if not does(world, ability) and not reason:
            raise Broken(f"the world has no {ability.value}() and does not say in `cannot` why")
        if does(world, ability) and ability in world.cannot:
            raise Broken(f"the world has {ability.value}() and says that it cannot")
        if reason:
            return f"{ability.value}: {reason}"
    return ""


def _words(error: BaseException) -> str:
    """Say what was raised, and where."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_TOLD:]
    way = " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__}: {error} ({way})"
