"""From what the source says of an item to a job in a batch, in the order of the listing."""

from __future__ import annotations

import time
from collections.abc import Sequence

from catchment.core.documents import ParsedDocument
from catchment.core.items import Changed, Deleted, Item
from catchment.core.runs import Stage
from catchment.kit.connector import ChangeFeed
from catchment.store.items import Known
from catchment.store.rows import ScopeRow
from catchment.sync.batches import Action, Batch, Job
from catchment.sync.cleaning import are_fit, fit_item, fit_key
from catchment.sync.fetching import Fetcher
from catchment.sync.preview import preview_batch
from catchment.sync.run import Run
from catchment.sync.selection import FETCH, TOUCH, Fate, judge
from catchment.sync.underway import Underway

PAGE_SECONDS = 1.0
"""A slow source's items are handed on after this long, even if the page or batch is not full."""

NOT_SHOWN = "not_shown"
"""Reason of an item that is to be tried again, and of which its source can tell nothing."""

_ACTIONS = {Fate.FETCH: Action.INDEX, Fate.TOUCH: Action.TOUCH, Fate.REFUSE: Action.SKIP}


class Intake:
    """Judges items one by one, has the bodies of what changed read, and fills batches.

    Attributes:
        batch: What is being filled; whoever moves a position, a cursor or a scope's end says so here
            and flushes.
        underway: What this run has dealt with, so that the ledger's older word is not believed.
        retried: Version of each failed item that this run has tried again, by key.
    """

    def __init__(self, run: Run) -> None:
        self.batch = Batch()
        self.underway = Underway()
        self.retried: dict[str, str | None] = {}
        self._run = run
        self._fetcher = Fetcher(run, self._deliver)
        self._limit = run.settings.first_batch_items
        self._begun = time.monotonic()
        self._originals: dict[str, Item] = {}

    def close(self) -> None:
        """Let go of what still reads."""
        self._fetcher.close()

    def fit(self, item: Item) -> Item:
        """Make an item's texts fit for a database; the source is asked with its own words."""
        fitting = fit_item(item)
        if fitting is not item:
            self._originals[fitting.key] = item
        return fitting

    def fit_names(self, page: Sequence[Item]) -> Sequence[Item]:
        """Make the keys and paths of a listed page fit; `fit` does the rest for what is worked on."""
        return page if are_fit(page) else [self.fit(item) for item in page]

    def fit_event(self, event: Changed | Deleted) -> Changed | Deleted:
        """Make the texts of a reported change fit for a database."""
        return Deleted(fit_key(event.key)) if isinstance(event, Deleted) else Changed(self.fit(event.item))

    def judge(
        self,
        item: Item,
        before: Known | None,
        row: ScopeRow | None,
        *,
        named: bool = False,
        reported: bool = False,
        moved: bool = False,
    ) -> None:
        """Decide what becomes of an item, and put it on its way.

        Args:
            item: What the source says, made fit.
            before: What the ledger knows.
            row: The scope in which it was seen.
            named: A filter named it.
            reported: The change feed reported it.
            moved: The listing proved that it is what `before` was.
        """
        run = self._run
        before = self.underway.doubt(before)
        asked = self._originals.pop(item.key, None) if self._originals else None
        if item.version is not None and self.retried.get(item.key) == item.version:
            return  # this run has tried it already: a second try would count as another failure
        scope_pk = row.pk if row is not None else None
        now = run.clock.now()
        refusal = run.selection.refusal(item, now=now)
        if before is None and refusal is None:
            verdict = FETCH  # as `judge` would say, for every item of a first run
        else:
            verdict = judge(
                item,
                before,
                mode=run.mode,
                named=named,
                reported=reported,
                relisted=run.source.change_feed is not ChangeFeed.COMPLETE,
                scope_pk=scope_pk,
                refusal=refusal,
                now=now,
            )
        if verdict.fate is Fate.IGNORE:
            return
        if verdict.fate is Fate.LEAVE:
            self.leave(verdict.reason)
            return
        run.counters.collected += 1
        reason = "moved" if moved and verdict == TOUCH else verdict.reason
        job = Job(item, before, _ACTIONS[verdict.fate], reason, named=named, size=item.size)
        job.scope_pk = scope_pk
        job.asked = asked
        self.underway.note(item.key, before)
        self._fetcher.add(job, fetch=verdict.fate is Fate.FETCH and not run.row.dry_run)

    def refuse_name(self, name: str, reason: str, message: str) -> None:
        """Record a named entry that cannot be synced; it leaves no trace in the ledger."""
        self._run.counters.collected += 1
        job = Job(Item(name, name), None, Action.FAIL, reason, message, Stage.COLLECT, named=True)
        self._fetcher.add(job, fetch=False)

    def fail_again(self, before: Known, message: str) -> None:
        """Record that an item which failed cannot be tried again now; what is known of it stays."""
        self._run.counters.collected += 1
        item = Item(before.key, before.path, version=before.version, url=before.url)
        self.underway.note(item.key, before)
        job = Job(item, before, Action.FAIL, NOT_SHOWN, message, Stage.COLLECT, scope_pk=before.scope_pk)
        self._fetcher.add(job, fetch=False)

    def leave(self, reason: str, items: int = 1) -> None:
        """Count items with which nothing is to be done."""
        self._run.counters.collected += items
        self.batch.unchanged[reason] = self.batch.unchanged.get(reason, 0) + items
        if time.monotonic() - self._begun > PAGE_SECONDS and not self.batch.jobs:
            self.flush(self.batch.scope)

    def remove(
        self,
        item: Item,
        before: Known | None,
        reason: str,
        *,
        named: bool = False,
        scope_pk: int | None = None,
    ) -> None:
        """Put on its way what is gone; `reason` says by which evidence."""
        self.underway.note(item.key, before)
        job = Job(item, before, Action.REMOVE, reason, named=named, scope_pk=scope_pk)
        self._fetcher.add(job, fetch=False)

    def _deliver(self, job: Job) -> None:
        """Put a job into the batch, and hand the batch on when it is full."""
        size = len(job.body) if job.body is not None else 0
        if job.given and isinstance(job.parsed, ParsedDocument):
            size = len(job.parsed.text)
        if self.batch.jobs and self.batch.body_bytes + size > self._run.settings.batch_bytes:
            self.flush(self.batch.scope)
        self.batch.jobs.append(job)
        self.batch.body_bytes += size
        if len(self.batch.jobs) >= self._limit or time.monotonic() - self._begun > PAGE_SECONDS:
            self.flush(self.batch.scope)

    def drain(self) -> None:
        """Wait until every body on its way is read, so that what follows comes after all of it."""
        self._fetcher.drain()

    def flush(self, row: ScopeRow | None) -> None:
        """Hand the batch on, if there is anything in it, and begin the next."""
        if self.batch.empty:
            return
        self.batch.scope = row or self.batch.scope
        self.send(self.batch)
        self.batch = Batch(scope=row)
        self._begun = time.monotonic()
        self._limit = min(self._limit * 2, self._run.settings.batch_items)

    def send(self, batch: Batch) -> None:
        """Hand a batch to the parse lane; a dry run only counts what would be done."""
        run = self._run
        if run.row.dry_run:
            preview_batch(run, batch)
        else:
            run.to_parse.put(batch)
