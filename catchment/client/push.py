"""Pushes: any iterable of documents, in batches, over Trove's Sync API.

Documents that are known already are skipped by the server, so a batch may be sent again whenever no answer
came. A cursor is stored with the batch that carries it, or not at all.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, Final, TypeAlias

from catchment.client.asking import ask
from catchment.client.connectors import cursor as stored_cursor
from catchment.client.errors import ClientError, Conflict, Invalid, TooLarge
from catchment.client.replies import DocumentError, Pushed
from catchment.client.session import Part
from catchment.client.steps import END, Begin, Call, Steps, Take, Tell

PATH = "/api/sync/documents"
MOST_DOCUMENTS = 50
"""The server's own limit of one request."""
BATCH_BYTES = 8 * 1024 * 1024
"""Less than the server's usual limit of 32 MiB: a batch that is sent again costs this much."""


class NotGiven:
    """Stands for a guard that is not asked for, where None means that there must be no cursor yet."""


NOT_GIVEN: Final = NotGiven()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDocument:
    """A document to be pushed; a mapping with these names serves as well.

    Attributes:
        external_id: Stable id at the source, 1 to 512 characters; one that is known is skipped.
        text: Its text; or `audio_url` instead, the address of a recording that is to be transcribed.
        audio_url: See `text`.
        title: Its title.
        url: Where a person opens it.
        author: Who wrote it.
        date: When it was written: ISO 8601, or a date or moment; UTC without a zone.
        content_type: ``text``, ``transcript``, ``highlight`` or ``bookmark``.
        tags: Labels.
        metadata: Any other facts, as JSON knows them.
    """

    external_id: str
    text: str | None = None
    audio_url: str | None = None
    title: str | None = None
    url: str | None = None
    author: str | None = None
    date: str | date | None = None
    content_type: str | None = None
    tags: tuple[str, ...] | list[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


Pushable: TypeAlias = NewDocument | Mapping[str, Any]
CursorOf: TypeAlias = str | Callable[[Any], str | None]
Listener: TypeAlias = Callable[[Pushed], Any]


def push(
    here: Part,
    documents: Iterable[Pushable] | AsyncIterable[Pushable],
    *,
    connector: str,
    cursor: CursorOf | None = None,
    cursor_before: str | NotGiven | None = NOT_GIVEN,
    batch_size: int = MOST_DOCUMENTS,
    batch_bytes: int = BATCH_BYTES,
    progress: Listener | None = None,
) -> Steps[Pushed]:
    """Push documents into a connector; when this returns, they can be found.

    What is wrong with one document is kept in the result and costs the others nothing. The iterable is read
    as it is sent, a batch at a time.

    Args:
        here: The client.
        documents: Mappings or `NewDocument`; the awaited client takes asynchronous iterables, too.
        connector: Id of a connector that is pushed to.
        cursor: Where the next push is to begin. A text is stored with the last batch, so that it never stands
            before a document that did not arrive; a function is given the last document of each batch, and
            what it returns is stored with that batch. Where no document can be sent, none is stored.
        cursor_before: What the stored cursor must be; None means that there must be none.
        batch_size: Most documents of one request, 1 to 50.
        batch_bytes: Most bytes of one request; a document that is larger travels alone.
        progress: Called with the result so far after each batch.

    Raises:
        Conflict: The stored cursor is another than `cursor_before`: somebody else has pushed.
        NotFound: There is no such connector.
        ClientError: Something else, when all attempts at a batch were in vain. `pushed` has what was done
            before; pushing everything once more is safe.
    """
    if not 1 <= batch_size <= MOST_DOCUMENTS:
        raise Invalid(f"A batch has 1 to {MOST_DOCUMENTS} documents.", field="batch_size")
    work = _Push(here, connector, cursor, cursor_before, progress)
    batch: list[_Written] = []
    source = yield Begin(documents)
    place = 0
    try:
        while (document := (yield Take(source))) is not END:
            written = _written(document, place)
            place += 1
            if isinstance(written, DocumentError):
                work.pushed.errors.append(written)
                continue
            # Only now is it sure that a full batch is not the last one, to which a fixed cursor belongs.
            if batch and (len(batch) == batch_size or _size(batch) + written.size > batch_bytes):
                yield from work.send(batch, is_last=False)
                batch = []
            batch.append(written)
            if len(batch) == batch_size and not isinstance(cursor, str):
                yield from work.send(batch, is_last=False)
                batch = []
        if batch:
            yield from work.send(batch, is_last=True)
    except ClientError as error:
        error.pushed = work.pushed
        raise
    return work.pushed


@dataclass(frozen=True, slots=True)
class _Written:
    """A document as it travels."""

    external_id: str
    place: int
    text: bytes
    document: Any

    @property
    def size(self) -> int:
        return len(self.text)


def _size(batch: list[_Written]) -> int:
    return sum(one.size for one in batch)


@dataclass(slots=True)
class _Push:
    """A push under way.

    Attributes:
        here: The client.
        connector: Id of the connector.
        cursor: As it was given.
        guard: What the stored cursor must be at the next batch.
        progress: Who is told of each batch.
        pushed: What it came to so far.
    """

    here: Part
    connector: str
    cursor: CursorOf | None
    guard: str | NotGiven | None
    progress: Listener | None
    pushed: Pushed = field(default_factory=Pushed)

    def send(self, batch: list[_Written], *, is_last: bool) -> Steps[None]:
        """Send a batch, in halves if it is too large for the server, and count what came of it."""
        cursor = self._cursor_of(batch, is_last=is_last)
        try:
            told = yield from self._ask(batch, cursor)
        except TooLarge as error:
            if len(batch) == 1:
                one = batch[0]
                self.pushed.errors.append(DocumentError(one.external_id, error.message, one.place))
                return
            middle = len(batch) // 2
            yield from self.send(batch[:middle], is_last=False)
            yield from self.send(batch[middle:], is_last=is_last)
            return
        self._count(batch, told)
        if cursor is not None:
            self.pushed.cursor = cursor
            if not isinstance(self.guard, NotGiven):
                self.guard = cursor
        if self.progress is not None:
            yield Tell(self.progress, self.pushed)

    def _cursor_of(self, batch: list[_Written], *, is_last: bool) -> str | None:
        if callable(self.cursor):
            return self.cursor(batch[-1].document)
        return self.cursor if is_last else None

    def _ask(self, batch: list[_Written], cursor: str | None) -> Steps[Any]:
        try:
            return (yield from ask(self.here, self._call(batch, cursor)))
        except Conflict as error:
            if error.attempts == 1 or cursor is None or isinstance(self.guard, NotGiven):
                raise
            conflict = error
        # The first attempt may have arrived although its answer did not: then the cursor has moved already.
        if (yield from stored_cursor(self.here, self.connector)) != cursor:
            raise conflict
        self.guard = cursor
        return (yield from ask(self.here, self._call(batch, cursor)))

    def _call(self, batch: list[_Written], cursor: str | None) -> Call:
        envelope: dict[str, Any] = {"connector_id": self.connector}
        if cursor is not None:
            envelope["cursor"] = cursor
        if not isinstance(self.guard, NotGiven):
            envelope["cursor_before"] = self.guard
        head = json.dumps(envelope).encode()[:-1]
        content = head + b', "documents": [' + b",".join(one.text for one in batch) + b"]}"
        return Call("POST", PATH, content=content)

    def _count(self, batch: list[_Written], told: Any) -> None:
        pushed = self.pushed
        pushed.batches += 1
        pushed.indexed += int(told.get("documentsIndexed", 0))
        pushed.skipped += int(told.get("documentsSkipped", 0))
        pushed.transcriptions += int(told.get("transcriptionsQueued", 0))
        places = {one.external_id: one.place for one in batch}
        for one in told.get("errors", ()):
            key = one.get("external_id")
            pushed.errors.append(DocumentError(key, str(one.get("error")), places.get(key)))


def _written(document: Any, place: int) -> _Written | DocumentError:
    """Write a document as JSON; what would spoil its whole batch is its own error instead."""
    if isinstance(document, NewDocument):
        given = {one.name: getattr(document, one.name) for one in fields(document)}
    elif isinstance(document, Mapping):
        given = dict(document)
    else:
        return DocumentError(None, "A document is a mapping or a NewDocument", place)
    key = given.get("external_id")
    if not isinstance(key, str):
        return DocumentError(None, "external_id is required and must be a string", place)
    try:
        text = json.dumps(given, default=_plain, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        return DocumentError(key, "It holds something that JSON cannot say", place)
    return _Written(key, place, text, document)


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError
