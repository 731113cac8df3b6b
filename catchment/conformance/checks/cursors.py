"""That a change mark which is of no use costs a listing, and never a change."""

from __future__ import annotations

import json
from collections.abc import Callable

from msgspec.structs import replace

from catchment.conformance.abilities import Ability
from catchment.conformance.check import Skip, check
from catchment.conformance.house import House
from catchment.conformance.stage import Stage
from catchment.sync.cursor import cursor_hash

MALFORMED = (
    "",
    " ",
    "garbage",
    "-1",
    "9" * 40,
    "{}",
    "[]",
    "null",
    '{"since": "yesterday"}',
    "\u0000",
    "2025-13-99T99:99:99Z",
)


def with_feed(stage: Stage) -> None:
    """Skip what has no marks."""
    if not stage.has_feed:
        raise Skip("the source has no change feed")


def marks(house: House) -> dict[str, str]:
    """Return the marks that the next run begins at, by scope."""
    saved = house.cursors.load(house.connector().id)
    return dict(json.loads(saved.current.text)["scopes"]) if saved is not None else {}


def set_marks(house: House, change: Callable[[str], str]) -> None:
    """Put others in their place, as if an earlier run had saved them."""
    saved = house.cursors.load(house.connector().id)
    assert saved is not None
    content = json.loads(saved.current.text)
    content["scopes"] = {scope: change(mark) for scope, mark in content["scopes"].items()}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    house.cursors.save(replace(saved, current=replace(saved.current, text=text)))
    house.mark(cursor_hash=cursor_hash(text))


def _edit_and_follow(stage: Stage, change: Callable[[str], str] | None, word: str) -> None:
    """Edit and add behind a mark of this kind; one run must see both."""
    stage.world.settle()
    stage.world.edit("river0", f"the river0 {word}")
    stage.world.put(word, f"the {word} arrives")
    stage.world.settle()
    if change is not None:
        set_marks(stage.house, change)
    stage.succeed(mode="incremental")
    stage.agree()


def _begin(stage: Stage) -> None:
    with_feed(stage)
    stage.fill(4)
    stage.succeed()
    stage.expect(marks(stage.house), "no mark was saved")


@check(
    "malformed-cursor-costs-a-listing",
    "A change mark that makes no sense costs a listing, and no change is missed.",
)
def malformed(stage: Stage) -> None:
    """Of every sort."""
    _begin(stage)
    for number, text in enumerate(MALFORMED):
        try:
            _edit_and_follow(stage, lambda _, text=text: text, f"word{number}")  # type: ignore[misc]
        except AssertionError as error:
            stage.expect(False, f"with the mark {text!r} {error}")


@check("old-cursor-is-followed", "A change mark of long ago brings everything since, once each.")
def old(stage: Stage) -> None:
    """The mark of the first run, after many changes and much time."""
    _begin(stage)
    for number in range(3):
        stage.world.put(f"guest{number}", f"the guest{number} arrives")
        stage.world.settle()
        stage.clock.advance(3600)
    _edit_and_follow(stage, None, "last")


@check(
    "future-cursor-loses-nothing",
    "A change mark of a moment that has not come hides no change.",
    Ability.FUTURE_CURSOR,
)
def future(stage: Stage) -> None:
    """As a clock leaves it that was wrong for a while."""
    _begin(stage)
    mark = stage.world.future_cursor()
    _edit_and_follow(stage, lambda _: mark, "word")


@check(
    "expired-cursor-costs-a-listing",
    "A change mark that the vendor refuses costs a listing, and the run says so.",
    Ability.EXPIRE_CURSORS,
)
def expired(stage: Stage) -> None:
    """It is too old for the vendor."""
    _begin(stage)
    stage.world.settle()
    stage.world.edit("river0", "the river0 froze")
    stage.world.settle()
    stage.world.expire_cursors()
    run = stage.succeed()
    stage.expect(run.reason == "cursor_expired", f"the run's reason is {run.reason}")
    stage.agree()
    _edit_and_follow(stage, None, "word")
