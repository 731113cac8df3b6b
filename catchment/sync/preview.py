"""What a dry run says: the same decisions as a real one, and nothing carried out."""

from __future__ import annotations

from catchment.core.counters import Counters
from catchment.store import items, scopes
from catchment.store.engine import reading
from catchment.sync.batches import Action, Batch, Job, ScopeEnd
from catchment.sync.removal import Sweep, find_absent, find_left_out
from catchment.sync.run import Run
from catchment.sync.selection import code_of


def preview_batch(run: Run, batch: Batch) -> None:
    """Count what would be done with a batch; the counters of a dry run are what would become of it."""
    delta = Counters()
    for reason, count in batch.unchanged.items():
        run.report.skipped[code_of(reason)] += count
        delta.skipped += count
    for job in batch.jobs:
        _preview_job(run, job, delta)
    if batch.end is not None:
        _preview_end(run, batch.end, delta)
    if batch.retire:
        _preview_retired(run, delta)
    run.add(delta)


def _preview_job(run: Run, job: Job, delta: Counters) -> None:
    visible = job.known is not None and job.known.has_document
    if job.action is Action.INDEX:
        delta.fetched += 1
        delta.parsed += 1
        delta.indexed += 1
        run.report.would_do("fetch", job.item.key)
    elif job.action is Action.TOUCH:
        delta.skipped += 1
        run.report.skipped[code_of(job.reason)] += 1
    elif job.action is Action.SKIP:
        delta.skipped += 1
        run.report.skipped[code_of(job.reason)] += 1
        if visible:
            delta.deleted += 1
            run.report.would_do("delete", job.item.key)
    elif job.action is Action.FAIL:
        delta.failed += 1
        run.report.failed(job.item.key, job.stage, job.reason, job.error)
    else:
        delta.gone += 1 if job.named else 0
        if visible:
            delta.deleted += 1
            run.report.would_do("delete", job.item.key)


def _preview_end(run: Run, end: ScopeEnd, delta: Counters) -> None:
    if not (end.complete and end.scope.pk):
        return
    if not end.sweep:
        left_out = find_left_out(run, end.scope)
        _preview_removals(run, Sweep(narrowed=left_out), delta)
        run.report.narrowed += sum(one.has_document for one in left_out)
        return
    sweep = find_absent(run, end)
    if sweep.held:
        run.report.held[end.scope.key] = sweep.summary()
    else:
        _preview_removals(run, sweep, delta)
    run.report.narrowed += sum(candidate.has_document for candidate in sweep.narrowed)


def _preview_removals(run: Run, sweep: Sweep, delta: Counters) -> None:
    for candidate in (*sweep.narrowed, *sweep.absent):
        if candidate.has_document:
            delta.deleted += 1
            run.report.would_do("delete", candidate.key)


def _preview_retired(run: Run, delta: Counters) -> None:
    current = set(run.report.scopes)
    with reading(run.engine) as connection:
        for key, row in scopes.of_connector(connection, run.connector.pk).items():
            if key in current:
                continue
            for page in items.live_pages(connection, row.pk, watermark=2**62):
                for candidate in page:
                    if candidate.has_document:
                        delta.deleted += 1
                        run.report.narrowed += 1
                        run.report.would_do("delete", candidate.key)
