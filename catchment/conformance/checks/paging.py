"""That paging comes to an end, whatever the vendor answers."""

from __future__ import annotations

from catchment.conformance.abilities import Ability
from catchment.conformance.check import check
from catchment.conformance.stage import Stage, told
from catchment.kit.connector import Kind

COUNT = 7


@check(
    "paging-ends-on-repeated-cursor",
    "A page that names itself as the next ends the listing, incomplete.",
    Ability.REPEAT_CURSOR,
)
def repeated_cursor(stage: Stage) -> None:
    """Nothing is deleted on its word; a change feed that does so ends as well.

    A mere feed is never complete, and may pass over it, as long as it comes back to what lies behind.
    """
    names = stage.fill(COUNT)
    stage.pages_of(2)
    stage.succeed()
    before = stage.house.shown()
    stage.world.repeat_cursor()
    run = stage.sync(mode="full")
    ended = run.state == "FAILED" or stage.connector.kind is Kind.FEED
    stage.expect(ended and run.error_code != "internal", f"the run ended {told(run)}")
    stage.expect(stage.house.shown() == before, "documents went")
    if stage.has_feed:
        for name in names:
            stage.world.edit(name, f"the {name} froze")
        stage.world.settle()
        run = stage.sync(mode="incremental")
        stage.expect(run.error_code != "internal", f"the run that follows changes ended {told(run)}")
        stage.expect(before <= stage.house.shown(), "documents went")
    stage.world.mend()
    stage.list_all()
    stage.agree()


@check(
    "paging-goes-on-after-an-empty-page",
    "A page without things is not the end while another follows.",
    Ability.EMPTY_PAGE,
)
def empty_page(stage: Stage) -> None:
    """All is indexed that lies behind it."""
    stage.fill(COUNT)
    stage.pages_of(2)
    stage.world.empty_page()
    stage.sync()
    stage.world.mend()
    stage.list_all()
    stage.agree()
    stage.world.empty_page()
    stage.sync(mode="full")
    stage.agree()


@check(
    "paging-ends-without-next",
    "A page that names no next one ends the listing, without an error of its own.",
    Ability.DROP_NEXT,
)
def missing_next(stage: Stage) -> None:
    """What lies behind is caught by the next listing, also what went by the guard."""
    stage.fill(COUNT)
    stage.pages_of(2)
    stage.world.drop_next()
    run = stage.sync()
    stage.expect(run.error_code != "internal", f"the run ended {told(run)}")
    stage.expect(run.collected > 0, "what came before was not read")
    stage.world.mend()
    stage.list_all()
    stage.agree()


@check(
    "error-with-200-is-an-error",
    "An error that comes with a good status ends the listing, incomplete.",
    Ability.ERROR_WITH_200,
)
def error_with_200(stage: Stage) -> None:
    """It looks like no page, and not like an empty one."""
    stage.fill(COUNT)
    stage.pages_of(2)
    stage.succeed()
    before = stage.house.shown()
    stage.world.error_with_200()
    run = stage.sync(mode="full")
    stage.expect(run.state == "FAILED" and run.error_code != "internal", f"the run ended {told(run)}")
    stage.expect(stage.house.shown() == before, "documents went")
    stage.world.mend()
    stage.list_all()
    stage.agree()


@check(
    "request-budget",
    "A run makes no more requests than pages and bodies call for, and a repeat no more than pages.",
    Ability.LEAST_REQUESTS,
)
def request_budget(stage: Stage) -> None:
    """The first listing, one where nothing changed, and one with an edit."""
    names = stage.fill(COUNT)
    stage.pages_of(2)
    whole = len(stage.world.truth())
    for act, read in ((stage.succeed, whole), (stage.list_all, 0), (stage.list_all, 1)):
        if read == 1:
            stage.world.edit(names[0], f"the {names[0]} froze")
        before = stage.world.requests()
        run = act()
        made, least = stage.world.requests() - before, stage.world.least_requests(whole, read)
        stage.expect(made <= least, f"{made} requests, {least} would do, for {read} bodies ({run.strategy})")
    stage.agree()
