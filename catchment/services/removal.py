"""Removing a connector: its run, its place in Prefect, and every document it brought."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

from catchment.core.errors import Conflict, NotFound, SourceError
from catchment.kit import registry
from catchment.kit.connector import Connector
from catchment.kit.registry import PUSHED
from catchment.services import syncs
from catchment.services.connectors import orchestrator, source_of
from catchment.services.context import Context
from catchment.services.settling import settle_run
from catchment.store import connectors, documents, items, runs
from catchment.store.engine import reading, writing
from catchment.store.index import index_for
from catchment.store.rows import ConnectorRow, RunRow

log = logging.getLogger(__name__)
SLICE = 256
"""Documents taken out in one transaction, so that searches and heartbeats never wait long."""
REMOVED = "removed with its connector"
WAIT_SECONDS = 40.0
"""Longest wait for the active run; Prefect kills a cancelled one after 30 s."""
LOOK_SECONDS = 0.2
GRACE_SECONDS = 60.0
"""A removal that began later than this long ago is not interrupted yet."""
DELETE = "delete"


def remove(
    context: Context,
    connector: ConnectorRow,
    *,
    on_slice: Callable[[int], None] = lambda _count: None,
    on_left: Callable[[str], None] = log.warning,
    wait_seconds: float = WAIT_SECONDS,
) -> int:
    """Remove a connector and return how many documents went with it.

    Its run is cancelled first. Should this process die half-way, `finish` takes the rest out.

    Args:
        context: The surroundings.
        connector: What is to go.
        on_slice: Called with the number of documents taken out so far.
        on_left: Told, in a sentence, what could not be taken away at the source.
        wait_seconds: Longest wait for the active run to end.

    Raises:
        Conflict: Its run does not end.
        Unavailable: Prefect is away; the connector stays.
    """
    # What is pushed to has nothing in Prefect, and goes without it.
    plain = connector.execution == PUSHED and not (connector.deployment_id or connector.credentials_block)
    way = None if plain else orchestrator(context)
    _end_runs(context, connector, wait_seconds)
    _mark(context, connector)
    _let_go_at_source(context, connector, on_left)
    try:
        if way is not None:
            way.remove(connector)
    except BaseException:
        with writing(context.engine) as connection:
            connectors.change(connection, connector.pk, deleted_at=None)
        raise
    return take_out(context, connector.pk, on_slice=on_slice)


def _end_runs(context: Context, connector: ConnectorRow, wait_seconds: float) -> None:
    """Cancel what runs and what waits, and wait for the end."""
    give_up_at = time.monotonic() + wait_seconds
    while True:
        with reading(context.engine) as connection:
            waiting = runs.waiting(connection, connector.pk)
            # Besides the sync there may be runs that read what was handed in.
            live = [row for row in runs.unfinished(connection) if row.connector_pk == connector.pk]
        active = next((row for row in live if not row.dry_run), None)
        for row in [*waiting, *live]:
            _ask_to_end(context, row)
        if active is None:
            return
        if settle_run(context, syncs.show(context, active.id)):
            continue
        if time.monotonic() > give_up_at:
            raise Conflict(
                f"Run {active.id} of {connector.slug} does not end.", remedy="Try again in a minute."
            )
        time.sleep(LOOK_SECONDS)


def _ask_to_end(context: Context, row: RunRow) -> None:
    if row.cancel_requested_at is None:
        with suppress(Conflict):
            syncs.cancel(context, row, reason=DELETE)


def _mark(context: Context, connector: ConnectorRow) -> None:
    """Mark the row as removed, unless a run has taken the connector meanwhile."""
    with writing(context.engine) as connection:
        connectors.lock(connection, connector.pk)
        active = runs.active(connection, connector.pk)
        if active is not None:
            raise Conflict(f"Run {active.id} has just begun.", remedy="Try again.")
        connectors.change(connection, connector.pk, deleted_at=context.clock.now())


def _let_go_at_source(context: Context, connector: ConnectorRow, on_left: Callable[[str], None]) -> None:
    """Take away what the connector made at its source, while its credentials are there.

    A source that is away must not keep a connector alive: what stays there is told.
    """
    try:
        provider = registry.provider_of(connector)
        if provider.forget is Connector.forget:
            return
        source = source_of(context, connector)
        try:
            source.forget()
        finally:
            source.close()
    except (SourceError, NotFound) as error:
        on_left(f"What {connector.slug} made at its source may still be there. {error}")


def take_out(
    context: Context, connector_pk: int, *, on_slice: Callable[[int], None] = lambda _count: None
) -> int:
    """Take every document of a removed connector out of the index, in slices; returns how many."""
    index = index_for(context.engine.dialect.name)
    removed = 0
    while True:
        with writing(context.engine) as connection:
            pks = documents.visible_pks(connection, connector_pk, limit=SLICE)
            if not pks:
                break
            now = context.clock.now()
            removed += index.remove(connection, pks, now=now)
            items.mark_deleted(connection, pks, reason=REMOVED, now=now)
        on_slice(removed)
    more = SLICE
    while more == SLICE:
        with writing(context.engine) as connection:
            more = documents.forget_items_without_document(connection, connector_pk, limit=SLICE)
    return removed


def finish(context: Context) -> int:
    """Take out what an interrupted removal left; returns how many documents.

    One that is just going on is left alone: it may still be taken back because Prefect is away.
    """
    before = context.clock.now() - GRACE_SECONDS
    with reading(context.engine) as connection:
        left = documents.removed_connectors_with_documents(connection, before=before)
    return sum(take_out(context, pk) for pk in left)
