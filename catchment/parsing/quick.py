"""Small plain texts, parsed where they are: there is nothing in them that could harm a process."""

from __future__ import annotations

from catchment.core.documents import ParsedDocument, ParseFailure, ParseRequest
from catchment.parsing import kinds
from catchment.parsing.charset import looks_like_text
from catchment.parsing.document import parse_document
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
    if named not in _PLAIN or b"\0" in body or b"\x1b" in body or not looks_like_text(body):
        return None
    try:
        body.decode()
    except UnicodeDecodeError:
        return None
    return parse_document(request, settings, kind=named)
