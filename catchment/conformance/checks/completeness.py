"""That all of the source is read, and that nothing is deleted without proof."""

from __future__ import annotations

from functools import partial

from catchment.conformance.abilities import Ability
from catchment.conformance.check import Skip, check
from catchment.conformance.stage import Stage, told
from catchment.kit.connector import Kind

COUNT = 5
GUARDED = 24
"""Things in a scope that is emptied: more than the guard lets pass."""


def only_listings(stage: Stage) -> None:
    """Skip what makes no sense for a source whose absence proves nothing."""
    if stage.connector.kind is Kind.FEED:
        raise Skip("a feed shows only what is new: absence means nothing")


@check("exact-set", "A sync indexes exactly what the source has, in pages of 1, 2, n and n + 1.")
def exact_set(stage: Stage) -> None:
    """Fill once, sync into a house for each size."""
    stage.fill(COUNT)
    for size in (1, 2, COUNT, COUNT + 1):
        house = stage.fresh_house()
        stage.pages_of(size, house)
        stage.succeed(house)
        trouble = stage.difference(house)
        stage.expect(not trouble, f"in pages of {size}: {trouble}")


@check(
    "failed-listing-deletes-nothing",
    "A listing that fails at once deletes nothing and is no success, whatever it looks like.",
    Ability.FAIL_LISTING,
)
def failed_listing(stage: Stage) -> None:
    """The first page fails for good, then the source is well again."""
    stage.fill(COUNT)
    stage.succeed()
    before = stage.house.shown()
    stage.world.fail_listing(0)
    for mode in ("auto", "full"):
        run = stage.sync(mode=mode)
        stage.expect(run.state == "FAILED", f"the {mode} run ended {told(run)}")
        stage.expect(run.error_code != "deletion_guard", "the failure is taken for an empty source")
        stage.expect(stage.house.shown() == before, "documents went")
    stage.world.mend()
    stage.list_all()
    stage.agree()


@check(
    "partial-listing-deletes-nothing",
    "A listing that breaks off deletes nothing, also of what is gone, and is no success.",
    Ability.FAIL_LISTING,
    Ability.REMOVE,
)
def partial_listing(stage: Stage) -> None:
    """One thing goes and one comes; the second page of a complete listing fails."""
    names = stage.fill(COUNT)
    stage.pages_of(2)
    stage.succeed()
    before = stage.house.shown()
    stage.world.remove(names[-1])
    stage.world.fail_listing(1)
    run = stage.sync(mode="full")
    stage.expect(run.state == "FAILED", f"the run ended {told(run)}")
    stage.expect(before <= stage.house.shown(), "documents went")
    stage.world.mend()
    stage.list_all()
    stage.agree()


@check(
    "emptied-source-is-held",
    "A source that is empty, or has lost most of what it had, loses no document until a person allows it.",
    Ability.REMOVE,
)
def mass_delete_guard(stage: Stage) -> None:
    """All but one go, then the last."""
    only_listings(stage)
    names = stage.fill(GUARDED)
    stage.succeed()
    before = stage.house.shown()
    for name in names[1:]:
        stage.world.remove(name)
    stage.world.settle()
    run = stage.sync(mode="full")
    stage.expect(run.error_code == "deletion_guard", f"the run ended {told(run)}")
    stage.expect(stage.house.shown() == before, "documents went")
    stage.succeed(mode="full", allow_mass_delete=True)
    stage.agree()
    before = stage.house.shown()
    stage.world.remove(names[0])
    stage.world.settle()
    if stage.world.truth():
        return  # a world that is never empty has shown all it can
    run = stage.sync(mode="full")
    stage.expect(run.state == "FAILED", f"the run of an empty source ended {told(run)}")
    stage.expect(stage.house.shown() == before, "the last document went")


@check(
    "created-meanwhile-survives",
    "What is made while a listing runs is not deleted by it, and is in the index after the next run.",
    Ability.MEANWHILE,
)
def created_meanwhile(stage: Stage) -> None:
    """Something is made between two pages of the first listing, and of a later one."""
    stage.fill(COUNT)
    stage.pages_of(2)
    for number, mode in enumerate(("auto", "full")):
        name = f"newcomer{number}"
        stage.world.meanwhile(partial(_arrive, stage, name))
        stage.succeed(mode=mode)
        stage.expect(name in str(stage.world.truth()), f"the world made nothing during a {mode} run")
        stage.world.mend()
        stage.notice()
        stage.agree()
        kept = stage.house.shown()
        stage.list_all()
        stage.expect(kept <= stage.house.shown(), "it went again")


def _arrive(stage: Stage, name: str) -> None:
    stage.world.settle()
    stage.world.put(name, f"the {name} arrives")
    stage.world.settle()


@check(
    "edited-meanwhile-is-seen",
    "A change made while a listing runs is in the index after the next run: the mark was taken before.",
    Ability.MEANWHILE,
)
def edited_meanwhile(stage: Stage) -> None:
    """What the listing has passed already is edited between its pages."""
    names = stage.fill(COUNT)
    stage.pages_of(2)

    def edit_all() -> None:
        stage.world.settle()
        for name in names:
            stage.world.edit(name, f"the {name} froze")
        stage.world.settle()

    stage.world.meanwhile(edit_all)
    stage.succeed()
    stage.expect("froze" in str(stage.world.truth()), "the world edited nothing")
    stage.world.mend()
    stage.notice()
    stage.agree()
