"""The cursor of a pulled connector: read with suspicion, moved last.

The store's row carries the revision and a hash of the newest cursor; the cursor itself lies in a
block (see `CursorStore`). The row is written first, in the transaction that closes the work before it,
then the block. So a crash between the two leaves an older cursor, which costs a repeat, and a store
that was restored from a backup beside a newer block is noticed.
"""

from __future__ import annotations

import hashlib
import json
from typing import Protocol

from msgspec import Struct, field
from sqlalchemy import Connection

from catchment.core.runs import Reason
from catchment.store import connectors
from catchment.store.rows import ConnectorRow

PREVIOUS_KEPT = 5


class CursorValue(Struct, frozen=True):
    """One saved cursor.

    Attributes:
        revision: Grows by one with each save.
        text: The cursor itself, one JSON text.
        saved_at: POSIX seconds.
        run_id: The run that saved it.
    """

    revision: int
    text: str
    saved_at: float
    run_id: str


class SavedCursor(Struct, frozen=True):
    """What the block holds: the newest cursor and a few before it, for going back."""

    connector_id: str
    store_id: str
    current: CursorValue
    previous: tuple[CursorValue, ...] = ()


class CursorStore(Protocol):
    """Where cursors are kept outside the store; in the product a Prefect block."""

    def load(self, connector_id: str) -> SavedCursor | None:
        """Return what was saved last, or None."""

    def save(self, saved: SavedCursor) -> None:
        """Keep it in place of what was there."""


class MemoryCursorStore:
    """Keeps cursors in memory, for runs outside Prefect."""

    def __init__(self) -> None:
        self.saved: dict[str, SavedCursor] = {}

    def load(self, connector_id: str) -> SavedCursor | None:
        """Return what was saved last, or None."""
        return self.saved.get(connector_id)

    def save(self, saved: SavedCursor) -> None:
        """Keep it in place of what was there."""
        self.saved[saved.connector_id] = saved


def cursor_hash(text: str) -> str:
    """Return the hash by which a cursor is recognised without being kept twice."""
    return hashlib.sha256(text.encode()).hexdigest()


class Marks(Struct):
    """The cursor taken apart: a mark per scope, and why there is none.

    Attributes:
        by_scope: Mark of each scope that completed.
        refused: Why a saved cursor is not used, or None.
    """

    by_scope: dict[str, str] = field(default_factory=dict)
    refused: Reason | None = None


def trusted_value(
    saved: SavedCursor | None, connector: ConnectorRow, store_id: str
) -> tuple[CursorValue | None, bool]:
    """Return the newest saved cursor that fits this store, and whether newer ones were passed over."""
    if saved is None:
        return None, False
    if saved.store_id != store_id:
        return None, True
    for value in (saved.current, *saved.previous):
        if value.revision > connector.cursor_revision:
            continue
        if value.revision == connector.cursor_revision and cursor_hash(value.text) != connector.cursor_hash:
            continue
        return value, value is not saved.current
    return None, True


def read_marks(saved: SavedCursor | None, connector: ConnectorRow, store_id: str, *, version: int) -> Marks:
    """Take the saved cursor apart, if it can be believed and this connector version wrote it."""
    value, passed_over = trusted_value(saved, connector, store_id)
    if value is None:
        return Marks(refused=Reason.CURSOR_AHEAD if passed_over else None)
    try:
        content = json.loads(value.text)
        written_by, scopes = content["version"], dict(content["scopes"])
    except (ValueError, KeyError, TypeError):
        return Marks(refused=Reason.CURSOR_VERSION)
    if written_by != version:
        return Marks(refused=Reason.CURSOR_VERSION)
    # An older value is a sound place to begin at, but only a listing finds what was deleted since
    # the store was younger than its own history.
    return Marks(by_scope=scopes, refused=Reason.CURSOR_AHEAD if passed_over else None)


class CursorKeeper:
    """Moves the marks of one run and saves them; one writer, the run that holds the connector.

    Attributes:
        is_behind: Whether a mark was moved that is not staged yet.
        saved_at: POSIX seconds of the last save by this run; None before the first.
    """

    def __init__(
        self,
        store: CursorStore,
        connector: ConnectorRow,
        *,
        store_id: str,
        run_id: str,
        version: int,
        saved: SavedCursor | None,
        marks: Marks,
    ) -> None:
        self._store = store
        self._connector = connector
        self._store_id = store_id
        self._run_id = run_id
        self._version = version
        self._saved = saved
        self._marks = dict(marks.by_scope)
        self._revision = self._row_revision = connector.cursor_revision
        if saved is not None and saved.store_id == store_id:
            # Never hand out a revision that a later state of this store used before.
            self._revision = max(self._revision, saved.current.revision)
        self._hash = connector.cursor_hash
        self._pending: str | None = None
        self.is_behind = False
        self.saved_at: float | None = None

    @property
    def text(self) -> str:
        """The cursor as it stands now."""
        return json.dumps(
            {"version": self._version, "scopes": self._marks}, sort_keys=True, separators=(",", ":")
        )

    def move(self, scope_key: str, mark: str | None) -> None:
        """Set the mark of a scope; None takes it away."""
        self.is_behind = True
        if mark is None:
            self._marks.pop(scope_key, None)
        else:
            self._marks[scope_key] = mark

    def stage(self, connection: Connection) -> None:
        """Write the new revision and hash to the connector's row, in the caller's transaction."""
        text = self.text
        self.is_behind = False
        if self._is_saved(text):
            return
        self._revision += 1
        self._pending = text
        self._write_row(connection, text)

    def rebase(self, now: float) -> None:
        """Save the marks that are believed in place of a newer cursor; `adopt` must follow.

        The block comes first here: as long as the row is older, a crash leaves a cursor that is ahead.
        """
        self._revision += 1
        self._pending = self.text
        self.flush(now)

    def adopt(self, connection: Connection) -> None:
        """Write the revision that `rebase` saved to the connector's row."""
        self._write_row(connection, self.text)

    def _is_saved(self, text: str) -> bool:
        """Whether row and block both hold this cursor, so that the next run will believe it."""
        saved = self._saved
        return (
            saved is not None
            and saved.store_id == self._store_id
            and saved.current.revision == self._row_revision
            and saved.current.text == text
            and self._hash == cursor_hash(text)
        )

    def _write_row(self, connection: Connection, text: str) -> None:
        self._row_revision, self._hash = self._revision, cursor_hash(text)
        connectors.change(
            connection, self._connector.pk, cursor_revision=self._row_revision, cursor_hash=self._hash
        )

    def flush(self, now: float) -> None:
        """Save what was staged, after its transaction was committed."""
        if self._pending is None:
            return
        previous: tuple[CursorValue, ...] = ()
        if self._saved is not None and self._saved.store_id == self._store_id:
            previous = (self._saved.current, *self._saved.previous)[:PREVIOUS_KEPT]
        saved = SavedCursor(
            self._connector.id,
            self._store_id,
            CursorValue(self._revision, self._pending, now, self._run_id),
            previous,
        )
        self._store.save(saved)
        self._saved, self._pending, self.saved_at = saved, None, now
