"""The third lane, and the only writer: batches to the store, one transaction each, under the lease."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from catchment.core.counters import Counters
from catchment.core.runs import Mode
from catchment.kit.connector import ChangeFeed, Kind
from catchment.store import scopes
from catchment.store.engine import reading, transact, writing
from catchment.store.rows import CheckpointRow, ScopeRow
from catchment.sync.batches import Batch, Job, ScopeEnd
from catchment.sync.fence import fenced
from catchment.sync.pace import Pace
from catchment.sync.removal import (
    OUT_OF_SCOPE,
    find_left_out,
    forget_held,
    remove,
    sweep_retired,
    sweep_scope,
)
from catchment.sync.run import Run, log
from catchment.sync.selection import code_of
from catchment.sync.settlement import ERROR_CHARACTERS, Settlement


def index(run: Run) -> None:
    """Settle batches in order; what follows a batch moves only when the batch is committed."""
    pace = Pace(run)
    number = 1
    for group in _groups(run, pace):
        settled = [batch for batch in group if _is_to_settle(batch)]
        if settled:
            _settle(run, settled, number, pace)
            number += len(settled)
        run.to_index.release()
        for batch in group:
            _count_unchanged(run, batch)
        if group[-1].end is not None:
            _finish_scope(run, group[-1].end)
        if group[-1].retire:
            _retire(run)
    _save_cursor(run)
    run.index.complete(run.engine)


def _groups(run: Run, pace: Pace) -> Iterator[list[Batch]]:
    """Yield the batches of one transaction: what lies in the queue, and nothing that is waited for."""
    batches = iter(run.to_index)
    for first in batches:
        group = [first]
        while not (group[-1].end or group[-1].retire or run.to_index.empty) and pace.has_room(group):
            batch = next(batches, None)
            if batch is None:
                break
            group.append(batch)
        yield group


def _is_to_settle(batch: Batch) -> bool:
    return bool(batch.jobs or batch.position or batch.cursor or batch.held_done)


def _count_unchanged(run: Run, batch: Batch) -> None:
    for reason, count in batch.unchanged.items():
        run.counters.skipped += count
        run.report.skipped[code_of(reason)] += count


def _settle(run: Run, group: Sequence[Batch], number: int, pace: Pace) -> None:
    """Commit batches: several in one transaction, or one in slices that keep everybody else's wait short.

    Cursors move with the last slice. Several batches are settled as if they were one: a statement of more
    than one step makes SQLite write out what its full-text index has gathered in the transaction so far.
    """
    jobs = [job for batch in group for job in batch.jobs]
    done = Counters()
    for part, last in pace.slices(jobs):
        run.stop.check()
        run.check_room()
        since = time.monotonic()
        settlement = transact(run.engine, partial(_write, run, part, group if last else ()))
        pace.took(time.monotonic() - since, len(part))
        run.add(settlement.delta)
        settlement.report()
        done.add(settlement.delta)
    if run.keeper is not None:
        run.keeper.flush(run.clock.now())
    log.info(
        "batch %s: %d items, %d indexed, %d skipped, %d failed, %d deleted",
        number if len(group) == 1 else f"{number} to {number + len(group) - 1}",
        len(jobs),
        done.indexed,
        done.skipped,
        done.failed,
        done.deleted,
    )


def _write(run: Run, jobs: Sequence[Job], ending: Sequence[Batch], connection: Connection) -> Settlement:
    """Settle jobs in a transaction; done again as a whole, should the database resolve a deadlock by it."""
    fenced(connection, run)
    settlement = Settlement(run, connection)
    settlement.settle(jobs)
    for batch in ending:
        _move(run, connection, batch)
    fenced(connection, run, plus=settlement.delta)
    return settlement


def _move(run: Run, connection: Connection, batch: Batch) -> None:
    """Move what may move once the batch is settled: the listing's checkpoint, or the feed's cursor."""
    if batch.scope is None:
        return
    if batch.held_done:
        forget_held(connection, batch.scope.pk)
    if batch.position is not None:
        scopes.save_checkpoint(
            connection,
            CheckpointRow(
                scope_pk=batch.scope.pk,
                generation=batch.scope.generation + 1,
                config_hash=run.config_hash,
                position=batch.position.position,
                mode=run.mode,
                watermark=batch.position.watermark,
                sighted=batch.position.sighted,
                saved_at=run.clock.now(),
            ),
        )
    if batch.cursor is not None and run.keeper is not None:
        run.keeper.move(batch.scope.key, batch.cursor)
        if _cursor_due(run):
            run.keeper.stage(connection)


def _save_cursor(run: Run) -> None:
    """Save the marks of scopes that ended since the last save.

    A save tells the marks of all scopes: one for each scope would take longer than the scopes, where there
    are many. Until then a crash leaves older marks, at which the next run can begin as well.
    """
    if run.keeper is None or not run.keeper.is_behind:
        return
    with writing(run.engine) as connection:
        fenced(connection, run)
        run.keeper.stage(connection)
    run.keeper.flush(run.clock.now())


def _cursor_due(run: Run) -> bool:
    last = run.keeper.saved_at if run.keeper is not None else None
    return last is None or run.clock.now() - last >= run.settings.cursor_seconds


def _finish_scope(run: Run, end: ScopeEnd) -> None:
    """Close a scope: removals first, then its row and the cursor's revision, then the block."""
    swept = True
    if end.complete and end.sweep:
        swept = sweep_scope(run, end)
    elif end.complete:
        _leave_out(run, end.scope)
    held = run.report.held.get(end.scope.key) if not swept else None
    if held is not None:
        run.incomplete[end.scope.key] = (
            f"{held['count']} of {held['documents']} documents would be deleted; the guard holds them."
        )
    with writing(run.engine) as connection:
        fenced(connection, run)
        if end.complete and end.listing:
            # Held or not: a run that went on from here would see nothing that is new or changed before it.
            scopes.drop_checkpoint(connection, end.scope.pk)
        if end.complete and swept:
            _complete_scope(run, connection, end)
        else:
            scopes.change(
                connection,
                end.scope.pk,
                incomplete=True,
                error=(end.error or run.incomplete.get(end.scope.key, ""))[:ERROR_CHARACTERS],
            )
    if run.keeper is not None:
        run.keeper.flush(run.clock.now())


def _leave_out(run: Run, scope: ScopeRow) -> None:
    """Remove what a feed showed and the settings leave out now.

    The mark goes first: should the run die half-way and the old settings come back, it would pass over what
    was removed.
    """
    left_out = find_left_out(run, scope)
    if not left_out:
        return
    _forget_marks(run, [scope.key])
    remove(run, left_out, OUT_OF_SCOPE)
    run.report.narrowed += sum(one.has_document for one in left_out)


def _forget_marks(run: Run, keys: Sequence[str]) -> None:
    if run.keeper is None:
        return
    for key in keys:
        run.keeper.move(key, None)
    _save_cursor(run)


def _complete_scope(run: Run, connection: Connection, end: ScopeEnd) -> None:
    values: dict[str, Any] = {"error": None, "generation": end.scope.generation + 1}
    if end.listing or run.source.kind is Kind.FEED:
        # Changes alone do not make whole what a listing left undone; an incremental run reads them anyway.
        values["incomplete"] = False
    if end.listing:
        if not end.sweep and run.source.change_feed is ChangeFeed.COMPLETE:
            # Nothing was removed, and the mark lies behind what the feed could have reported as gone.
            values["incomplete"] = True
        if end.sweep:
            values["config_hash"] = run.config_hash
            values["listed_at"] = run.clock.now()
            forget_held(connection, end.scope.pk)
    elif run.source.kind is Kind.FEED and run.mode is not Mode.INCREMENTAL:
        values["config_hash"] = run.config_hash
    scopes.change(connection, end.scope.pk, **values)
    if run.keeper is not None:
        run.keeper.move(end.scope.key, end.mark)
        if _cursor_due(run):
            run.keeper.stage(connection)


def _retire(run: Run) -> None:
    """Remove what lies in scopes that the configuration no longer has.

    Their marks go first: should such a scope come back, it must begin anew, or its cursor would pass
    over the documents that were removed. Until the marks are gone, no document is.
    """
    current = set(run.report.scopes)
    with reading(run.engine) as connection:
        known = scopes.of_connector(connection, run.connector.pk)
    retired = [row for key, row in known.items() if key not in current]
    if not retired:
        return
    with writing(run.engine) as connection:
        fenced(connection, run)
        for row in retired:
            scopes.drop_checkpoint(connection, row.pk)
    _forget_marks(run, [row.key for row in retired])
    sweep_retired(run, retired)
