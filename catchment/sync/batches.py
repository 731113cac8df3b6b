"""What travels from lane to lane: jobs in batches, in the order of the listing."""

from __future__ import annotations

from enum import Enum, auto

from msgspec import Struct, field

from catchment.core.documents import ParsedDocument, ParseFailure
from catchment.core.items import Item
from catchment.core.runs import Stage
from catchment.store.index import IndexEntry
from catchment.store.items import Known
from catchment.store.rows import ScopeRow
from catchment.sync.pkset import PkSet

PLACES = 4
"""Places that a batch of the most bytes takes in a queue; of small texts more batches can wait."""


class Action(Enum):
    """What is to be done with one item."""

    INDEX = auto()
    """Its body was read and is to be parsed and indexed."""
    TOUCH = auto()
    """Its content is what the index has; only facts about it changed."""
    SKIP = auto()
    """A rule refuses it."""
    FAIL = auto()
    """It could not be read."""
    REMOVE = auto()
    """It is gone."""


class Job(Struct):
    """One item on its way to its end.

    Attributes:
        item: What the source says.
        known: What the ledger said when the item was collected; None for a new one.
        action: What is to be done.
        reason: A short code, for what is skipped, failed or removed.
        error: One sentence for a person.
        stage: Where it failed.
        body: The bytes, when they are small.
        spool_path: The file that holds them, when they are not.
        sha256: Of the bytes.
        content_type: What the source declared, or fetching told.
        parsed: What parsing made of it; a text leaves it for `entry`.
        entry: What is to be indexed of it.
        given: Its text needed no parser, and its title is its own.
        named: The entry was named by the filter; if it is gone, that counts.
        scope_pk: The scope in which it was seen.
        asked: What the source calls it, where that is not fit for a database.
    """

    item: Item
    known: Known | None
    action: Action
    reason: str = ""
    error: str = ""
    stage: Stage = Stage.COLLECT
    body: bytes | None = None
    spool_path: str | None = None
    size: int | None = None
    sha256: bytes | None = None
    content_type: str | None = None
    parsed: ParsedDocument | ParseFailure | None = None
    entry: IndexEntry | None = None
    given: bool = False
    named: bool = False
    scope_pk: int | None = None
    asked: Item | None = None


class ScopeEnd(Struct):
    """A scope was read, to its end or not.

    Attributes:
        scope: Which one.
        complete: Whether it was read to its end.
        listing: Whether it was a listing, after which absence means something.
        mark: Where the next run begins.
        error: What cut it short, for people.
        error_code: The same as a short code.
        sighted: Numbers of the known items that the listing named.
        watermark: The newest item number when the listing began; newer items are never swept.
        listed: How many items the listing named.
        sweep: Whether what is absent is to be removed.
    """

    scope: ScopeRow
    complete: bool
    listing: bool
    mark: str | None = None
    error: str = ""
    error_code: str = ""
    sighted: PkSet = field(default_factory=PkSet)
    watermark: int = 0
    listed: int = 0
    sweep: bool = False


class Position(Struct):
    """How far an unfinished listing has got, with what it named so far."""

    position: str
    sighted: bytes
    watermark: int


class Batch(Struct):
    """Jobs that are settled in one transaction, and what may move once they are.

    Attributes:
        scope: Where they come from; None for named entries.
        jobs: In the order of the listing.
        unchanged: Items that need nothing, by reason.
        position: Checkpoint of the listing behind these jobs.
        cursor: Cursor of the feed behind these jobs.
        end: The scope ends here.
        retire: All scopes are complete, so scopes that are no longer configured can go.
        held_done: What the guard held in the scope was carried out with these jobs.
    """

    scope: ScopeRow | None = None
    jobs: list[Job] = field(default_factory=list)
    unchanged: dict[str, int] = field(default_factory=dict)
    body_bytes: int = 0
    position: Position | None = None
    cursor: str | None = None
    end: ScopeEnd | None = None
    retire: bool = False
    held_done: bool = False

    def places(self, batch_bytes: int) -> int:
        """Return how much room it takes in a queue, by the bytes that it was made of: 1 to `PLACES`."""
        return min(PLACES, 1 + PLACES * self.body_bytes // batch_bytes)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to settle and nothing to move."""
        parts = (self.jobs, self.unchanged, self.position, self.cursor, self.end, self.retire, self.held_done)
        return not any(parts)
