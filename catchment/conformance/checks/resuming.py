"""That a run which ends too early, wherever that is, costs a repeat and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from itertools import zip_longest

from catchment.conformance.abilities import Ability
from catchment.conformance.check import Skip, check
from catchment.conformance.dying import dying_commit, dying_save
from catchment.conformance.stage import Stage, shown, told
from catchment.conformance.world import does
from catchment.core.errors import CursorExpired
from catchment.core.items import Changed, Checkpoint, Complete, Deleted, Item, Scope
from catchment.kit.connector import FeedEvent, Kind, ListingEvent
from catchment.sync.claim import Refused

COUNT = 7
SAVES = 3
BROKEN_OFF_PAGES = 3
MOST_DEATHS = 60
"""Transactions of one small run; more of them and the kit gives up."""


@check(
    "resumed-listing-is-whole",
    "A listing resumed at any of its positions names what one without a break names.",
)
def resumed_listing(stage: Stage) -> None:
    """Position by position, with a connector object of its own each."""
    if not stage.connector.resumable:
        raise Skip("listings are not resumed: the ledger is checkpoint enough")
    if stage.world.no_positions:
        raise Skip(stage.world.no_positions)
    stage.fill(stage.world.long_listing)
    stage.pages_of(max(2, stage.world.long_listing // COUNT))
    source = stage.source()
    named = False
    for scope in stage.within(source.scopes):
        whole = stage.within(lambda: list(source.listing(scope)))  # noqa: B023 - called at once
        keys, mark = _keys(whole), _mark(whole)
        for at, event in enumerate(whole):
            if isinstance(event, Checkpoint):
                other, position = stage.source(), event.position
                rest = stage.within(lambda: list(other.listing(scope, position)))  # noqa: B023
                both = _keys(whole[:at]) | _keys(rest)
                stage.expect(both == keys, f"resumed after {at} events it lacks {shown(keys - both)}")
                stage.expect(len(rest) < len(whole), "it begins anew")
                same = _mark(rest) == mark or _is_refused(stage, scope, _mark(rest))
                stage.expect(same, "it ends in another mark")
                named = True
    stage.expect(named, "it is said to be resumable, and names no position")


def _is_refused(stage: Stage, scope: Scope, mark: str | None) -> bool:
    """Whether a mark costs another listing: one that a connector does not believe itself hides nothing."""
    if mark is None or not stage.has_feed:
        return False
    try:
        stage.within(lambda: list(stage.source().changes(scope, mark)))
    except CursorExpired:
        return True
    return False


def _keys(events: Iterable[ListingEvent]) -> set[str]:
    return {event.key for event in events if isinstance(event, Item)}


def _mark(events: Iterable[object]) -> str | None:
    marks = [event.mark for event in events if isinstance(event, Complete)]
    return marks[-1] if marks else "none: it did not complete"


@check(
    "resumed-feed-is-whole",
    "A change feed followed from any of its checkpoints tells what one without a break tells.",
)
def resumed_feed(stage: Stage) -> None:
    """Many changes, in small pages."""
    if not stage.has_feed:
        raise Skip("the source has no change feed")
    names = stage.fill(COUNT)
    stage.pages_of(2)
    source = stage.source()
    scopes = stage.within(source.scopes)
    listing = stage.connector.kind is Kind.LISTING
    begun = [_mark(stage.within(lambda: list(source.listing(one)))) if listing else None for one in scopes]  # noqa: B023
    for name in names:
        stage.clock.advance(120)
        stage.world.edit(name, f"the {name} froze")
    stage.world.settle()
    for scope, mark in zip(scopes, begun, strict=True):
        whole = stage.within(lambda: list(source.changes(scope, mark)))  # noqa: B023
        for at, event in enumerate(whole):
            if isinstance(event, Checkpoint):
                other, position = stage.source(), event.position
                rest = stage.within(lambda: list(other.changes(scope, position)))  # noqa: B023
                lacking = _last_words(whole) - _last_words([*whole[:at], *rest])
                stage.expect(not lacking, f"followed after {at} events it lacks {shown(map(str, lacking))}")
                stage.expect(isinstance(rest[-1], Complete), "it does not complete")


def _last_words(events: Iterable[FeedEvent]) -> set[tuple[str, str | None]]:
    said: dict[str, str | None] = {}
    for event in events:
        if isinstance(event, Changed):
            said[event.item.key] = event.item.version
        elif isinstance(event, Deleted):
            said[event.key] = "deleted"
    return set(said.items())


@check(
    "broken-off-listing-goes-on",
    "A listing that broke off is completed by the next run, deletions in all its parts included.",
    Ability.FAIL_LISTING,
    Ability.REMOVE,
)
def broken_off(stage: Stage) -> None:
    """It breaks off after two pages; meanwhile things go, come and change."""
    names = stage.fill(COUNT)
    stage.pages_of(2)
    stage.succeed()
    before = stage.house.shown()
    stage.world.fail_listing(2)
    stage.sync(mode="full")
    stage.world.mend()
    stage.world.remove(names[0])
    stage.world.remove(names[-1])
    stage.world.edit(names[3], f"the {names[3]} froze")
    stage.world.put("newcomer", "the newcomer arrives")
    stage.world.settle()
    stage.succeed(mode="full")
    lost = (before & stage.world.truth().keys()) - stage.house.shown()
    stage.expect(not lost, f"the run that went on deleted what is there: {shown(lost)}")
    stage.list_all()
    stage.agree()


@check(
    "first-listing-breaks-off-anywhere",
    "A first listing that breaks off after any of its pages is completed by the next run.",
    Ability.FAIL_LISTING,
)
def breaks_off_anywhere(stage: Stage) -> None:
    """Each time into a store of its own; what the first part named stays."""
    stage.fill(COUNT)
    stage.pages_of(2)
    for after in range(BROKEN_OFF_PAGES + 1):
        house = stage.fresh_house()
        stage.pages_of(2, house)
        stage.world.fail_listing(after)
        run = stage.sync(house)
        before = house.shown()
        stage.world.mend()
        stage.succeed(house)
        trouble = stage.difference(house)
        stage.expect(not trouble, f"after {after} pages ({told(run)}): {trouble}")
        stage.expect(before <= house.shown(), f"after {after} pages documents went")


@check(
    "killed-first-sync-converges",
    "A first sync killed before any of its transactions is completed by the next run.",
)
def killed_first(stage: Stage) -> None:
    """Each death with a store of its own."""
    stage.fill(COUNT)
    stage.pages_of(2)

    def die(at: int) -> bool:
        stage.house = stage.fresh_house()
        stage.house.tune(page_items=2, first_batch_items=4, batch_items=4)
        with dying_commit(stage.house, at):
            return stage.crash()

    _die_everywhere(stage, die)


@check(
    "killed-repeat-converges", "A repeat killed before any of its transactions is completed by the next run."
)
def killed_repeat(stage: Stage) -> None:
    """Before each death something changed, came and went."""
    stage.fill(COUNT)
    stage.succeed()
    stage.pages_of(2)
    stage.house.tune(first_batch_items=1, batch_items=1, cursor_seconds=0)

    def die(at: int) -> bool:
        _stir(stage, at)
        with dying_commit(stage.house, at):
            return stage.crash()

    _die_everywhere(stage, die)


@check(
    "killed-before-save-converges", "A run killed before it saves its cursor is completed by the next one."
)
def killed_before_save(stage: Stage) -> None:
    """The store is ahead of the cursor then, and the next run reads the same changes again."""
    stage.fill(COUNT)
    stage.succeed()
    for at in range(1, SAVES + 1):
        _stir(stage, at)
        with dying_save(stage.house, 1):
            if not stage.crash():
                raise Skip("its runs save no cursor")
        stage.succeed()
        trouble = stage.difference()
        stage.expect(not trouble, f"after death {at}: {trouble}")


def _stir(stage: Stage, at: int) -> None:
    """Change two, make one, and take away the one that was made before, each at a time of its own."""
    world = stage.world
    for name in ("river0", "meadow1"):
        world.edit(name, f"the {name} turned {at}")
        world.settle()
    world.put(f"guest{at}", f"the guest{at} arrives")
    world.settle()
    if at > 1 and does(world, Ability.REMOVE):
        world.remove(f"guest{at - 1}")
    world.settle()


def _die_everywhere(stage: Stage, die: Callable[[int], bool]) -> None:
    """Die before the first side effect, the second, and so on until a run has none left."""
    for at in range(1, MOST_DEATHS):
        died = die(at)
        run = stage.sync() if died else None
        stage.expect(run is None or run.state == "SUCCEEDED", f"after death {at} {told(run) if run else ''}")
        trouble = stage.difference()
        stage.expect(not trouble, f"after death {at}: {trouble}")
        if not died:
            return
    stage.expect(False, f"a small run has more than {MOST_DEATHS} side effects")


@check(
    "two-runs-at-once", "Two connectors to one source that read at the same time do not disturb each other."
)
def two_at_once(stage: Stage) -> None:
    """Turn by turn in one thread; then two runs in two stores. Of one connector a second run is refused."""
    stage.fill(COUNT)
    stage.pages_of(2)
    wanted = {item.key for item in stage.everything(stage.source())}
    if stage.connector.kind is Kind.LISTING:
        for found in stage.within(lambda: _turn_by_turn(stage)):
            stage.expect(found == wanted, f"read in turns one lacks {shown(wanted - found)}")
    other = stage.fresh_house()
    threads = [threading.Thread(target=house.sync, daemon=True) for house in (stage.house, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(stage.limit_seconds)
        stage.expect(not thread.is_alive(), "a run did not end")
    stage.agree()
    stage.agree(other)
    run = stage.house.begin()
    stage.expect(isinstance(stage.house.claim(), Refused), "a second run of one connector began")
    stage.within(lambda: stage.house.work(run))


def _turn_by_turn(stage: Stage) -> list[set[str]]:
    sources = [stage.source(), stage.source()]
    found: list[set[str]] = [set(), set()]
    for scopes in zip(*(source.scopes() for source in sources), strict=True):
        streams = [source.listing(scope) for source, scope in zip(sources, scopes, strict=True)]
        for events in zip_longest(*streams):
            for keys, event in zip(found, events, strict=True):
                if isinstance(event, Item):
                    keys.add(event.key)
    return found
