"""What a connector says about its source: items, content and changes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import BinaryIO

from msgspec import Struct, field

from catchment.core.discreet import Discreet
from catchment.core.documents import ParsedDocument

UPLOAD_PREFIX = "upload:"
"""Keys of what people uploaded begin so; no key of a source does (`catchment.sync.cleaning`)."""


class Item(Discreet, Struct):
    """One thing at the source that can become one document.

    Attributes:
        key: The source's own identity, stable over renames where the source has such a thing.
        path: Where a person finds it, with ``/`` between the parts; filters match on it.
        version: A mark that changes whenever the content does (etag, revision, mtime with size);
            compared only for equality. None where the source has none.
        size: Bytes, if the source tells.
        content_type: Media type as the source declares it; parsing does not trust it blindly.
        modified_at: POSIX seconds, UTC.
        created_at: POSIX seconds, UTC.
        title: What the source calls it; otherwise the parser's title or the last part of the path.
        url: Where a person opens it.
        author: Who wrote it, as the source names them.
        tags: Labels that the source carries.
        move_hint: A mark that survives a move inside one listing (inode, size and mtime); two
            items of one complete listing with equal hints are the same thing moved.
        refusal: Why the source will not hand out the content (``storage_class: GLACIER``); a
            refused item is recorded as skipped and never fetched.
        metadata: Small facts that go with the document.
        content: The body, where a listing brought it along (`Connector.listing_with_content`); else None,
            and it is fetched.
    """

    unseen = frozenset({"content"})

    key: str
    path: str
    version: str | None = None
    size: int | None = None
    content_type: str | None = None
    modified_at: float | None = None
    created_at: float | None = None
    title: str | None = None
    url: str | None = None
    author: str | None = None
    tags: tuple[str, ...] = ()
    move_hint: str | None = None
    refusal: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    content: Content | None = None


class Content(Struct):
    """The body of one item: bytes, or a stream that the caller reads once and closes.

    Attributes:
        body: Bytes for small things; a binary stream for anything that may be large.
        content_type: Media type, if fetching told more than listing.
        item: The item again with fresher facts (a version read together with the body), or None.
        document: The text, where it needs no parser: then the body is empty. For sources of our own.
    """

    body: bytes | BinaryIO
    content_type: str | None = None
    item: Item | None = None
    document: ParsedDocument | None = None

    @classmethod
    def text(cls, text: str, content_type: str = "text/markdown; charset=utf-8") -> Content:
        """Wrap text that the connector itself has put together."""
        return cls(text.encode("utf-8", "surrogatepass"), content_type)

    def stream(self) -> BinaryIO:
        """Return the body as a stream, whatever it was."""
        return io.BytesIO(self.body) if isinstance(self.body, bytes) else self.body


class Scope(Struct, frozen=True):
    """A unit of the source that can be listed completely by itself.

    Attributes:
        key: Stable identity within the connector (bucket and prefix, drive id, repository and branch).
        name: What a person calls it.
    """

    key: str
    name: str


class Changed(Struct):
    """The feed reports that this item is new or different."""

    item: Item


class Deleted(Struct):
    """The feed reports that the item with this key is gone."""

    key: str


class Checkpoint(Struct):
    """Everything yielded so far lies before `position`; a run may go on from there.

    In a listing the position is opaque to all but the connector and good only while that listing
    lasts; in a change feed it is a cursor that the next run can begin at.
    """

    position: str


class Complete(Struct):
    """The scope was read to its end.

    Attributes:
        mark: Where the next run's `changes` begins. In a listing it was taken *before* the listing
            began, so that what changed meanwhile is seen again.
    """

    mark: str | None = None


class Found(Struct):
    """The answer for one named entry: the item, or None when the source no longer has it.

    Attributes:
        name: The entry as it was asked for.
        item: What the source says.
        scope: Key of the scope that it lies in, where that is known.
        unknown: Why the source can tell nothing of it, such as a feed that shows only the newest entries;
            `item` is None then and proves no absence. Empty where it can tell.
    """

    name: str
    item: Item | None
    scope: str | None = None
    unknown: str = ""
