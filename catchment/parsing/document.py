"""One body in, one document or one failure out."""

from __future__ import annotations

from pathlib import Path

from catchment.core.documents import ParsedDocument, ParseFailure, ParseRequest
from catchment.parsing import kinds
from catchment.parsing.charset import clean
from catchment.parsing.chunks import chunk_text
from catchment.parsing.headings import one_line
from catchment.parsing.reading import Budget, Reading, Source, TextLimits, Unreadable, too_much_text
from catchment.parsing.registry import read
from catchment.parsing.sniff import kind_of

_WARNINGS = 50
# Formats whose first heading is as good as a title.
_TITLED_BY_HEADING = frozenset(
    {kinds.MARKDOWN, kinds.HTML, kinds.DOCX, kinds.ODT, kinds.NOTEBOOK, kinds.PDF, kinds.RTF}
)


def parse_document(
    request: ParseRequest, settings: TextLimits, *, kind: str | None = None
) -> ParsedDocument | ParseFailure:
    """Turn one body into text, structure and chunks.

    Never raises for what the body contains: broken, encrypted and oversized content is a `ParseFailure`.
    Native libraries can still take the whole process down, or never come back, which is why
    `process.ParserProcess` calls this in a child.

    Args:
        request: The body and what is known of it.
        settings: The text limit and the length of chunks (`ParseSettings` has both).
        kind: What it is, where that is known; else it is looked at.
    """
    try:
        body = _body_of(request)
        if not body:
            return _empty(request)
        kind = kind or kind_of(request.name, body, request.content_type)
        budget = Budget(characters=settings.max_characters)
        reading = read(Source(request.name, body, kind, request.content_type, budget))
        return _finish(request, reading, kind, settings)
    except Unreadable as error:
        return ParseFailure(error.reason, error.message)
    except MemoryError:
        return ParseFailure("out_of_memory", "The file needs more memory than one document may take.")
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of a Rust library is no Exception
        return ParseFailure(
            "broken", f"The file cannot be read as {kind or 'anything'} ({type(error).__name__})."
        )


def _body_of(request: ParseRequest) -> bytes:
    if request.body is not None:
        return request.body
    if request.spool_path is None:
        return b""
    return Path(request.spool_path).read_bytes()


def _empty(request: ParseRequest) -> ParsedDocument:
    kind = kinds.promised_kind(request.name, request.content_type)
    content_type = kinds.content_type_of(kind or kinds.TEXT, kinds.extension(request.name))
    return ParsedDocument("", content_type, notes=["no text: empty file"])


def _finish(request: ParseRequest, reading: Reading, kind: str, settings: TextLimits) -> ParsedDocument:
    text = reading.text
    if len(text) > settings.max_characters:
        raise too_much_text(settings.max_characters)
    headings = reading.found_headings()
    notes = reading.notes
    cleaned = clean(text)
    if len(cleaned) != len(text):
        headings = Reading(cleaned, is_markdown=reading.is_markdown).found_headings()
    text = cleaned
    if not text.strip():
        text, headings = "", []
        notes = notes or ["no text: the file holds none"]
    title = reading.title
    if not title and headings and kind in _TITLED_BY_HEADING:
        title = headings[0].title
    return ParsedDocument(
        text=text,
        content_type=reading.content_type or kinds.content_type_of(kind, kinds.extension(request.name)),
        title=_tidy(title),
        author=_tidy(reading.author),
        chunks=chunk_text(
            text, headings, characters=settings.chunk_characters, is_markdown=reading.is_markdown
        ),
        notes=notes,
        warnings=_capped(reading.warnings),
        metadata={name: clean(value) for name, value in reading.metadata.items()},
    )


def _tidy(words: str | None) -> str | None:
    return one_line(clean(words)) or None if words else None


def _capped(warnings: list[str]) -> list[str]:
    if len(warnings) <= _WARNINGS:
        return [clean(warning) for warning in warnings]
    return [*map(clean, warnings[:_WARNINGS]), f"and {len(warnings) - _WARNINGS} more"]
