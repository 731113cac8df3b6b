"""That a repeat costs what changed, and every change is seen: at once, or by the next complete listing."""

from __future__ import annotations

from collections.abc import Callable

from catchment.conformance.abilities import Ability
from catchment.conformance.check import check
from catchment.conformance.stage import Stage
from catchment.core.items import Item

COUNT = 6
_CONTENTS = ("items", "documents", "chunks", "document_access")


@check("no-change-no-work", "Where nothing changed, a run reads no body and writes no document.")
def no_change(stage: Stage) -> None:
    """Sync, wait, and sync twice."""
    stage.fill(COUNT)
    stage.succeed()
    stage.agree()
    before = {name: rows for name, rows in stage.house.dump().items() if name in _CONTENTS}
    for look in (stage.succeed, stage.list_again):
        stage.world.settle()
        run = look()
        stage.expect(run.fetched == 0, f"{run.fetched} bodies were read")
        stage.expect(run.indexed == 0 and run.deleted == 0, "documents were written")
        after = {name: rows for name, rows in stage.house.dump().items() if name in _CONTENTS}
        stage.expect(after == before, "the store was written to")


def _seen(
    stage: Stage, ability: Ability | None, act: Callable[[], object], also: Callable[[], str] = str
) -> None:
    """Do something at the source, and have it seen: by the cheap way, or else by a complete listing.

    `also` says what of it is not seen yet in spite of the right texts.
    """
    stage.succeed()
    stage.agree()
    stage.world.settle()
    act()
    stage.notice()
    reason = stage.world.unseen.get(ability, "") if ability is not None else ""
    trouble = stage.difference() or also()
    if trouble and reason:
        stage.expect(
            stage.connector.blind_spots, f"it is not told at once, and no blind spot says so: {trouble}"
        )
        stage.list_all()
        trouble = stage.difference() or also()
        reason = ""
    stage.expect(not trouble, trouble)
    stage.expect(not reason, "it is seen at once; the world says otherwise in `unseen`")


@check("addition-seen", "A new thing is in the index after the next run.")
def addition(stage: Stage) -> None:
    """One thing more."""
    stage.fill(COUNT)
    _seen(stage, None, lambda: stage.world.put("newcomer", "the newcomer arrives"))


@check("edit-seen", "An edit is in the index after the next run, and costs one body.")
def edit(stage: Stage) -> None:
    """Another text, as long as the one before; seen by a feed, by an automatic run, and by a listing."""
    names = stage.fill(COUNT)
    _seen(stage, Ability.EDIT, lambda: stage.world.edit(names[2], f"the {names[2]} froze"))
    for name, look in ((names[1], stage.succeed), (names[3], stage.list_again)):
        stage.world.edit(name, f"the {name} froze")
        stage.world.settle()
        run = look()
        stage.agree()
        stage.expect(run.fetched == 1, f"{run.fetched} bodies were read for one edit")


@check("removal-seen", "What is removed goes, and nothing else does.", Ability.REMOVE)
def removal(stage: Stage) -> None:
    """One thing less."""
    names = stage.fill(COUNT)
    _seen(stage, Ability.REMOVE, lambda: stage.world.remove(names[2]))


@check(
    "restoration-seen",
    "What was removed and comes back is in the index again.",
    Ability.REMOVE,
    Ability.RESTORE,
)
def restoration(stage: Stage) -> None:
    """Away for one run, and back."""
    names = stage.fill(COUNT)
    stage.succeed()
    stage.world.settle()
    stage.world.remove(names[2])
    stage.notice()
    stage.list_all()
    stage.agree()
    _seen(stage, Ability.RESTORE, lambda: stage.world.restore(names[2]))


@check("rename-seen", "A rename keeps one document, under the new name.", Ability.RENAME)
def rename(stage: Stage) -> None:
    """Another name; a source whose keys are its own ids keeps the document's id as well."""
    names = stage.fill(COUNT)
    stage.succeed()
    key, ids = stage.world.key(names[2]), stage.house.ids()
    old = _old_path(stage, "otherwise", stage.house.fact(key, "path"))
    _seen(stage, Ability.RENAME, lambda: stage.world.rename(names[2], "otherwise"), old)
    new = stage.world.key("otherwise")
    if new == key:
        stage.expect(stage.house.ids()[new] == ids[key], "the document has another id")


@check("move-seen", "What is moved keeps one document, in its new place.", Ability.MOVE)
def move(stage: Stage) -> None:
    """Another place within what is read."""
    names = stage.fill(COUNT)
    stage.succeed()
    old = _old_path(stage, names[2], stage.house.fact(stage.world.key(names[2]), "path"))
    _seen(stage, Ability.MOVE, lambda: stage.world.move(names[2]), old)


def _old_path(stage: Stage, name: str, path: str) -> Callable[[], str]:
    """Return what says whether a thing still has this path."""
    return lambda: (
        "the path is the old one" if stage.house.fact(stage.world.key(name), "path") == path else ""
    )


@check(
    "permission-change-seen",
    "Who may read a thing is told as it is now: nobody else, and never everybody for want of an answer.",
    Ability.RESTRICT,
)
def permission_change(stage: Stage) -> None:
    """One thing is restricted to one person; it is asked for by what the ledger knows, and no more."""
    names = stage.fill(COUNT)
    before, key = stage.source(), stage.world.key(names[2])
    items = {
        item.key: Item(item.key, item.path, version=item.version, url=item.url)
        for item in stage.everything(before)
    }
    stage.within(lambda: before.permissions(list(items.values())))
    stage.world.restrict(names[2], "ann")
    stage.world.settle()
    after = stage.source()
    told = stage.within(lambda: after.permissions([items[key]]))[key]
    stage.expect(not told.public, "everybody may read it")
    stage.expect([entry.subject for entry in told.entries] == ["ann"], f"readers are {told.entries}")


@check("same-moment-edits-seen", "Changes of one moment are all seen, wherever a page ends.")
def boundary_ties(stage: Stage) -> None:
    """Twice as many edits as fit a page, and more of them in the moment of the run itself."""
    names = stage.fill(COUNT)
    stage.pages_of(2)
    stage.succeed()
    stage.world.settle()
    for name in names:
        stage.world.edit(name, f"the {name} froze")
    stage.succeed(mode="incremental" if stage.has_feed else "auto")
    for name in names[::2]:
        stage.world.edit(name, f"the {name} broke")
    stage.notice()
    stage.agree()


@check(
    "late-arrival-seen",
    "What appears with a time that has passed already is seen all the same.",
    Ability.LATE,
)
def late_arrival(stage: Stage) -> None:
    """The vendor tells of a thing a moment after the run that should have seen it."""
    stage.fill(COUNT)
    stage.succeed()
    stage.notice()
    stage.world.late("latecomer", "the latecomer arrives")
    stage.notice()
    stage.agree()
