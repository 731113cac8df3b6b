"""The first lane: scopes to items, items against the ledger, bodies of what changed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from catchment.core.errors import AuthRejected, CursorExpired, OutOfScope, RunStopped, SourceError
from catchment.core.items import Changed, Checkpoint, Complete, Deleted, Found, Item, Scope
from catchment.core.runs import ItemState, Mode, Reason, Stage, Strategy
from catchment.kit.connector import ChangeFeed, Kind
from catchment.store import items, meta, scopes
from catchment.store.engine import reading, writing
from catchment.store.items import Known
from catchment.store.rows import ScopeRow
from catchment.sync import removal
from catchment.sync.batches import Action, Batch, Job, Position, ScopeEnd
from catchment.sync.cleaning import fit_item, fit_key
from catchment.sync.cursor import CursorKeeper, read_marks
from catchment.sync.fence import fenced
from catchment.sync.fetching import Fetcher
from catchment.sync.pkset import PkSet
from catchment.sync.preview import preview_batch
from catchment.sync.run import Run
from catchment.sync.selection import Fate, judge
from catchment.sync.strategy import Plan, plan_scope
from catchment.sync.underway import Underway

PAGE_SECONDS = 1.0
"""A slow source's items are handed on after this long, even if the page is not full."""
MOST_RETRIES = 1000


def collect(run: Run) -> None:
    """Read the source and hand batches to the parse lane; the first of the three lanes."""
    collector = Collector(run)
    try:
        collector.work()
        run.to_parse.close()
    finally:
        collector.fetcher.close()


class Collector:
    """Turns what the source says into jobs, in order."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.batch = Batch()
        self.batch_limit = run.settings.first_batch_items
        self.fetcher = Fetcher(run, self._deliver)
        self.begun = time.monotonic()
        self.rows: dict[str, ScopeRow] = {}
        self.underway = Underway()
        self.originals: dict[str, Item] = {}

    # -- what a run does ------------------------------------------------------------------------

    def work(self) -> None:
        """Go through named entries, or through all scopes."""
        run = self.run
        wanted = run.source.scopes()
        self.rows = rows = self._scope_rows(wanted)
        if run.filter and run.mode is not Mode.FULL:
            run.note_strategy(Strategy.TARGETED, Reason.FILTER)
            self._named(wanted, run.filter)
            return
        self._load_cursor()
        plans = [(scope, rows[scope.key], self._plan(rows[scope.key])) for scope in wanted]
        if any(plan.strategy is Strategy.DELTA for _, _, plan in plans) and run.mode is Mode.AUTO:
            self._retry_due(wanted)
        done = self._carry_out_held(wanted) if run.row.allow_mass_delete else set()
        for scope, row, plan in plans:
            if scope.key in done:
                continue
            run.note_strategy(plan.strategy, plan.reason)
            self._scope(scope, row, plan)
        if not run.incomplete and all(plan.sweep or plan.strategy is Strategy.DELTA for *_, plan in plans):
            # What lies in scopes that are configured no longer goes, now that the others are whole.
            self._send(Batch(retire=run.mode is not Mode.INCREMENTAL))

    def _scope_rows(self, wanted: Sequence[Scope]) -> dict[str, ScopeRow]:
        """Return the rows of the scopes, created where they are new; a dry run creates nothing."""
        run = self.run
        if not run.row.dry_run:
            with writing(run.engine) as connection:
                return scopes.ensure(connection, run.connector.pk, [(s.key, s.name) for s in wanted])
        with reading(run.engine) as connection:
            known = scopes.of_connector(connection, run.connector.pk)
        return {
            scope.key: known.get(scope.key)
            or ScopeRow(0, run.connector.pk, scope.key, scope.name, 0, None, None, False, None)
            for scope in wanted
        }

    def _load_cursor(self) -> None:
        run = self.run
        saved = run.around.cursors.load(run.connector.id)
        version = run.source.version
        run.marks = read_marks(saved, run.connector, run.store_id, version=version)
        run.keeper = CursorKeeper(
            run.around.cursors,
            run.connector,
            store_id=run.store_id,
            run_id=run.row.id,
            version=version,
            saved=saved,
            marks=run.marks,
        )
        if run.marks.refused is Reason.CURSOR_AHEAD and not run.row.dry_run:
            self._go_back(run.keeper)

    def _go_back(self, keeper: CursorKeeper) -> None:
        """Replace a cursor that is ahead of this store before any scope moves.

        Else the first scope to complete would raise the store's revision above it, and a crash right
        then would let the next run believe what it says of the other scopes.
        """
        run = self.run
        keeper.rebase(run.clock.now())
        with writing(run.engine) as connection:
            fenced(connection, run)
            keeper.adopt(connection)
            for row in scopes.of_connector(connection, run.connector.pk).values():
                scopes.change(connection, row.pk, incomplete=True)

    def _plan(self, row: ScopeRow) -> Plan:
        run = self.run
        return plan_scope(
            row,
            mode=run.mode,
            kind=run.source.kind,
            feed=run.source.change_feed,
            marks=run.marks,
            config=run.source.config,
            config_hash=run.config_hash,
            reconcile_seconds=run.settings.reconcile_seconds,
            now=run.clock.now(),
        )

    def _scope(self, scope: Scope, row: ScopeRow, plan: Plan) -> None:
        """Read one scope; what goes wrong in it ends the scope, not the run."""
        run = self.run
        end = ScopeEnd(row, complete=False, listing=plan.strategy is Strategy.LISTING, sweep=plan.sweep)
        report = {"strategy": plan.strategy.value, "reason": plan.reason.value}
        run.report.scopes[scope.key] = report
        self.fetcher.drain()
        self._flush(None)
        self.batch.scope = row
        try:
            if plan.strategy is Strategy.DELTA:
                try:
                    self._delta(scope, row, plan, end)
                except CursorExpired:
                    report["reason"] = Reason.CURSOR_EXPIRED.value
                    plan = self._without_cursor(report, end)
                    if plan.strategy is Strategy.DELTA:
                        self._delta(scope, row, plan, end)
                    else:
                        self._listing(scope, row, end)
            else:
                self._listing(scope, row, end)
        except (AuthRejected, RunStopped):
            raise
        except SourceError as error:
            end.complete, end.error, end.error_code = False, str(error), error.code
            run.incomplete[scope.key] = str(error)
        if end.complete and end.sweep:
            self.underway.swept(row.pk, end.sighted)
        report["state"] = "complete" if end.complete else "incomplete"
        if end.error:
            report["error"] = end.error
        self.fetcher.drain()
        self.batch.end = end
        self._flush(row)

    def _without_cursor(self, report: dict[str, str], end: ScopeEnd) -> Plan:
        run = self.run
        run.reason = Reason.CURSOR_EXPIRED
        if run.source.kind is Kind.FEED:
            return Plan(Strategy.DELTA, Reason.CURSOR_EXPIRED)
        run.strategy = Strategy.LISTING
        report["strategy"] = Strategy.LISTING.value
        end.listing, end.sweep = True, run.mode is not Mode.INCREMENTAL
        return Plan(Strategy.LISTING, Reason.CURSOR_EXPIRED, sweep=end.sweep)

    # -- listing --------------------------------------------------------------------------------

    def _listing(self, scope: Scope, row: ScopeRow, end: ScopeEnd) -> None:
        """Compare a complete listing with the ledger, page by page."""
        resume = self._resume_at(row, end)
        try:
            self._list_from(resume, scope, row, end)
        except CursorExpired:
            if resume is None:
                raise
            self.run.report.notes.append(f"The listing of {row.name} began anew: its position is too old.")
            end.sighted, end.listed = PkSet(), 0
            with reading(self.run.engine) as connection:
                end.watermark = meta.last_pk(connection)
            self._list_from(None, scope, row, end)

    def _list_from(self, resume: str | None, scope: Scope, row: ScopeRow, end: ScopeEnd) -> None:
        run = self.run
        moved: list[tuple[Item, Known]] = []
        page: list[Item] = []
        since = time.monotonic()
        try:
            for event in run.source.listing(scope, resume):
                if isinstance(event, Item):
                    page.append(self._fit(event))
                    if len(page) < run.settings.page_items and time.monotonic() - since < PAGE_SECONDS:
                        continue
                self._listed(page, row, end, moved)
                page, since = [], time.monotonic()
                run.stop.check()
                # What waits for its move to be proven lies behind the position, and is not settled.
                if isinstance(event, Checkpoint) and run.source.resumable and not moved:
                    self._checkpoint(row, end, event)
                elif isinstance(event, Complete):
                    end.complete, end.mark = True, event.mark
                    break
        except SourceError:
            # What was listed before the error is real, and is synced.
            self._listed(page, row, end, moved)
            self._settle_moves(moved, row, end)
            raise
        self._listed(page, row, end, moved)
        self._settle_moves(moved, row, end)
        if not end.complete:
            raise SourceError(f"The listing of {scope.name} ended before it was complete.")

    def _resume_at(self, row: ScopeRow, end: ScopeEnd) -> str | None:
        """Begin a listing, or go on with one that an earlier run could not finish."""
        run = self.run
        with reading(run.engine) as connection:
            end.watermark = meta.last_pk(connection)
            saved = scopes.checkpoint(connection, row.pk) if run.source.resumable else None
        if saved is None or saved.config_hash != run.config_hash or saved.mode != run.mode:
            return None
        end.watermark, end.sighted = saved.watermark, PkSet(saved.sighted)
        end.listed = end.sighted.count
        run.report.notes.append(f"The listing of {row.name} went on where an earlier run had stopped.")
        return saved.position

    def _checkpoint(self, row: ScopeRow, end: ScopeEnd, event: Checkpoint) -> None:
        self.fetcher.drain()
        self.batch.position = Position(event.position, end.sighted.packed(), end.watermark)
        self._flush(row)

    def _listed(
        self, page: Sequence[Item], row: ScopeRow, end: ScopeEnd, moved: list[tuple[Item, Known]]
    ) -> None:
        run = self.run
        admitted = {item.key: item for item in page if run.selection.admits(item.path)}
        if not admitted:
            return
        with reading(run.engine) as connection:
            known = items.lookup(connection, run.connector.pk, list(admitted))
            fresh = [item.move_hint for key, item in admitted.items() if item.move_hint and key not in known]
            hints = (
                items.lookup_move_hints(connection, run.connector.pk, fresh)
                if fresh and end.watermark
                else {}
            )
        end.listed += len(admitted)
        for key, item in admitted.items():
            before = known.get(key)
            if before is not None:
                if before.pk in end.sighted and item.version in (None, before.version):
                    continue  # named twice by one listing
                end.sighted.add(before.pk)
            elif item.move_hint in hints and hints[item.move_hint].scope_pk == row.pk:
                # Whether it was moved or linked shows when the listing has named everything.
                moved.append((item, hints[item.move_hint]))
                continue
            self._judge(item, before, row)

    def _settle_moves(self, moved: Sequence[tuple[Item, Known]], row: ScopeRow, end: ScopeEnd) -> None:
        """Re-key what was moved: the old key is named no more, and the hint proves what it became."""
        for item, before in moved:
            if end.complete and before.pk not in end.sighted:
                end.sighted.add(before.pk)
                self._judge(item, before, row, moved=True)
            else:
                self._judge(item, None, row)

    # -- change feed ----------------------------------------------------------------------------

    def _delta(self, scope: Scope, row: ScopeRow, plan: Plan, end: ScopeEnd) -> None:
        """Take what the feed reports since the cursor; the last word about a key counts."""
        run = self.run
        page: dict[str, Changed | Deleted] = {}
        since = time.monotonic()
        for event in run.source.changes(scope, plan.cursor):
            if isinstance(event, Changed | Deleted):
                said = self._fit_event(event)
                key = said.item.key if isinstance(said, Changed) else said.key
                page.pop(key, None)
                page[key] = said
                if len(page) < run.settings.page_items and time.monotonic() - since < PAGE_SECONDS:
                    continue
            self._reported(page, row)
            page, since = {}, time.monotonic()
            run.stop.check()
            if isinstance(event, Checkpoint):
                self.fetcher.drain()
                if run.mode is not Mode.FULL:
                    # full replaces the cursor when it succeeds, and leaves it alone otherwise.
                    self.batch.cursor = event.position
                self._flush(row)
            elif isinstance(event, Complete):
                end.complete, end.mark = True, event.mark
                break
        self._reported(page, row)
        if not end.complete:
            raise SourceError(f"The change feed of {scope.name} ended before it was complete.")

    def _reported(self, page: dict[str, Changed | Deleted], row: ScopeRow) -> None:
        run = self.run
        if not page:
            return
        with reading(run.engine) as connection:
            known = items.lookup(connection, run.connector.pk, list(page))
        for key, event in page.items():
            before = known.get(key)
            if isinstance(event, Changed) and run.admits(event.item.path):
                self._judge(event.item, before, row, reported=True)
            elif self.underway.has(key, before) or (before is not None and before.state != ItemState.DELETED):
                reason = "deleted_at_source" if isinstance(event, Deleted) else "out_of_scope"
                path = before.path if before is not None else key
                self._remove(Item(key, path), before, reason, scope_pk=row.pk)

    def _retry_due(self, wanted: Sequence[Scope]) -> None:
        """Try failed items again that are due; a feed would not name them by itself."""
        run = self.run
        with reading(run.engine) as connection:
            due = items.due(connection, run.connector.pk, now=run.clock.now(), limit=MOST_RETRIES)
        if not due:
            return
        try:
            self._find(wanted, [known.key for known in due], named=False)
        except AuthRejected:
            raise
        except SourceError as error:
            # They stay due; what the scopes can still tell must not wait for them.
            run.report.notes.append(f"Failed items could not be looked up again: {error}")

    def _carry_out_held(self, wanted: Sequence[Scope]) -> set[str]:
        """Remove what the guard held and a person now allows; return the scopes that need no listing.

        Each item is looked up once more, because it may have come back. Where listing is cheap, a
        new listing proves more, and is simply made.
        """
        run = self.run
        if not run.source.resumable or run.mode is not Mode.AUTO:
            return set()
        with reading(run.engine) as connection:
            held = {key: removal.held_keys(connection, row.pk) for key, row in self.rows.items()}
        done = {key for key, names in held.items() if names}
        for key in sorted(done):
            run.note_strategy(Strategy.TARGETED, Reason.HELD)
            run.report.scopes[key] = {"strategy": Strategy.TARGETED.value, "reason": Reason.HELD.value}
            run.report.scopes[key]["state"] = "carried out what was held"
            self._flush(None)
            self._find([scope for scope in wanted if scope.key == key], held[key], named=False)
            self.fetcher.drain()
            self.batch.held_done = True
            self._flush(self.rows[key])
        return done

    # -- named entries --------------------------------------------------------------------------

    def _named(self, wanted: Sequence[Scope], names: Sequence[str]) -> None:
        run = self.run
        inside = []
        for name in dict.fromkeys(names):
            if run.source.in_scope(name):
                inside.append(name)
            else:
                self._refuse_name(name, OutOfScope.code, "It lies outside what this connector reads.")
        if inside:
            self._find(wanted, inside, named=True)
        self.fetcher.drain()
        self._flush(None)

    def _find(self, wanted: Sequence[Scope], names: Sequence[str], *, named: bool) -> None:
        run = self.run
        page: list[Found] = []
        for found in _checked_answers(run.source.find(wanted, names), names):
            page.append(found if found.item is None else replace(found, item=self._fit(found.item)))
            if len(page) >= run.settings.page_items:
                self._found(page, named=named)
                page = []
        self._found(page, named=named)

    def _found(self, page: Sequence[Found], *, named: bool) -> None:
        run = self.run
        names = [found.item.key if found.item else found.name for found in page]
        with reading(run.engine) as connection:
            known = items.lookup(connection, run.connector.pk, names)
            known = {**items.lookup_paths(connection, run.connector.pk, names), **known}
        for found, name in zip(page, names, strict=True):
            before = known.get(name)
            if found.item is None:
                self._absent(found.name, before, named=named)
            elif not run.admits(found.item.path):
                self._refuse_name(found.name, OutOfScope.code, "The connector's settings leave it out.")
            else:
                self._judge(found.item, before, self._scope_of(found, before), named=named)

    def _scope_of(self, found: Found, before: Known | None) -> ScopeRow | None:
        """Return where a found item belongs; a listing puts it right should the guess be wrong."""
        if found.scope is not None:
            return self.rows[found.scope]
        if before is not None:
            return next((row for row in self.rows.values() if row.pk == before.scope_pk), None)
        return next(iter(self.rows.values()), None)

    def _absent(self, name: str, before: Known | None, *, named: bool) -> None:
        if before is not None and before.state != ItemState.DELETED:
            if named:
                self.run.counters.collected += 1
            self._remove(Item(before.key, before.path), before, "deleted_at_source", named=named)
        elif named:
            self._refuse_name(name, "not_found", "The source has no such item.")

    def _refuse_name(self, name: str, reason: str, message: str) -> None:
        """Record a named entry that cannot be synced; it leaves no trace in the ledger."""
        self.run.counters.collected += 1
        job = Job(Item(name, name), None, Action.FAIL, reason, message, Stage.COLLECT, named=True)
        self.fetcher.add(job, fetch=False)

    # -- what a database takes -----------------------------------------------------------------

    def _fit(self, item: Item) -> Item:
        """Make an item's texts fit for a database; the source is asked with its own words."""
        fitting = fit_item(item)
        if fitting is not item:
            self.originals[fitting.key] = item
        return fitting

    def _fit_event(self, event: Changed | Deleted) -> Changed | Deleted:
        return Deleted(fit_key(event.key)) if isinstance(event, Deleted) else Changed(self._fit(event.item))

    # -- one item -------------------------------------------------------------------------------

    def _judge(
        self,
        item: Item,
        before: Known | None,
        row: ScopeRow | None,
        *,
        named: bool = False,
        reported: bool = False,
        moved: bool = False,
    ) -> None:
        run = self.run
        before = self.underway.doubt(before)
        asked = self.originals.pop(item.key, None) if self.originals else None
        verdict = judge(
            item,
            before,
            mode=run.mode,
            named=named,
            reported=reported,
            relisted=run.source.change_feed is not ChangeFeed.COMPLETE,
            scope_pk=row.pk if row is not None else None,
            refusal=run.refusal(item),
            now=run.clock.now(),
        )
        if verdict.fate is Fate.IGNORE:
            return
        run.counters.collected += 1
        if verdict.fate is Fate.LEAVE:
            self._leave(verdict.reason)
            return
        action = {Fate.FETCH: Action.INDEX, Fate.TOUCH: Action.TOUCH, Fate.REFUSE: Action.SKIP}
        reason = "moved" if moved and verdict.fate is Fate.TOUCH else verdict.reason
        job = Job(item, before, action[verdict.fate], reason, named=named, size=item.size)
        job.scope_pk = row.pk if row is not None else None
        job.asked = asked
        self.underway.note(item.key, before)
        self.fetcher.add(job, fetch=verdict.fate is Fate.FETCH and not run.row.dry_run)

    def _leave(self, reason: str) -> None:
        self.batch.unchanged[reason] = self.batch.unchanged.get(reason, 0) + 1
        if time.monotonic() - self.begun > PAGE_SECONDS and not self.batch.jobs:
            self._flush(self.batch.scope)

    def _remove(
        self,
        item: Item,
        before: Known | None,
        reason: str,
        *,
        named: bool = False,
        scope_pk: int | None = None,
    ) -> None:
        self.underway.note(item.key, before)
        job = Job(item, before, Action.REMOVE, reason, named=named, scope_pk=scope_pk)
        self.fetcher.add(job, fetch=False)

    # -- batches --------------------------------------------------------------------------------

    def _deliver(self, job: Job) -> None:
        """Put a job into the batch, and hand the batch on when it is full."""
        size = len(job.body) if job.body is not None else 0
        if self.batch.jobs and self.batch.body_bytes + size > self.run.settings.batch_bytes:
            self._flush(self.batch.scope)
        self.batch.jobs.append(job)
        self.batch.body_bytes += size
        if len(self.batch.jobs) >= self.batch_limit or time.monotonic() - self.begun > PAGE_SECONDS:
            self._flush(self.batch.scope)

    def _flush(self, row: ScopeRow | None) -> None:
        if self.batch.empty:
            return
        self.batch.scope = row or self.batch.scope
        self._send(self.batch)
        self.batch = Batch(scope=row)
        self.begun = time.monotonic()
        self.batch_limit = min(self.batch_limit * 2, self.run.settings.batch_items)

    def _send(self, batch: Batch) -> None:
        run = self.run
        if run.row.dry_run:
            preview_batch(run, batch)
        else:
            run.to_parse.put(batch)


def _checked_answers(answers: Iterator[Found], names: Sequence[str]) -> Iterator[Found]:
    """Pass each answer on once; a name that got none is an error of the connector."""
    missing = dict.fromkeys(names)
    for found in answers:
        if found.name in missing:
            del missing[found.name]
            yield found
    if missing:
        raise SourceError(f"The source gave no answer about {len(missing)} of the named entries.")
