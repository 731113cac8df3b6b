"""How a run finds out what to do with a scope, and why; recorded and shown."""

from __future__ import annotations

from msgspec import Struct

from catchment.core.runs import Mode, Reason, Strategy
from catchment.kit.config import SourceConfig
from catchment.kit.connector import ChangeFeed, Kind
from catchment.store.rows import ScopeRow
from catchment.sync.cursor import Marks


class Plan(Struct, frozen=True):
    """What to do with one scope.

    Attributes:
        strategy: How.
        reason: Why.
        cursor: Where a delta begins; None for the beginning.
        sweep: Whether what a complete listing does not name is removed.
    """

    strategy: Strategy
    reason: Reason
    cursor: str | None = None
    sweep: bool = False


def plan_scope(
    scope: ScopeRow,
    *,
    mode: Mode,
    kind: Kind,
    feed: ChangeFeed,
    marks: Marks,
    config: SourceConfig,
    config_hash: str,
    reconcile_seconds: int,
    now: float,
) -> Plan:
    """Choose a strategy for a scope of a run without a filter.

    auto promises the result of a complete listing. Where the source reports every change, deletions
    included, the cursor keeps that promise at a cost that follows the changes; so delta is taken as
    long as nothing speaks against it.
    """
    cursor = marks.by_scope.get(scope.key)
    if kind is Kind.FEED:
        if mode is Mode.FULL:
            return Plan(Strategy.DELTA, Reason.FULL)
        return Plan(Strategy.DELTA, Reason.FEED if cursor else marks.refused or Reason.NO_CURSOR, cursor)
    if mode is Mode.FULL:
        return Plan(Strategy.LISTING, Reason.FULL, sweep=True)
    if mode is Mode.INCREMENTAL:
        if feed is ChangeFeed.NONE:
            listed = scope.listed_at is not None
            return Plan(Strategy.LISTING, Reason.NO_CHANGE_FEED if listed else Reason.NO_CURSOR)
        if cursor is None:
            return Plan(Strategy.LISTING, marks.refused or Reason.NO_CURSOR)
        return Plan(Strategy.DELTA, Reason.CURSOR, cursor)
    reason = _why_list(
        scope, feed, marks, config, config_hash=config_hash, reconcile_seconds=reconcile_seconds, now=now
    )
    if reason is None:
        return Plan(Strategy.DELTA, Reason.CURSOR, cursor)
    return Plan(Strategy.LISTING, reason, sweep=True)


def _why_list(
    scope: ScopeRow,
    feed: ChangeFeed,
    marks: Marks,
    config: SourceConfig,
    *,
    config_hash: str,
    reconcile_seconds: int,
    now: float,
) -> Reason | None:
    """Return why an automatic run must list everything, or None when the cursor will do."""
    if marks.refused is not None:
        return marks.refused
    if scope.listed_at is None:
        return Reason.NO_CURSOR
    if scope.config_hash != config_hash:
        return Reason.CONFIG_CHANGED
    if scope.incomplete:
        return Reason.INCOMPLETE
    if feed is not ChangeFeed.COMPLETE:
        return Reason.NO_CHANGE_FEED
    if config.auto_strategy == "listing":
        return Reason.CONFIGURED
    if marks.by_scope.get(scope.key) is None:
        return Reason.NO_CURSOR
    limit = config.reconcile_seconds if config.reconcile_seconds is not None else reconcile_seconds
    if now - scope.listed_at > limit:
        return Reason.RECONCILE
    return None
