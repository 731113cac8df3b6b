"""That `check` says how things stand, tells troubles apart, and says what to do."""

from __future__ import annotations

from catchment.conformance.abilities import Ability
from catchment.conformance.check import check
from catchment.conformance.stage import Stage
from catchment.conformance.world import Setup
from catchment.kit.health import Capability, Health


def _checked(stage: Stage, setup: Setup | None = None) -> list[Capability]:
    source = stage.source(setup)
    results = stage.within(source.check)
    stage.expect(results, "no capability is told")
    names = [result.name for result in results]
    stage.expect(len(set(names)) == len(names), f"one name stands for two capabilities: {names}")
    stage.expect(all(result.message for result in results), "a capability says nothing")
    return results


def _fails(stage: Stage, setup: Setup, *wanted: Health) -> None:
    results = _checked(stage, setup)
    bad = [result for result in results if result.health is not Health.OK]
    stage.expect(bad, "all is told to be well")
    first = bad[0]
    stage.expect(
        first.health in wanted, f"it is told to be {first.health.value}: {first.name}, {first.message}"
    )
    stage.expect(first.remedy, f"nothing is said about what to do: {first.message}")


@check("check-ok", "Where everything works, check says so of each capability.")
def well(stage: Stage) -> None:
    """With something to read, and without."""
    for count in (0, 2):
        if count:
            stage.fill(count)
        bad = [result for result in _checked(stage) if result.health is not Health.OK]
        stage.expect(not bad, f"with {count} things it says {[(one.name, one.message) for one in bad]}")


@check("check-bad-token", "A refused credential is told as denied, with what to do.", Ability.BAD_TOKEN)
def bad_token(stage: Stage) -> None:
    """The vendor does not know it."""
    stage.fill(2)
    _fails(stage, stage.world.bad_token(), Health.DENIED)


@check(
    "check-unreachable",
    "A source that does not answer is told as unreachable, with what to do.",
    Ability.UNREACHABLE,
)
def unreachable(stage: Stage) -> None:
    """Nobody is there."""
    stage.fill(2)
    _fails(stage, stage.world.unreachable(), Health.UNREACHABLE)


@check(
    "check-missing-scope",
    "A permission that is missing is told as denied, though the sign-in is good, with what to do.",
    Ability.MISSING_SCOPE,
)
def missing_scope(stage: Stage) -> None:
    """The credential may not read what is wanted."""
    stage.fill(2)
    _fails(stage, stage.world.missing_scope(), Health.DENIED)


@check(
    "check-wrong-setting",
    "A setting that leads nowhere is told as wrong settings, with its name and what to do.",
    Ability.WRONG_SETTING,
)
def wrong_setting(stage: Stage) -> None:
    """Something is named that does not exist."""
    stage.fill(2)
    setup = stage.world.wrong_setting()
    _fails(stage, setup, Health.MISCONFIGURED)
    named = [result.setting for result in _checked(stage, setup) if result.health is Health.MISCONFIGURED]
    known = stage.connector.config_model.model_fields
    stage.expect(named[0] in known, f"the setting that it names is {named[0]!r}")


@check(
    "check-tells-apart",
    "Troubles of different kinds are told in different words.",
    Ability.UNREACHABLE,
    Ability.MISSING_SCOPE,
)
def tells_apart(stage: Stage) -> None:
    """The same sentence for both would send people the wrong way."""
    stage.fill(2)
    said = []
    for setup in (stage.world.unreachable, stage.world.missing_scope):
        results = _checked(stage, setup())
        said.append({(one.health, one.message) for one in results if one.health is not Health.OK})
        stage.world.mend()
    stage.expect(said[0] != said[1], f"both are told as {said[0]}")
