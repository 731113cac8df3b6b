"""The first lane: scopes to items, items against the ledger, bodies of what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace
from sqlalchemy import Connection

from catchment.core.errors import AuthRejected, CursorExpired, OutOfScope, RunStopped, SourceError
from catchment.core.items import Changed, Checkpoint, Complete, Deleted, Found, Item, Scope
from catchment.core.runs import ItemState, Mode, Origin, Reason, RunKind, Strategy
from catchment.kit.connector import Kind, ListingEvent
from catchment.kit.session import Recorded
from catchment.store import items, meta, scopes
from catchment.store.engine import reading, writing
from catchment.store.items import Known
from catchment.store.rows import ScopeRow
from catchment.sync import removal
from catchment.sync.batches import Batch, Position, ScopeEnd
from catchment.sync.cursor import CursorKeeper, read_marks
from catchment.sync.fence import fenced
from catchment.sync.intake import Intake
from catchment.sync.page import Page, Reports
from catchment.sync.permissions import refresh_permissions
from catchment.sync.pkset import PkSet
from catchment.sync.run import Run
from catchment.sync.selection import UNCHANGED, standing_of
from catchment.sync.strategy import Plan, plan_scope

if TYPE_CHECKING:
    from catchment.sync.handed_in import Kept

MOST_RETRIES = 1000


def collect(run: Run) -> None:
    """Read the source and hand batches to the parse lane; the first of the three lanes."""
    intake = Intake(run)
    try:
        Collector(run, intake).work()
        run.to_parse.close()
    finally:
        intake.close()


class Collector:
    """Asks the source, scope by scope, and compares what it says with the ledger."""

    def __init__(self, run: Run, intake: Intake) -> None:
        self.run = run
        self.intake = intake
        self.rows: dict[str, ScopeRow] = {}
        with reading(run.engine) as connection:
            # What this run itself makes known, the index lane looks up before it writes.
            self.knows_nothing = not items.any_of(connection, run.connector.pk)
        run.source.session.known = self._recorded

    # -- what a run does ------------------------------------------------------------------------

    def work(self) -> None:
        """Go through named entries, or through all scopes."""
        run = self.run
        if run.kept is not None:
            run.note_strategy(Strategy.TARGETED, Reason.FULL if run.mode is Mode.FULL else Reason.FILTER)
            self._keep(run.kept)
            return
        if run.row.kind == RunKind.PERMISSIONS:
            refresh_permissions(run)
            return
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
            self.intake.send(Batch(retire=run.mode is not Mode.INCREMENTAL))

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
        self.intake.drain()
        self.intake.flush(None)
        self.intake.batch.scope = row
        try:
            try:
                self._read(scope, row, plan, end)
            except CursorExpired:
                if plan.strategy is not Strategy.DELTA:
                    raise
                report["reason"] = Reason.CURSOR_EXPIRED.value
                self._read(scope, row, self._without_cursor(report, end), end)
        except (AuthRejected, RunStopped):
            raise
        except SourceError as error:
            end.complete, end.error, end.error_code = False, str(error), error.code
            run.incomplete[scope.key] = str(error)
        if end.complete and end.sweep:
            self.intake.underway.swept(row.pk, end.sighted)
        report["state"] = "complete" if end.complete else "incomplete"
        if end.error:
            report["error"] = end.error
        self.intake.drain()
        self.intake.batch.end = end
        self.intake.flush(row)

    def _read(self, scope: Scope, row: ScopeRow, plan: Plan, end: ScopeEnd) -> None:
        if plan.strategy is Strategy.DELTA:
            self._delta(scope, row, plan, end)
        else:
            self._listing(scope, row, end)

    def _without_cursor(self, report: dict[str, str], end: ScopeEnd) -> Plan:
        run = self.run
        run.reason = Reason.CURSOR_EXPIRED
        if run.source.kind is Kind.FEED:
            return Plan(Strategy.DELTA, Reason.CURSOR_EXPIRED)
        run.strategy = Strategy.LISTING
        report["strategy"] = Strategy.LISTING.value
        end.listing, end.sweep = True, run.mode is not Mode.INCREMENTAL
        return Plan(Strategy.LISTING, Reason.CURSOR_EXPIRED, sweep=end.sweep)

    def _recorded(self, keys: Sequence[str]) -> dict[str, Recorded]:
        """Tell a source what is known of some of its items."""
        if not keys:
            return {}
        with reading(self.run.engine) as connection:
            known = items.lookup(connection, self.run.connector.pk, keys)
        return {key: Recorded(one.version, one.path) for key, one in known.items()}

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
        page = Page(run.settings)
        try:
            for event in self._events(scope, row, resume):
                if isinstance(event, Item) and not page.full_with(event):
                    continue
                self._listed(page.items, row, end, moved)
                page = Page(run.settings)
                run.stop.check()
                # What waits for its move to be proven lies behind the position, and is not settled.
                if isinstance(event, Checkpoint) and run.source.resumable and not moved:
                    self._checkpoint(row, end, event)
                elif isinstance(event, Complete):
                    end.complete, end.mark = True, event.mark
                    break
        except SourceError:
            # What was listed before the error is real, and is synced.
            self._listed(page.items, row, end, moved)
            self._settle_moves(moved, row, end)
            raise
        self._listed(page.items, row, end, moved)
        self._settle_moves(moved, row, end)
        if not end.complete:
            raise SourceError(f"The listing of {scope.name} ended before it was complete.")
        if not end.listed and row.listed_at is None and not self._knows_of(row, end):
            run.source.doubt_empty(scope)

    def _knows_of(self, row: ScopeRow, end: ScopeEnd) -> bool:
        """Whether the ledger has things of a scope: a listing that broke off or was forgotten named some."""
        with reading(self.run.engine) as connection:
            return any(items.live_pks(connection, row.pk, watermark=end.watermark))

    def _events(self, scope: Scope, row: ScopeRow, resume: str | None) -> Iterator[ListingEvent]:
        """Ask for a listing, with bodies if it is plain that nearly all of them will be read."""
        run = self.run
        if run.row.dry_run:
            return run.source.listing(scope, resume)
        with reading(run.engine) as connection:
            reads_all = run.mode is Mode.FULL or not items.has_any(connection, row.pk)
        ask = run.source.listing_with_content if reads_all else run.source.listing
        return ask(scope, resume)

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
        self.intake.drain()
        self.intake.batch.position = Position(event.position, end.sighted.packed(), end.watermark)
        self.intake.flush(row)

    def _listed(
        self, page: Sequence[Item], row: ScopeRow, end: ScopeEnd, moved: list[tuple[Item, Known]]
    ) -> None:
        run = self.run
        names = self.intake.fit_names(page)
        if not run.selection.admits_all:
            names = [item for item in names if run.selection.admits(item.path)]
        admitted = {item.key: item for item in names}
        if not admitted:
            return
        # A scope in which only folder markers are left is as empty as one without them.
        end.listed += sum(item.refusal is None for item in admitted.values())
        admitted, known, hints = self._compare(admitted, row, end)
        for key, item in admitted.items():
            before = known.get(key)
            if before is not None:
                if not end.sighted.add(before.pk) and item.version in (None, before.version):
                    continue  # named twice by one listing
            elif item.move_hint in hints and hints[item.move_hint].scope_pk == row.pk:
                # Whether it was moved or linked shows when the listing has named everything.
                moved.append((self.intake.fit(item), hints[item.move_hint]))
                continue
            self.intake.judge(self.intake.fit(item), before, row)

    def _compare(
        self, page: dict[str, Item], row: ScopeRow, end: ScopeEnd
    ) -> tuple[dict[str, Item], dict[str, Known], dict[str, Known]]:
        """Return what is to be judged of a page, and what the ledger knows of it, by key and by hint."""
        run = self.run
        if self.knows_nothing:
            return page, {}, {}
        with reading(run.engine) as connection:
            if run.mode is Mode.AUTO:
                page = self._unsettled(connection, page, row, end)
            known = self._known(connection, list(page)) if page else {}
            fresh = [item.move_hint for key, item in page.items() if item.move_hint and key not in known]
            if not fresh or not end.watermark:
                return page, known, {}
            return page, known, items.lookup_move_hints(connection, run.connector.pk, fresh)

    def _known(self, connection: Connection, keys: Sequence[str]) -> dict[str, Known]:
        """Return what the ledger knows of keys, but for what this run has moved away from there."""
        known = items.lookup(connection, self.run.connector.pk, keys)
        underway = self.intake.underway
        if not underway.anything_moved:
            return known
        return {key: one for key, one in known.items() if not underway.has_left(one)}

    def _unsettled(
        self, connection: Connection, page: dict[str, Item], row: ScopeRow, end: ScopeEnd
    ) -> dict[str, Item]:
        """Count those with which nothing is to be done, and return the others."""
        run, underway = self.run, self.intake.underway
        refusal, now = run.selection.refusal, run.clock.now()
        standing = items.standing(connection, run.connector.pk, row.pk, list(page))
        idle = underway.is_idle
        rest: dict[str, Item] = {}
        seen: list[int] = []
        for key, item in page.items():
            pk = standing.get(standing_of(item))
            if (
                pk is not None
                and refusal(item, now=now) is None
                and (idle or not underway.has_known(pk, row.pk))
            ):
                seen.append(pk)
            else:
                rest[key] = item
        if settled := end.sighted.add_all(seen):
            self.intake.leave(UNCHANGED.reason, settled)
        return rest

    def _settle_moves(self, moved: Sequence[tuple[Item, Known]], row: ScopeRow, end: ScopeEnd) -> None:
        """Re-key what was moved: the old key is named no more, and the hint proves what it became."""
        has_known = self.intake.underway.has_known
        for item, before in moved:
            # What this run has met in another scope, by its old key, is still there.
            if end.complete and before.pk not in end.sighted and not has_known(before.pk, before.scope_pk):
                end.sighted.add(before.pk)
                self.intake.underway.moved(before, item.key)
                self.intake.judge(item, before, row, moved=True)
            else:
                self.intake.judge(item, None, row)

    # -- change feed ----------------------------------------------------------------------------

    def _delta(self, scope: Scope, row: ScopeRow, plan: Plan, end: ScopeEnd) -> None:
        """Take what the feed reports since the cursor; the last word about a key counts."""
        run = self.run
        page = Reports(run.settings)
        for event in run.source.changes(scope, plan.cursor):
            if isinstance(event, Changed | Deleted) and not page.full_with(self.intake.fit_event(event)):
                continue
            self._reported(page.said, row)
            page = Reports(run.settings)
            run.stop.check()
            if isinstance(event, Checkpoint):
                self.intake.drain()
                if run.mode is not Mode.FULL:
                    # full replaces the cursor when it succeeds, and leaves it alone otherwise.
                    self.intake.batch.cursor = event.position
                self.intake.flush(row)
            elif isinstance(event, Complete):
                end.complete, end.mark = True, event.mark
                break
        self._reported(page.said, row)
        if not end.complete:
            raise SourceError(f"The change feed of {scope.name} ended before it was complete.")

    def _reported(self, page: dict[str, Changed | Deleted], row: ScopeRow) -> None:
        run = self.run
        if not page:
            return
        with reading(run.engine) as connection:
            known = self._known(connection, list(page))
        for key, event in page.items():
            before = known.get(key)
            lives = before is not None and before.state != ItemState.DELETED
            if isinstance(event, Changed) and run.admits(event.item.path):
                self.intake.judge(event.item, before, row, reported=True)
            elif isinstance(event, Changed) and before is not None and self._goes_later(before, row):
                continue
            elif lives or self.intake.underway.has(key, before):
                reason = "deleted_at_source" if isinstance(event, Deleted) else "out_of_scope"
                path = before.path if before is not None else key
                self.intake.remove(Item(key, path), before, reason, scope_pk=row.pk)

    def _goes_later(self, before: Known, row: ScopeRow) -> bool:
        """Whether the end of the scope takes an item out, when the mark that passes over it is gone."""
        return removal.leaves_out(self.run, row) and not self.run.admits(before.path)

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
            self.intake.flush(None)
            self._find([scope for scope in wanted if scope.key == key], held[key], named=False)
            self.intake.drain()
            self.intake.batch.held_done = True
            self.intake.flush(self.rows[key])
        return done

    # -- what the store keeps itself --------------------------------------------------------------

    def _keep(self, source: Kept) -> None:
        """Read again, or for the first time, what was handed in; its keys are fit already."""
        for keys in source.pages(self.run.filter):
            self._found(list(source.find([], keys)), named=False)
            self.run.stop.check()
        self.intake.drain()
        self.intake.flush(None)

    # -- named entries --------------------------------------------------------------------------

    def _named(self, wanted: Sequence[Scope], names: Sequence[str]) -> None:
        run = self.run
        inside = []
        for name in dict.fromkeys(names):
            if run.source.in_scope(name):
                inside.append(name)
            else:
                self.intake.refuse_name(name, OutOfScope.code, "It lies outside what this connector reads.")
        if inside:
            self._find(wanted, inside, named=True)
        self.intake.drain()
        self.intake.flush(None)

    def _find(self, wanted: Sequence[Scope], names: Sequence[str], *, named: bool) -> None:
        run = self.run
        page: list[Found] = []
        for found in _checked_answers(run.source.find(wanted, names), names):
            page.append(found if found.item is None else replace(found, item=self.intake.fit(found.item)))
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
        # What people handed in is no business of a run that reads the source, and the other way round.
        origin = run.kept.origin if run.kept is not None else Origin.SOURCE
        known = {name: before for name, before in known.items() if before.origin == origin}
        for found, name in zip(page, names, strict=True):
            before = known.get(name)
            if found.item is None and found.unknown:
                self._untold(found, before, named=named)
            elif found.item is None:
                self._absent(found.name, before, named=named)
            elif not run.admits(found.item.path):
                self.intake.refuse_name(found.name, OutOfScope.code, "The connector's settings leave it out.")
            else:
                self.intake.judge(found.item, before, self._scope_of(found, before), named=named)
                if not named:
                    self.intake.retried[found.item.key] = found.item.version

    def _scope_of(self, found: Found, before: Known | None) -> ScopeRow | None:
        """Return where a found item belongs; a listing puts it right should the guess be wrong."""
        if found.scope is not None:
            return self.rows[found.scope]
        if before is not None:
            return next((row for row in self.rows.values() if row.pk == before.scope_pk), None)
        return next(iter(self.rows.values()), None)

    def _absent(self, name: str, before: Known | None, *, named: bool) -> None:
        if before is not None and self._is_retired(before):
            # Nobody looked where it lies, so nothing is known of it: the next complete run takes it out,
            # and the scope's mark with it.
            if named:
                self.intake.refuse_name(name, OutOfScope.code, "It lies outside what this connector reads.")
        elif before is not None and before.state != ItemState.DELETED:
            if named:
                self.run.counters.collected += 1
            self.intake.remove(Item(before.key, before.path), before, "deleted_at_source", named=named)
        elif named:
            self.intake.refuse_name(name, "not_found", "The source has no such item.")

    def _untold(self, found: Found, before: Known | None, *, named: bool) -> None:
        """Leave a document as it is, of which the source can tell nothing; a retry was one more in vain."""
        if named:
            self.intake.refuse_name(found.name, "not_found", found.unknown)
        elif before is not None and before.state == ItemState.FAILED and not self._is_retired(before):
            self.intake.fail_again(before, found.unknown)
            self.intake.retried[before.key] = before.version

    def _is_retired(self, known: Known) -> bool:
        """Whether an item belongs to a scope that is configured no longer."""
        return known.scope_pk is not None and all(row.pk != known.scope_pk for row in self.rows.values())


def _checked_answers(answers: Iterator[Found], names: Sequence[str]) -> Iterator[Found]:
    """Pass each answer on once; a name that got none is an error of the connector."""
    missing = dict.fromkeys(names)
    for found in answers:
        if found.name in missing:
            del missing[found.name]
            yield found
    if missing:
        raise SourceError(f"The source gave no answer about {len(missing)} of the named entries.")
