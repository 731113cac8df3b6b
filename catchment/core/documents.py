"""What parsing makes of a body: text, structure and chunks."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct, field

HEADING_SEPARATOR = " > "


class Chunk(NamedTuple):
    """A stretch of a document's text that is found as one search hit.

    The chunks of a document follow each other without gap or overlap: the first starts at 0, each
    starts where the one before ends, and the last ends at the length of the text. So the text is
    kept once, as its chunks.

    Attributes:
        start: Offset of the first character in the document's text.
        end: Offset behind the last character.
        heading_path: Headings above the start, outermost first, joined by ``" > "``.
    """

    start: int
    end: int
    heading_path: str


class ParsedDocument(Struct):
    """One document, ready to be indexed.

    Attributes:
        text: The whole text; headings as Markdown ``#`` lines where the format has headings.
        content_type: What the bytes turned out to be.
        title: The title that the format carries, if any.
        author: The author that the format carries, if any.
        chunks: See `Chunk`; empty exactly when the text is empty.
        notes: Why something a person would expect is absent (``no text: scanned``).
        warnings: Parts that could not be read while the rest could (a bad archive member).
        metadata: Small facts worth showing (pages, sheets, width and height).
    """

    text: str
    content_type: str
    title: str | None = None
    author: str | None = None
    chunks: list[Chunk] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


class ParseFailure(Struct):
    """The body could not become a document.

    Attributes:
        reason: A short code: encrypted, broken, timed_out, crashed, out_of_memory, bomb,
            too_much_text, empty_archive.
        message: One sentence for a person, without any of the content.
    """

    reason: str
    message: str


class ParseRequest(Struct):
    """A body to parse.

    Attributes:
        name: File name or path; its ending helps to tell the format.
        content_type: What the source declares, if anything.
        body: The bytes, or None when they lie in `spool_path`.
        spool_path: A file that holds the bytes.
    """

    name: str
    content_type: str | None = None
    body: bytes | None = None
    spool_path: str | None = None
