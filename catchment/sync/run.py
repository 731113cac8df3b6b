"""One run: everything that its lanes share."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from sqlalchemy import Engine

from catchment.core.clock import Clock
from catchment.core.counters import Counters
from catchment.core.errors import DiskFull, LeaseLost
from catchment.core.items import Item
from catchment.core.runs import Mode, Reason, Strategy
from catchment.core.settings import ParseSettings, SyncSettings
from catchment.kit.registry import AnyConnector
from catchment.kit.selection import Selection
from catchment.store import runs
from catchment.store.engine import writing
from catchment.store.index import Index
from catchment.store.rows import ConnectorRow, RunRow
from catchment.sync.batches import PLACES, Batch
from catchment.sync.cursor import CursorKeeper, CursorStore, Marks
from catchment.sync.stop import Channel, StopSignal

if TYPE_CHECKING:
    from catchment.sync.handed_in import Kept

log = logging.getLogger("catchment.sync")
MOST_ERRORS_SHOWN = 100
MOST_NAMES_SHOWN = 100
PIPELINE = 1
"""Raised when parsing or chunking changes what it makes of the same bytes."""


class Report(Struct):
    """What a run says about itself beside its counters; becomes the row's `details`.

    Attributes:
        scopes: Per scope: how it went, its strategy and reason.
        skipped: Skipped items by reason.
        errors: The first hundred items that failed.
        held: Removals that the guard holds, per scope.
        narrowed: Documents that went because the configuration left them out.
        would: Only for a dry run: the first hundred keys that would be fetched and deleted.
        notes: Sentences worth telling.
    """

    scopes: dict[str, dict[str, Any]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    errors: list[dict[str, str]] = field(default_factory=list)
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    narrowed: int = 0
    would: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    harmless_failures: int = 0
    repeated_failures: int = 0

    def failed(self, key: str, stage: str, reason: str, message: str) -> None:
        """Note an item that failed."""
        if len(self.errors) < MOST_ERRORS_SHOWN:
            self.errors.append({"key": key, "stage": stage, "reason": reason, "error": message})

    def would_do(self, what: str, key: str) -> None:
        """Note what a dry run would do."""
        names = self.would.setdefault(what, [])
        if len(names) < MOST_NAMES_SHOWN:
            names.append(key)

    def as_json(self) -> dict[str, Any]:
        """Return what is kept on the run's row; empty parts are left out."""
        parts = {
            "scopes": self.scopes,
            "skipped": dict(self.skipped),
            "errors": self.errors,
            "held": self.held,
            "narrowed": self.narrowed,
            "would": self.would,
            "notes": self.notes,
        }
        return {name: part for name, part in parts.items() if part}


class Surroundings(Struct):
    """What a run needs from its process.

    Attributes:
        engine: The store.
        cursors: Where cursors are kept.
        clock: Where time comes from.
        sync: How a run works.
        parse: What one document may cost.
        spool: Folder for bodies that are too large for memory.
        watched: A folder on the disk that must not fill up; None where the store is elsewhere.
        on_progress: Called at most once a second with the run, for whoever shows it.
    """

    engine: Engine
    cursors: CursorStore
    clock: Clock
    sync: SyncSettings
    parse: ParseSettings
    spool: Path
    watched: Path | None = None
    on_progress: Callable[[Run], None] | None = None

    @property
    def blobs(self) -> Path:
        """Folder of the files that people handed in, beside the spool."""
        return self.spool.parent / "blobs"


class Run:
    """A claimed run, from its first page to its closing.

    Each counter is written by one lane only: collected and fetched by collect, parsed by parse, the
    others by index, after the transaction that made them true.

    Attributes:
        kept: The source once more, where it is what the store itself keeps; else None.
    """

    def __init__(
        self,
        row: RunRow,
        connector: ConnectorRow,
        source: AnyConnector,
        index: Index,
        surroundings: Surroundings,
        *,
        store_id: str,
        kept: Kept | None = None,
        stop: StopSignal | None = None,
    ) -> None:
        self.row = row
        self.connector = connector
        self.source = source
        self.kept = kept
        self.index = index
        self.around = surroundings
        self.engine = surroundings.engine
        self.clock = surroundings.clock
        self.settings = surroundings.sync
        self.store_id = store_id
        self.mode = Mode(row.mode)
        self.filter = tuple(name.lstrip("/") for name in row.filter)
        self.stop = stop or StopSignal()
        self.lease = row.lease or 0
        self.selection = Selection.of(source.config, max_file_bytes=self.settings.max_file_bytes)
        self.counters = Counters()
        self.report = Report()
        self.strategy: Strategy | None = None
        self.reason: Reason | None = None
        self.incomplete: dict[str, str] = {}
        self.to_parse: Channel[Batch] = Channel(self.settings.queue_batches, self.stop)
        self.to_index: Channel[Batch] = Channel(self.settings.queue_batches * PLACES, self.stop)
        self.marks = Marks()
        self.keeper: CursorKeeper | None = None
        self.waiting: tuple[str, float] | None = None
        self._spool: Path | None = None
        self._spool_lock = threading.Lock()

    @cached_property
    def config_hash(self) -> str:
        """Recognises the scope: every setting that decides what belongs to it."""
        settings = self.source.config
        config = settings.model_dump(mode="json", exclude=set(settings.not_scope))
        return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()

    @property
    def fingerprint(self) -> str:
        """Names the pipeline that made a document."""
        return f"{PIPELINE}-{self.around.parse.chunk_characters}"

    @property
    def spool(self) -> Path:
        """A folder of this run for large bodies, the same for every thread; gone when the run is closed."""
        with self._spool_lock:
            if self._spool is None:
                self.around.spool.mkdir(parents=True, exist_ok=True)
                self._spool = Path(tempfile.mkdtemp(prefix=f"{self.row.id}-", dir=self.around.spool))
            return self._spool

    def close(self) -> None:
        """Let go of the source and of spool files."""
        self.source.close()
        if self._spool is not None:
            shutil.rmtree(self._spool, ignore_errors=True)

    def admits(self, path: str) -> bool:
        """Whether the path lies in the scope that the configuration describes."""
        return self.selection.admits(path) and self.source.admits(path)

    def refusal(self, item: Item) -> str | None:
        """Why a rule refuses the item, or None."""
        return self.selection.refusal(item, now=self.clock.now())

    def check_room(self) -> None:
        """Raise `DiskFull` when the disk has hardly any room left."""
        if self.around.watched is None or not self.around.watched.exists():
            return
        free = shutil.disk_usage(self.around.watched).free
        if free < self.settings.min_free_bytes:
            raise DiskFull(
                f"Only {free // 1024 // 1024} MiB are free where the store lies.",
                remedy="Free some space, or lower CATCHMENT_SYNC_MIN_FREE_BYTES; the next run goes on.",
            )

    def note_strategy(self, strategy: Strategy, reason: Reason) -> None:
        """Record how this run finds out what to do, and why, where everybody can see it."""
        if self.strategy is None:
            self.strategy, self.reason = strategy, reason
            with writing(self.engine) as connection:
                if not runs.change(connection, self.row.id, strategy=strategy, reason=reason):
                    raise LeaseLost("The run was ended by another.")

    def snapshot(self) -> Counters:
        """Return the counters as they are at this moment."""
        return self.counters.copy()

    def add(self, delta: Counters) -> None:
        """Add what a committed transaction made true."""
        self.counters.add(delta)

    def note_wait(self, reason: str, _seconds: float) -> None:
        """Show that the run waits for its source, and since when."""
        self.waiting = (reason, self.clock.now())
