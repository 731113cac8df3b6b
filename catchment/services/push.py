"""Pushes: documents that the other side sends, in the index before the answer goes out.

A push becomes true as a whole: documents, chunks, words, ledger, the run's row and the cursor together, or
nothing does. It never asks Prefect for anything; recordings leave a run that waits.

SQLite has one writer, so there pushes that wait for their turn at the same time share a transaction: the
words of all are written once. One that is refused costs the others nothing, and should the transaction
fail, each is tried by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from msgspec import Struct, field
from sqlalchemy import Connection, Engine

from catchment.core.counters import Counters
from catchment.core.documents import ParsedDocument
from catchment.core.errors import Conflict
from catchment.core.ids import new_short_ids
from catchment.core.runs import ConnectorStatus, ItemState, RunKind, Trigger
from catchment.core.settings import MIB, ParseSettings, parse_settings
from catchment.kit.registry import PUSHED
from catchment.parsing.charset import clean
from catchment.parsing.plain import plain_document
from catchment.services import chores
from catchment.services.context import Context
from catchment.services.push_input import (
    NOT_SENT,
    DocumentRejected,
    Incoming,
    NotSent,
    PushRejected,
    check_cursor,
    check_documents,
    read_document,
)
from catchment.services.together import Together
from catchment.store import connectors, items, meta, pushes
from catchment.store.engine import reading, transact, writing
from catchment.store.index import Index, IndexEntry, index_for
from catchment.store.items import Known
from catchment.store.rows import ConnectorRow
from catchment.sync.settlement import existing_documents

KEEP_SINGLE_SECONDS = 7 * 86_400
"""Pushes older than this are folded into sums of their day."""
MOST_TOGETHER = 10
"""Pushes in one transaction: 500 documents, about as many as in a batch of a sync."""
MOST_TOGETHER_BYTES = 4 * MIB
_computing = threading.Lock()
"""One push computes at a time. More are not done sooner, and together they keep the interpreter from the one
that writes, which asks for it after every step: half of the time of those steps went by in waiting."""
_TAKEN = frozenset({ItemState.INDEXED.value, ItemState.PENDING.value})
"""States in which a document counts as known; one that failed, or was deleted, is taken anew."""


class Pushed(Struct):
    """What became of a push. The four numbers add up to the documents that were sent.

    Attributes:
        indexed: New documents, or with upsert also changed ones.
        skipped: Known already, or sent twice.
        errors: External id and reason of each document that could not be taken.
        transcriptions: Recordings that wait for their text.
        cursor: The cursor that was sent, or None.
        run_id: The run that stands for it.
    """

    indexed: int = 0
    skipped: int = 0
    errors: list[tuple[str, str]] = field(default_factory=list)
    transcriptions: int = 0
    cursor: str | None = None
    run_id: str = ""


class _Ready(Struct):
    """A document that can be taken, cut into chunks where it is not known yet."""

    incoming: Incoming
    parsed: ParsedDocument | None = None


def push(
    context: Context,
    connector: ConnectorRow,
    documents: Any,
    *,
    cursor: str | None = None,
    cursor_before: str | NotSent | None = NOT_SENT,
    settings: ParseSettings | None = None,
) -> Pushed:
    """Take documents in; when this returns, they can be found.

    Args:
        context: The surroundings.
        connector: A connector that is pushed to (execution LOCAL).
        documents: 1 to 50 JSON objects, each with an ``external_id``; see `push_input.read_document`.
        cursor: Stored as it is, together with the documents; None leaves the stored one.
        cursor_before: What the stored cursor must be; `NOT_SENT` asks nothing.
        settings: Limits of one text.

    Raises:
        PushRejected: The envelope is wrong, or the connector takes no pushes now; nothing was stored.
        Conflict: The stored cursor is another than `cursor_before`; nothing was stored.
    """
    settings = settings or parse_settings()
    _require_open(connector)
    check_cursor(cursor, "cursor")
    if not isinstance(cursor_before, NotSent):
        check_cursor(cursor_before, "cursor_before")
    result = Pushed(cursor=cursor)
    sent = check_documents(documents)
    with _computing:
        ready = _read_all(sent, result, settings)
    known = _known(context, connector, ready)
    with _computing:
        _cut(connector, ready, known, settings)
    batch = _Batch(context, connector, ready, result, len(documents), cursor_before, settings)
    if context.engine.dialect.name == "sqlite":
        size = sum(one.incoming.size or 0 for one in ready.values())
        return line_into(context.engine).do(batch, size=size)
    (outcome,) = _store_all([batch])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _require_open(connector: ConnectorRow) -> None:
    if connector.execution != PUSHED:
        raise PushRejected("This connector fetches by itself; nothing can be pushed to it.")
    if connector.paused or connector.status == ConnectorStatus.PAUSED:
        raise PushRejected("This connector is paused.", remedy="Resume it first.")
    if connector.deleted_at is not None:
        raise PushRejected("This connector is deleted.")


def _read_all(
    documents: Sequence[dict[str, Any]], result: Pushed, settings: ParseSettings
) -> dict[str, _Ready]:
    """Read each document; of one id the first counts, and what cannot be taken is noted."""
    ready: dict[str, _Ready] = {}
    for document in documents:
        try:
            incoming = read_document(document, max_characters=settings.max_characters)
        except DocumentRejected as rejected:
            result.errors.append((clean(document["external_id"])[:600], str(rejected)))
            continue
        if incoming.key in ready:
            result.skipped += 1
        else:
            ready[incoming.key] = _Ready(incoming)
    return ready


def _known(context: Context, connector: ConnectorRow, ready: dict[str, _Ready]) -> dict[str, Known]:
    if not ready:
        return {}
    with reading(context.engine) as connection:
        return items.lookup(connection, connector.pk, list(ready))


def _cut(
    connector: ConnectorRow, ready: dict[str, _Ready], known: dict[str, Known], settings: ParseSettings
) -> None:
    """Cut texts before the transaction, so that nobody waits for it; known ones are not cut at all."""
    upsert = _upserts(connector)
    for key, one in ready.items():
        if _wanted(one.incoming, known.get(key), upsert=upsert):
            _parse(one, settings)


def _parse(one: _Ready, settings: ParseSettings) -> None:
    incoming = one.incoming
    if incoming.text is not None and one.parsed is None:
        one.parsed = plain_document(
            incoming.text, content_type=incoming.content_type, chunk_characters=settings.chunk_characters
        )


def _upserts(connector: ConnectorRow) -> bool:
    config = connector.config
    return "upsert" in (config.get("documentSemantics"), config.get("document_semantics"))


def _wanted(incoming: Incoming, known: Known | None, *, upsert: bool) -> bool:
    """Whether a document is to be written, in view of what the ledger knows of its id."""
    if known is None or known.state not in _TAKEN:
        return True
    return upsert and known.content_hash != incoming.digest


class _Batch(Struct, frozen=True):
    """A push on its way into its transaction; `read` is what became of it so far."""

    context: Context
    connector: ConnectorRow
    ready: dict[str, _Ready]
    read: Pushed
    count: int
    cursor_before: str | NotSent | None
    settings: ParseSettings


_lines: WeakKeyDictionary[Engine, Together[_Batch, Pushed]] = WeakKeyDictionary()
_lines_lock = threading.Lock()


def line_into(engine: Engine) -> Together[_Batch, Pushed]:
    """Return the one line in which the pushes of this process into a store wait."""
    with _lines_lock:
        if engine not in _lines:
            _lines[engine] = Together(_store_all, most=MOST_TOGETHER, most_size=MOST_TOGETHER_BYTES)
        return _lines[engine]


def _store_all(batches: Sequence[_Batch]) -> list[Pushed | Exception]:
    """Write pushes in one transaction or, should that fail, each in its own.

    Raises:
        Exception: What ended the transaction of a push that was alone from the start.
    """
    engine = batches[0].context.engine
    try:
        return transact(engine, partial(_store_together, batches))
    except Exception:
        if len(batches) == 1:
            raise
    return [_alone(batch) for batch in batches]


def _alone(batch: _Batch) -> Pushed | Exception:
    try:
        return _store_all([batch])[0]
    except Exception as error:  # raised again where this push is waited for
        return error


def _store_together(batches: Sequence[_Batch], connection: Connection) -> list[Pushed | Exception]:
    """Write pushes in their transaction; done again as a whole should the database end it."""
    writer = _Writer(connection)
    outcomes: list[Pushed | Exception] = []
    for batch in batches:
        try:
            fresh = _require_fit(batch, connection)
        except (PushRejected, Conflict) as refused:  # nothing of it is written yet
            outcomes.append(refused)
        else:
            outcomes.append(_store(batch, fresh, writer))
    writer.flush()
    return outcomes


def _require_fit(batch: _Batch, connection: Connection) -> ConnectorRow:
    """Return the connector as it is now, if it takes this push."""
    connectors.lock(connection, batch.connector.pk)
    fresh = connectors.by_pk(connection, batch.connector.pk)
    _require_open(fresh)
    if not isinstance(batch.cursor_before, NotSent) and batch.cursor_before != fresh.cursor:
        raise Conflict(
            "The stored cursor is not the one that cursor_before names.",
            remedy="Read the connector's cursor and go on from there.",
        )
    return fresh


class _Writer:
    """One transaction, and what is still to be written to the index: all at once is cheapest."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.index: Index = index_for(connection.dialect.name)
        self._entries: dict[int, IndexEntry] = {}
        self._now = 0.0

    def add(self, entries: Iterable[IndexEntry], *, now: float) -> None:
        """Remember documents that are to be written."""
        self._entries.update((entry.pk, entry) for entry in entries)
        self._now = now

    def settle(self, pks: Iterable[int]) -> None:
        """See to it that nothing of these documents is left to be written."""
        if not self._entries.keys().isdisjoint(pks):
            self.flush()

    def flush(self) -> None:
        """Write what was remembered."""
        if self._entries:
            self.index.upsert(self.connection, list(self._entries.values()), now=self._now)
            self._entries = {}


def _store(batch: _Batch, connector: ConnectorRow, writer: _Writer) -> Pushed:
    """Write one push of a transaction."""
    connection, ready, read = writer.connection, batch.ready, batch.read
    result = Pushed(skipped=read.skipped, errors=list(read.errors), cursor=read.cursor)
    known = items.lookup(connection, connector.pk, list(ready)) if ready else {}
    upsert = _upserts(connector)
    chosen = []
    for key, one in ready.items():
        if _wanted(one.incoming, known.get(key), upsert=upsert):
            _parse(one, batch.settings)
            chosen.append(one)
        else:
            result.skipped += 1
    if chosen:
        _write(batch.context, connector, writer, chosen, known)
    result.transcriptions = sum(one.parsed is None for one in chosen)
    result.indexed = len(chosen) - result.transcriptions
    if result.transcriptions:
        _ask_for_transcription(connection, connector)
    result.run_id = _note(connection, connector, result, batch.count)
    _move(batch.context, connection, connector, result.cursor)
    return result


def _write(
    context: Context,
    connector: ConnectorRow,
    writer: _Writer,
    chosen: Sequence[_Ready],
    known: dict[str, Known],
) -> None:
    """Write ledger rows, then documents with their chunks; recordings get a document without text."""
    now, connection = context.clock.now(), writer.connection
    fresh = [one for one in chosen if one.incoming.key not in known]
    first = meta.allocate_pks(connection, len(fresh)) if fresh else 0
    numbers = {one.incoming.key: first + place for place, one in enumerate(fresh)}
    old = [known[one.incoming.key].pk for one in chosen if one.incoming.key in known]
    writer.settle(old)
    written = existing_documents(connection, old) if old else set()
    new_rows: list[tuple[Any, ...]] = []
    changed_rows: list[tuple[Any, ...]] = []
    entries: list[IndexEntry] = []
    unread: list[IndexEntry] = []
    for one, short_id in zip(chosen, new_short_ids(len(chosen)), strict=True):
        before = known.get(one.incoming.key)
        pk = before.pk if before is not None else numbers[one.incoming.key]
        (changed_rows if before is not None else new_rows).append(_item_row(one.incoming, pk, now))
        entry = _entry(one, pk, short_id, connector, is_new=pk not in written)
        (entries if one.parsed is not None else unread).append(entry)
    pushes.write_items(connection, connector.pk, new=new_rows, changed=changed_rows)
    writer.add(entries, now=now)
    if unread:
        writer.index.remove(connection, sorted(entry.pk for entry in unread if not entry.is_new), now=now)
        pushes.write_unread(connection, unread, now=now)


def _item_row(incoming: Incoming, pk: int, now: float) -> tuple[Any, ...]:
    """Return the values of `pushes.ITEM_COLUMNS`, and the number."""
    return (
        incoming.key,
        incoming.key,
        (ItemState.INDEXED if incoming.text is not None else ItemState.PENDING).value,
        incoming.digest,
        incoming.size,
        # Searches by time go by this one; a document without a date is as old as its arrival.
        incoming.date if incoming.date is not None else now,
        incoming.url,
        None if incoming.text is not None else "waiting for its transcription",
        None,
        0,
        None,
        now,
        pk,
    )


def _entry(one: _Ready, pk: int, short_id: str, connector: ConnectorRow, *, is_new: bool) -> IndexEntry:
    incoming = one.incoming
    return IndexEntry(
        pk=pk,
        id=short_id,
        is_new=is_new,
        connector_pk=connector.pk,
        collection_pk=connector.collection_pk,
        # An empty title is none: what the other side did not name is not named after its id.
        title=incoming.title or "",
        path=incoming.key,
        author=incoming.author,
        created_at=incoming.date,
        acl="none",
        tags=incoming.tags,
        metadata=incoming.metadata,
        parsed=one.parsed or ParsedDocument("", incoming.content_type),
    )


def _ask_for_transcription(connection: Connection, connector: ConnectorRow) -> None:
    """Leave a run that waits, unless one does already; the sweep starts it where speech is understood."""
    if not pushes.waiting_transcription(connection, connector.pk):
        chores.leave(connection, connector, RunKind.TRANSCRIBE, trigger=Trigger.PUSH)


def _note(connection: Connection, connector: ConnectorRow, result: Pushed, count: int) -> str:
    counters = Counters(
        collected=count,
        skipped=result.skipped,
        parsed=result.indexed,
        indexed=result.indexed,
        failed=len(result.errors),
    )
    details: dict[str, Any] = {}
    if result.errors:
        details["errors"] = [
            {"key": key, "stage": "collect", "reason": "invalid", "error": error}
            for key, error in result.errors
        ]
    if result.cursor is not None:
        details["cursor"] = result.cursor
    if result.transcriptions:
        details["transcriptions"] = result.transcriptions
    return pushes.add_run(connection, connector.pk, counters, details=details)


def _move(context: Context, connection: Connection, connector: ConnectorRow, cursor: str | None) -> None:
    """Move the cursor with the documents; a good push mends what an earlier one broke."""
    values: dict[str, Any] = {"last_success_at": context.clock.now()}
    if cursor is not None:
        values["cursor"] = cursor
    if connector.status in (ConnectorStatus.SETUP, ConnectorStatus.ERROR):
        values.update(status=ConnectorStatus.ACTIVE, error_code=None, error_message=None)
    connectors.change(connection, connector.pk, **values)


def fold(context: Context) -> int:
    """Fold old pushes into sums of their days, a bounded number at a time; returns how many."""
    before = context.clock.now() - KEEP_SINGLE_SECONDS
    folded, give_up_at = 0, time.monotonic() + 10.0
    while time.monotonic() < give_up_at:
        with writing(context.engine) as connection:
            count = pushes.fold(connection, before=before)
        folded += count
        if count < pushes.STEP:
            break
    return folded
