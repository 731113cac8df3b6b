"""Cursors: shown, reset, and rolled back to a value that was saved before.

Like a run, a change takes the connector first, and writes the store's row before the block: whoever
reads in between finds an older value, which costs a repeat and loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct
from sqlalchemy.exc import IntegrityError

from catchment.core.errors import Conflict, NotFound
from catchment.core.ids import new_id
from catchment.core.runs import Mode, Reason, Trigger
from catchment.kit import registry
from catchment.kit.connector import ChangeFeed
from catchment.kit.session import Session
from catchment.services.connectors import find, orchestrator
from catchment.services.context import Context
from catchment.services.orchestrator import Orchestrator
from catchment.store import connectors, runs, scopes
from catchment.store.engine import reading, writing
from catchment.store.rows import ConnectorRow
from catchment.sync.begin import read_config
from catchment.sync.claim import add_run
from catchment.sync.cursor import (
    PREVIOUS_KEPT,
    CursorValue,
    SavedCursor,
    cursor_hash,
    read_marks,
    trusted_value,
)

BY_HAND = "by hand"
"""Stands where a cursor that no run saved would name its run."""


class CursorView(Struct, frozen=True):
    """A cursor as a person looks at it.

    Attributes:
        saved: What the block holds; None when nothing was ever saved.
        marks: The mark of each scope that the next run would begin at.
        refused: Why the saved cursor is not believed as it stands, or None.
        listed_at: When each scope was last listed completely, by its key.
    """

    saved: SavedCursor | None
    marks: dict[str, str]
    refused: Reason | None
    listed_at: dict[str, float | None]


def show(context: Context, connector: ConnectorRow) -> CursorView:
    """Return the cursor of a connector.

    Raises:
        Unavailable: Prefect, which keeps it, is away.
    """
    way = orchestrator(context)
    saved = way.cursors.load(connector.id)
    version = registry.provider_of(connector).version
    marks = read_marks(saved, connector, way.store_id, version=version)
    with reading(context.engine) as connection:
        listed = {row.key: row.listed_at for row in scopes.of_connector(connection, connector.pk).values()}
    return CursorView(saved, marks.by_scope, marks.refused, listed)


def reset(context: Context, connector: ConnectorRow) -> SavedCursor:
    """Forget where the next run would begin: it lists everything, with the reason ``no_cursor``.

    Documents stay; what is unchanged is not read again.

    Raises:
        Conflict: A run holds the connector.
        Unavailable: Prefect is away; nothing was changed.
    """
    version = registry.provider_of(connector).version
    text = json.dumps({"version": version, "scopes": {}}, sort_keys=True, separators=(",", ":"))
    return _put(context, connector, text, steps=None, forget_listings=True)


def rollback(context: Context, connector: ConnectorRow, steps: int) -> SavedCursor:
    """Make a value that was saved earlier the newest one; the changes since then are read again.

    Args:
        context: The surroundings.
        connector: Whose cursor.
        steps: How many values to go back, 1 being the one before the newest.

    Raises:
        NotFound: So many values are not kept.
        Conflict: A run holds the connector.
        Unavailable: Prefect is away; nothing was changed.
    """
    return _put(context, connector, None, steps=steps, forget_listings=False)


def lists_everything_next(connector: ConnectorRow) -> bool:
    """Tell whether the next automatic run lists everything whatever the cursor says."""
    provider = registry.provider_of(connector)
    # The settings may decide how much a source reports; asking for it contacts nobody.
    source = provider(read_config(provider, connector.config), None, Session(trusted=connector.trusted))
    try:
        return source.change_feed is not ChangeFeed.COMPLETE
    finally:
        source.close()


def _put(
    context: Context, connector: ConnectorRow, text: str | None, *, steps: int | None, forget_listings: bool
) -> SavedCursor:
    way = orchestrator(context)
    with _holding(context, connector):
        fresh = find(context, connector.id)
        saved = way.cursors.load(fresh.id)
        own = saved if saved is not None and saved.store_id == way.store_id else None
        text = text if steps is None else _earlier(own, fresh, way, steps)
        assert text is not None
        revision = max(fresh.cursor_revision, own.current.revision if own is not None else 0) + 1
        with writing(context.engine) as connection:
            connectors.change(connection, fresh.pk, cursor_revision=revision, cursor_hash=cursor_hash(text))
            if forget_listings:
                for scope in scopes.of_connector(connection, fresh.pk).values():
                    scopes.change(connection, scope.pk, listed_at=None)
                    scopes.drop_checkpoint(connection, scope.pk)
        previous = (own.current, *own.previous)[:PREVIOUS_KEPT] if own is not None else ()
        value = CursorValue(revision, text, context.clock.now(), BY_HAND)
        put = SavedCursor(fresh.id, way.store_id, value, previous)
        way.cursors.save(put)
        return put


def _earlier(saved: SavedCursor | None, connector: ConnectorRow, way: Orchestrator, steps: int) -> str:
    """Return the text of an earlier value."""
    kept = saved.previous if saved is not None else ()
    if not 1 <= steps <= len(kept):
        raise NotFound(
            f"There is no cursor {steps} back; {len(kept)} earlier ones are kept.",
            remedy=f"See: catchment cursor show {connector.slug}.",
        )
    value = kept[steps - 1]
    assert saved is not None
    believed, _ = trusted_value(
        SavedCursor(saved.connector_id, saved.store_id, value), connector, way.store_id
    )
    if believed is None:
        raise NotFound(
            "That cursor belongs to a later state of the store than this one.",
            remedy=f"Go further back, or run: catchment cursor reset {connector.slug}.",
        )
    return value.text


@contextmanager
def _holding(context: Context, connector: ConnectorRow) -> Iterator[None]:
    """Hold the connector as a run does; no run can begin meanwhile, and no row is left behind."""
    run_id = new_id()
    try:
        with writing(context.engine) as connection:
            add_run(connection, run_id, connector.pk, mode=Mode.AUTO, trigger=Trigger.MANUAL, names=[])
            lease = connectors.next_lease(connection, connector.pk)
            runs.take(connection, run_id, lease, flow_run_id=None, count=None)
    except IntegrityError:
        raise Conflict(
            f"A run holds the connector {connector.slug}.",
            remedy="Wait for it, or cancel it: catchment runs shows its id.",
        ) from None
    try:
        yield
    finally:
        with writing(context.engine) as connection:
            runs.remove(connection, run_id)
