"""What people and programs handed in, read as a source: uploads, pushed texts, recordings.

A run of such a kind asks no vendor. It goes through the same lanes as a sync, so that progress, cancel,
lease and failures are the same; it touches neither scopes nor cursor, and may run beside a sync.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from catchment.core.errors import ItemUnreadable
from catchment.core.items import Content, Found, Item, Scope
from catchment.core.runs import Origin, RunKind
from catchment.kit.config import SourceConfig
from catchment.kit.connector import BrowsePage, Connector, Kind
from catchment.kit.health import Capability
from catchment.kit.media import media_type
from catchment.kit.registry import PUSHED
from catchment.kit.session import Session
from catchment.kit.transcriber import Transcriber, transcriber
from catchment.parsing.plain import plain_document
from catchment.store import items, kept
from catchment.store.blobs import Blobs
from catchment.store.documents import text_of
from catchment.store.engine import reading

if TYPE_CHECKING:
    from catchment.sync.claim import Claimed
    from catchment.sync.run import Surroundings

PAGE = 500


class Kept(Connector[SourceConfig, None]):
    """Reads what the store itself keeps of one connector.

    Attributes:
        origin: Whose items these are; a run of this source touches no others.
    """

    kind: ClassVar[Kind] = Kind.PUSH
    config_model = SourceConfig
    origin: ClassVar[Origin]
    fetches: ClassVar[int] = 1

    def __init__(self, claimed: Claimed, around: Surroundings, session: Session) -> None:
        super().__init__(SourceConfig(), None, session)
        self.connector = claimed.connector
        self.around = around

    def check(self) -> list[Capability]:
        """Nothing outside has to work."""
        return []

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:  # noqa: ARG002
        """Return nothing: there is nothing to choose."""
        return BrowsePage()

    def scopes(self) -> list[Scope]:
        """Return none: what is absent here was deleted by a person."""
        return []

    def pages(self, names: Sequence[str]) -> Iterator[list[str]]:
        """Yield the keys to read: those that are named, else all that are due."""
        if names:
            for start in range(0, len(names), PAGE):
                yield list(names[start : start + PAGE])
            return
        after = ""
        while True:
            with reading(self.around.engine) as connection:
                page = kept.keys_to_read(
                    connection, self.connector.pk, self.origin, now=self._due(), after=after, limit=PAGE
                )
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = page[-1]

    def _due(self) -> float | None:
        return self.around.clock.now()

    @abstractmethod
    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        """Look items up by key."""


class Uploads(Kept):
    """Files that people handed in; their version is the SHA-256 of their bytes."""

    slug: ClassVar[str] = "upload"
    display_name: ClassVar[str] = "Uploads"
    origin: ClassVar[Origin] = Origin.UPLOAD

    @cached_property
    def _blobs(self) -> Blobs:
        return Blobs(self.around.blobs)

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:  # noqa: ARG002
        """Look files up; one that was deleted meanwhile is absent."""
        with reading(self.around.engine) as connection:
            rows = {row.key: row for row in kept.files_called(connection, self.connector.pk, names)}
        for name in names:
            row = rows.get(name)
            if row is None or row.origin != self.origin:
                yield Found(name, None)
                continue
            facts = Item(
                row.key,
                row.path,
                version=row.version,
                size=row.size,
                content_type=media_type(row.path),
                modified_at=row.modified_at,
            )
            yield Found(name, facts)

    def fetch(self, item: Item) -> Content:
        """Open a file.

        Raises:
            ItemUnreadable: It is not where uploads are kept on this machine.
        """
        try:
            return Content(self._blobs.open(item.version or ""), item.content_type)
        except FileNotFoundError as error:
            raise ItemUnreadable(
                item.key,
                "not_kept",
                "The file is not kept on this machine any more; upload it again.",
            ) from error


class PushedTexts(Kept):
    """Documents that were pushed, cut and indexed anew from the texts that are kept of them."""

    slug: ClassVar[str] = "pushed"
    display_name: ClassVar[str] = "Pushed documents"
    origin: ClassVar[Origin] = Origin.PUSH

    def _due(self) -> float | None:
        return None

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:  # noqa: ARG002
        """Look documents up with everything that was sent of them but the text."""
        with reading(self.around.engine) as connection:
            rows = {row.key: row for row in kept.stored(connection, self.connector.pk, names)}
        for name in names:
            row = rows.get(name)
            if row is None:
                yield Found(name, None)
                continue
            facts = Item(
                row.key,
                row.key,
                size=row.size,
                content_type=row.content_type,
                modified_at=row.modified_at,
                created_at=row.created_at,
                title=row.title,
                url=row.url,
                author=row.author,
                tags=tuple(row.tags),
                metadata=row.metadata,
            )
            yield Found(name, facts)

    def fetch(self, item: Item) -> Content:
        """Return the text of a document, cut into chunks.

        Raises:
            ItemUnreadable: It was deleted meanwhile.
        """
        with reading(self.around.engine) as connection:
            known = items.lookup(connection, self.connector.pk, [item.key]).get(item.key)
            if known is None or not known.has_document:
                raise ItemUnreadable(item.key, "gone")
            text = "".join(text_of(connection, known.pk))
        return self._document(item, text)

    def _document(self, item: Item, text: str) -> Content:
        document = plain_document(
            text,
            content_type=item.content_type or "text",
            chunk_characters=self.around.parse.chunk_characters,
        )
        return Content(b"", document=document, item=item)


class Recordings(PushedTexts):
    """Recordings that were pushed by their address: fetched, transcribed, and indexed."""

    slug: ClassVar[str] = "recordings"
    display_name: ClassVar[str] = "Recordings"
    fetches: ClassVar[int] = 2

    def _due(self) -> float | None:
        return self.around.clock.now()

    @cached_property
    def _transcriber(self) -> Transcriber:
        return transcriber(self.session)

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        """Look up what waits for its text; a document that has one already is left alone."""
        for found in super().find(scopes, names):
            if found.item is not None and "audio_url" in found.item.metadata:
                yield found

    def fetch(self, item: Item) -> Content:
        """Have a recording transcribed.

        Raises:
            ItemUnreadable: It cannot be fetched, or holds no speech.
            SourceError: The transcriber cannot be reached.
        """
        text = self._transcriber.transcribe(item.metadata["audio_url"], key=item.key)
        if len(text) > self.around.parse.max_characters:
            raise ItemUnreadable(item.key, "too_much_text", "The transcript is longer than a text may be.")
        if not text.strip():
            raise ItemUnreadable(item.key, "no_speech", "The recording holds no speech.")
        return self._document(item, text)


def kept_source(claimed: Claimed, around: Surroundings, session: Session) -> Kept | None:
    """Return what a run reads that asks no vendor; None for a run that does."""
    kind = RunKind(claimed.run.kind)
    if kind is RunKind.UPLOAD:
        return Uploads(claimed, around, session)
    if kind is RunKind.TRANSCRIBE:
        return Recordings(claimed, around, session)
    if kind is RunKind.SYNC and claimed.connector.execution == PUSHED:
        return PushedTexts(claimed, around, session)
    return None
