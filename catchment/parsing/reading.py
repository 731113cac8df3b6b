"""What a reader of one format gets and gives, and the pot in which containers collect their parts."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct, field

from catchment.parsing.charset import clean
from catchment.parsing.headings import Heading, find_headings, one_line

MIB = 1024 * 1024


class Unreadable(Exception):
    """The body cannot become a document; `reason` is a code of `ParseFailure`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class TextLimits(Protocol):
    """The part of `ParseSettings` that readers look at."""

    @property
    def max_characters(self) -> int:
        """Longest text of one document."""

    @property
    def chunk_characters(self) -> int:
        """Aim for the length of a chunk."""


class Budget(Struct):
    """What all containers inside one document may unfold together, however they are nested.

    Attributes:
        unpacked_bytes: Bytes that may still be decompressed.
        members: Members that may still be read.
        characters: Longest text of the document.
    """

    unpacked_bytes: int = 256 * MIB
    members: int = 2_000
    characters: int = 10_000_000

    def unpack(self, count: int) -> None:
        """Account for decompressed bytes. Raises Unreadable with the reason ``bomb``."""
        self.unpacked_bytes -= count
        if self.unpacked_bytes < 0:
            raise Unreadable("bomb", "The file unfolds into more data than is reasonable.")


class Source(Struct):
    """A body on its way to its reader.

    Attributes:
        name: File name or path.
        body: The bytes.
        kind: One of `catchment.parsing.kinds`.
        content_type: What the source or the container declares.
        budget: Shared by the document and everything inside it.
        depth: 0 for the document itself, 1 for a member of it, and so on.
    """

    name: str
    body: bytes
    kind: str
    content_type: str | None = None
    budget: Budget = field(default_factory=Budget)
    depth: int = 0


class Reading(Struct):
    """What a reader found.

    Attributes:
        text: The text.
        is_markdown: Whether headings, lists and code in the text are written in Markdown.
        headings: Where sections begin, or None to look for Markdown headings in the text.
        title: The format's own title.
        author: The format's own author.
        content_type: What the bytes are, where the reader knows better than the file name.
        notes: See `ParsedDocument`.
        warnings: See `ParsedDocument`.
        metadata: See `ParsedDocument`.
    """

    text: str
    is_markdown: bool = False
    headings: list[Heading] | None = None
    title: str | None = None
    author: str | None = None
    content_type: str | None = None
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)

    def found_headings(self) -> list[Heading]:
        """The headings, looked for in the text where the reader did not state them."""
        if self.headings is None:
            self.headings = find_headings(self.text) if self.is_markdown else []
        return self.headings


class Sections:
    """Collects headings and paragraphs into one text and remembers where the headings stand.

    A heading is remembered rather than found again, so that a paragraph which happens to begin with ``#``
    (a comment in a script, a line of a PDF) never becomes one.
    """

    def __init__(self, budget: Budget) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._limit = budget.characters
        self.headings: list[Heading] = []

    def heading(self, level: int, title: str) -> None:
        """Begin a section; a title without words is ignored."""
        title = one_line(title)
        if title:
            offset = self._append("#" * min(max(level, 1), 6) + " " + title)
            self.headings.append(Heading(offset, level, title))

    def paragraph(self, text: str) -> None:
        """Add text as it is; white space around it is dropped."""
        text = text.strip()
        if text:
            self._append(text)

    def include(self, reading: Reading, *, below: int) -> None:
        """Add a whole reading, its headings moved `below` levels down."""
        if not reading.text.strip():
            return
        headings = reading.found_headings()
        offset = self._append(reading.text.rstrip())
        for heading in headings:
            self.headings.append(Heading(offset + heading.offset, heading.level + below, heading.title))

    def text(self) -> str:
        """Everything so far, parts separated by an empty line."""
        return "\n\n".join(self._parts)

    def reading(self, *, title: str | None = None, author: str | None = None) -> Reading:
        """Close the pot."""
        return Reading(self.text(), is_markdown=True, headings=self.headings, title=title, author=author)

    def _append(self, text: str) -> int:
        text = clean(text)
        offset = self._size + 2 if self._parts else 0
        self._parts.append(text)
        self._size = offset + len(text)
        if self._size > self._limit:
            raise too_much_text(self._limit)
        return offset


def too_much_text(limit: int) -> Unreadable:
    """The error for a text beyond the limit."""
    return Unreadable("too_much_text", f"The text is longer than {limit:,} characters.")


def table_row(cells: list[str]) -> str:
    """One row of a Markdown table; line breaks and bars inside cells are softened."""
    return "| " + " | ".join([" ".join(cell.replace("|", "/").split()) for cell in cells]) + " |"
