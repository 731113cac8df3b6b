"""Small plain texts, parsed where they are: there is nothing in them that could harm a process."""

from __future__ import annotations

from catchment.core.documents import Chunk, ParsedDocument, ParseFailure, ParseRequest
from catchment.parsing import kinds
from catchment.parsing.charset import has_mark, is_clean_text, looks_like_text
from catchment.parsing.document import parse_document
from catchment.parsing.headings import may_have_structure
from catchment.parsing.reading import TextLimits
from catchment.parsing.sniff import NOT_TEXT

_PLAIN = frozenset({kinds.TEXT, kinds.MARKDOWN})


def parse_quickly(request: ParseRequest, settings: TextLimits) -> ParsedDocument | ParseFailure | None:
    """Parse a small plain text in this process, or return None where it needs one that can be killed.

    The result is that of `parse_document`. It is plain in name and content, in UTF-8, and no longer than one
    chunk: so no format is unpacked, no character set guessed, and no native library asked.
    """
    body = request.body
    if not body or len(body) > settings.chunk_characters or body.startswith(NOT_TEXT):
        return None
    named = kinds.promised_kind(request.name, request.content_type)
    if named not in _PLAIN:
        return None
    is_clean = is_clean_text(body)
    if not is_clean and (b"\0" in body or b"\x1b" in body or not looks_like_text(body)):
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if is_clean and not has_mark(body):
        parsed = _parse_bare(text, named, request, settings)
        if parsed is not None:
            return parsed
    return parse_document(request, settings, kind=named)


def _parse_bare(text: str, kind: str, request: ParseRequest, settings: TextLimits) -> ParsedDocument | None:
    """Make a document of words alone, which is all that most rows of tables are; None where there is more."""
    if (
        "\r" in text
        or not text.strip()
        or len(text) > settings.max_characters
        or (kind == kinds.MARKDOWN and may_have_structure(text))
    ):
        return None
    content_type = kinds.content_type_of(kind, kinds.extension(request.name))
    return ParsedDocument(text, content_type, chunks=[Chunk(0, len(text), "")])
