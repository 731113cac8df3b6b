"""What becomes of one listed item: the idempotency check, as a pure function."""

from __future__ import annotations

from enum import Enum, auto

from msgspec import Struct

from catchment.core.items import Item
from catchment.core.runs import DELETED_BY_A_PERSON, ItemState, Mode
from catchment.store.items import Known, Standing

RECENT_SECONDS = 15 * 60


class Fate(Enum):
    """What is to be done next with an item."""

    FETCH = auto()
    TOUCH = auto()
    """Nothing to read; the ledger's facts about it are out of date."""
    LEAVE = auto()
    """Nothing at all."""
    REFUSE = auto()
    """A rule says no, and the ledger does not know yet."""
    IGNORE = auto()
    """Not part of this run: it does not even count."""


class Verdict(Struct, frozen=True):
    """A fate, and the reason that is counted and shown."""

    fate: Fate
    reason: str = ""


_GONE = (ItemState.DELETED, ItemState.SKIPPED)
FETCH = Verdict(Fate.FETCH)
UNCHANGED = Verdict(Fate.LEAVE, "unchanged")
TOUCH = Verdict(Fate.TOUCH, "unchanged")


def judge(
    item: Item,
    known: Known | None,
    *,
    mode: Mode,
    named: bool,
    reported: bool,
    relisted: bool,
    scope_pk: int | None,
    refusal: str | None,
    now: float,
) -> Verdict:
    """Decide what becomes of an item.

    Args:
        item: What the source says now.
        known: What the ledger knows.
        mode: auto checks whether it is unchanged, full and incremental do not.
        named: A filter named it.
        reported: The source's change feed reported it, so that it counts as changed.
        relisted: Another listing will name it again before long, whatever becomes of it now; a source
            with a complete change feed is not listed again, its cursor passes the item.
        scope_pk: The scope in which it was seen.
        refusal: Why a rule refuses it, or None.
        now: POSIX seconds.
    """
    if refusal is not None:
        return _refused(item, known, refusal, scope_pk)
    if known is None or (known.state in _GONE and not is_hidden(known, scope_pk)):
        return FETCH
    if mode is Mode.FULL or (mode is Mode.INCREMENTAL and (named or reported)):
        return FETCH
    same = item.version is not None and item.version == known.version
    if mode is Mode.INCREMENTAL:
        # Without a feed the version marks are how the source reports changes; what failed before
        # is the business of automatic runs.
        if not same:
            return FETCH
        stands = known.state == ItemState.INDEXED and known.has_document
        return TOUCH if stands and _facts_differ(item, known, scope_pk) else Verdict(Fate.IGNORE)
    unmarked = item.version is None and known.version is None
    if known.state == ItemState.INDEXED and known.has_document:
        # That it was processed a moment ago is a guess, good enough only where it is looked at again.
        recent = unmarked and relisted and not reported and now - known.updated_at < RECENT_SECONDS
        if not same and not recent:
            return FETCH
        return TOUCH if _facts_differ(item, known, scope_pk) else UNCHANGED
    # Without marks a new version cannot be told from the old one, unless a feed reports it.
    same = same or (unmarked and not reported)
    verdict = _checked_absent(item, known, same=same, named=named, scope_pk=scope_pk, now=now)
    if verdict.fate is Fate.LEAVE and _facts_differ(item, known, scope_pk):
        # Moved: the scope or the listing that names it no longer must not take it for gone.
        return Verdict(Fate.TOUCH, verdict.reason)
    return verdict


def is_hidden(known: Known, scope_pk: int | None) -> bool:
    """Tell whether a person deleted the document of an item, which holds as long as the item is somewhere.

    Args:
        known: What the ledger knows.
        scope_pk: Where it is now; where that is not the scope that lost it, it was moved.
    """
    if known.was_hidden:
        return scope_pk is not None and known.scope_pk not in (None, scope_pk)
    return known.state == ItemState.HIDDEN


def standing_of(item: Item) -> Standing:
    """Return what the cheapest look at a listed item sees.

    Where an item of the index has the same, `judge` says `UNCHANGED` in an automatic run, unless a rule
    refuses the item; of all others it decides.
    """
    return item.key, item.version, item.path, item.url


def _checked_absent(
    item: Item, known: Known, *, same: bool, named: bool, scope_pk: int | None, now: float
) -> Verdict:
    """Check an item that is known and has no good document."""
    if known.state == ItemState.FAILED:
        due = known.next_attempt_at is not None and known.next_attempt_at <= now
        return FETCH if not same or due or named else Verdict(Fate.LEAVE, "waiting_for_retry")
    if known.state == ItemState.QUARANTINED:
        return FETCH if not same or named else Verdict(Fate.LEAVE, "quarantined")
    if is_hidden(known, scope_pk):
        # Without marks only the bytes tell; the fetch compares them.
        return FETCH if not same or item.version is None else Verdict(Fate.LEAVE, DELETED_BY_A_PERSON)
    return FETCH


def _facts_differ(item: Item, known: Known, scope_pk: int | None) -> bool:
    return (
        item.key != known.key
        or item.path != known.path
        or item.url != known.url
        or (scope_pk is not None and scope_pk != known.scope_pk)
    )


def _refused(item: Item, known: Known | None, refusal: str, scope_pk: int | None) -> Verdict:
    if (
        known is not None
        and known.state == ItemState.SKIPPED
        and known.reason == refusal
        and known.version == item.version
        and not _facts_differ(item, known, scope_pk)
    ):
        return Verdict(Fate.LEAVE, code_of(refusal))
    return Verdict(Fate.REFUSE, refusal)


def code_of(reason: str) -> str:
    """Return the short code at the head of a reason (``too_large: 7 bytes`` is ``too_large``)."""
    return reason.partition(":")[0]
