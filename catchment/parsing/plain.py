"""Text that somebody else has extracted already: it only has to be cleaned and cut."""

from __future__ import annotations

from catchment.core.documents import ParsedDocument
from catchment.parsing.charset import clean
from catchment.parsing.chunks import chunk_text
from catchment.parsing.headings import find_headings


def plain_document(text: str, *, content_type: str, chunk_characters: int) -> ParsedDocument:
    """Make a document of text that needs no parser; its length must be bounded by the caller.

    Text with Markdown headings is cut at its sections, lists and tables; any other by paragraphs and
    sentences.

    Args:
        text: The whole text.
        content_type: Kept as it is.
        chunk_characters: Longest chunk to aim for.
    """
    cleaned = clean(text)
    headings = find_headings(cleaned)
    return ParsedDocument(
        text=cleaned,
        content_type=content_type,
        chunks=chunk_text(cleaned, headings, characters=chunk_characters, is_markdown=bool(headings)),
    )
