"""Deletion by absence: what a complete listing did not name, under the guard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field
from sqlalchemy import Connection, bindparam, delete, insert, select

from catchment.core.counters import Counters
from catchment.core.errors import SourceError
from catchment.core.items import Scope
from catchment.core.runs import Mode
from catchment.kit.connector import Kind
from catchment.store import items, scopes
from catchment.store.engine import reading, writing
from catchment.store.items import Candidate
from catchment.store.rows import ScopeRow
from catchment.store.tables import held_removals
from catchment.store.tables import items as items_table
from catchment.sync.batches import ScopeEnd
from catchment.sync.fence import fenced
from catchment.sync.guard import holds
from catchment.sync.run import Run

SLICE = 256
"""Documents removed in one transaction, so that searches and heartbeats never wait long."""
SAMPLE = 20
ABSENT = "absent from a complete listing"
OUT_OF_SCOPE = "out_of_scope: the connector's settings leave it out"


class Sweep(Struct):
    """What a complete listing proves to be gone.

    Attributes:
        absent: In scope, and not named by the listing.
        narrowed: Left out by the configuration: no accident, so the guard does not count it.
        documents: Visible documents that the scope had.
        held: The guard holds `absent`.
    """

    absent: list[Candidate] = field(default_factory=list)
    narrowed: list[Candidate] = field(default_factory=list)
    documents: int = 0
    held: bool = False

    def summary(self) -> dict[str, Any]:
        """Return what a person must know to decide about held removals."""
        visible = [candidate.key for candidate in self.absent if candidate.has_document]
        return {"count": len(visible), "documents": self.documents, "sample": visible[:SAMPLE]}


def find_absent(run: Run, end: ScopeEnd) -> Sweep:
    """Compare the ledger with what a complete listing named."""
    sweep = Sweep()
    with reading(run.engine) as connection:
        live = items.live_pks(connection, end.scope.pk, watermark=end.watermark)
        if all(map(end.sighted.covers, live)):
            return sweep
        for page in items.live_pages(connection, end.scope.pk, watermark=end.watermark):
            for candidate in page:
                inside = run.admits(candidate.path)
                sweep.documents += candidate.has_document and inside
                if candidate.pk not in end.sighted:
                    (sweep.absent if inside else sweep.narrowed).append(candidate)
    sweep.held = not run.row.allow_mass_delete and holds(
        absent=sum(candidate.has_document for candidate in sweep.absent),
        documents=sweep.documents,
        listed=end.listed,
        fraction=run.settings.guard_fraction,
        least=run.settings.guard_least,
    )
    if run.source.confirms_absence and not sweep.held:
        sweep.absent = _confirmed(run, end.scope, sweep.absent)
    return sweep


def _confirmed(run: Run, scope: ScopeRow, absent: Sequence[Candidate]) -> list[Candidate]:
    """Keep what the source says is gone; what it has, or can tell nothing of, was missed by its listing.

    Raises:
        SourceError: It cannot be asked.
    """
    if not absent:
        return []
    gone = {
        found.name
        for found in run.source.find([Scope(scope.key, scope.name)], [one.key for one in absent])
        if found.item is None and not found.unknown
    }
    missed = sum(one.key not in gone for one in absent)
    if missed:
        run.report.notes.append(f"{missed} of what the listing of {scope.name} missed is there all the same.")
    return [one for one in absent if one.key in gone]


def sweep_scope(run: Run, end: ScopeEnd) -> bool:
    """Remove what a complete listing proves to be gone; False when the guard, or doubt, holds it."""
    try:
        sweep = find_absent(run, end)
    except SourceError as error:
        run.incomplete[end.scope.key] = f"What is gone could not be confirmed: {error}"
        return False
    if sweep.narrowed:
        _begin_narrowing(run, end.scope)
    remove(run, sweep.narrowed, OUT_OF_SCOPE)
    run.report.narrowed += sum(candidate.has_document for candidate in sweep.narrowed)
    if sweep.held:
        run.report.held[end.scope.key] = sweep.summary()
        _hold(run, end.scope, sweep.absent)
        return False
    remove(run, sweep.absent, ABSENT)
    return True


def _begin_narrowing(run: Run, scope: ScopeRow) -> None:
    """Mark the scope before its first document goes by configuration.

    Should the run die half-way and the old configuration come back, a cursor or a position of that
    configuration would pass over what was removed.
    """
    with writing(run.engine) as connection:
        fenced(connection, run)
        scopes.change(connection, scope.pk, incomplete=True)
        saved = scopes.checkpoint(connection, scope.pk)
        if saved is not None and saved.config_hash != run.config_hash:
            scopes.drop_checkpoint(connection, scope.pk)


def leaves_out(run: Run, scope: ScopeRow) -> bool:
    """Whether a run looks, at the end of a feed's scope, for what other settings than before leave out."""
    return (
        run.source.kind is Kind.FEED
        and run.mode is not Mode.INCREMENTAL
        and scope.config_hash != run.config_hash
    )


def find_left_out(run: Run, scope: ScopeRow) -> list[Candidate]:
    """Return what a feed once showed and the settings leave out now; no listing is needed to know."""
    if not leaves_out(run, scope):
        return []
    with reading(run.engine) as connection:
        pages = items.live_pages(connection, scope.pk, watermark=2**62)
        return [one for page in pages for one in page if not run.admits(one.path)]


def sweep_retired(run: Run, retired: Sequence[ScopeRow]) -> None:
    """Remove everything in scopes that are configured no longer."""
    for scope in retired:
        with reading(run.engine) as connection:
            candidates = [
                candidate
                for page in items.live_pages(connection, scope.pk, watermark=2**62)
                for candidate in page
            ]
        remove(run, candidates, OUT_OF_SCOPE)
        run.report.narrowed += sum(candidate.has_document for candidate in candidates)


def remove(run: Run, candidates: Sequence[Candidate], reason: str) -> None:
    """Take items out, in slices, each a transaction under the lease."""
    for start in range(0, len(candidates), SLICE):
        run.stop.check()
        pks = [candidate.pk for candidate in candidates[start : start + SLICE]]
        delta = Counters()
        with writing(run.engine) as connection:
            fenced(connection, run)
            now = run.clock.now()
            delta.deleted = run.index.remove(connection, pks, now=now)
            items.mark_deleted(connection, pks, reason=reason, now=now)
            fenced(connection, run, plus=delta)
        run.add(delta)


def held_keys(connection: Connection, scope_pk: int) -> list[str]:
    """Return the keys of the items whose removal the guard holds in a scope."""
    rows = connection.execute(
        select(items_table.c.key)
        .join(held_removals, held_removals.c.item_pk == items_table.c.pk)
        .where(held_removals.c.scope_pk == scope_pk)
        .order_by(items_table.c.key)
    )
    return list(rows.scalars())


def _hold(run: Run, scope: ScopeRow, absent: Sequence[Candidate]) -> None:
    with writing(run.engine) as connection:
        fenced(connection, run)
        forget_held(connection, scope.pk)
        # One that has moved here since may still be held where it was.
        pks = [{"item": candidate.pk} for candidate in absent]
        connection.execute(delete(held_removals).where(held_removals.c.item_pk == bindparam("item")), pks)
        connection.execute(
            insert(held_removals),
            [
                {
                    "item_pk": candidate.pk,
                    "scope_pk": scope.pk,
                    "connector_pk": run.connector.pk,
                    "run_id": run.row.id,
                    "held_at": run.clock.now(),
                }
                for candidate in absent
            ],
        )


def forget_held(connection: Connection, scope_pk: int) -> None:
    """Drop the list of removals that the guard held in a scope."""
    connection.execute(delete(held_removals).where(held_removals.c.scope_pk == scope_pk))
