"""Cuts a text into chunks that stay where they are when a paragraph elsewhere changes.

Sections come first (a heading begins a new chunk), paragraphs and sentences inside them second. What a
section holds beyond 100,000 characters, or a line beyond 4,000, is cut before the splitter sees it: it needs
quadratic time for a stretch without breaks (5 million characters took more than 15 s).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from catchment.core.documents import HEADING_SEPARATOR, Chunk
from catchment.parsing.headings import Heading

if TYPE_CHECKING:
    from semantic_text_splitter import MarkdownSplitter, TextSplitter

_BLOCK = 100_000
# 1.5 s for 100,000 unbroken CJK characters, 0.01 s for 4,000 of them.
_STRETCH = 4_000
_LONG_LINE = re.compile(r"\n[^\n]{4000,}")
_PATH_CHARACTERS = 500


def chunk_text(
    text: str, headings: Sequence[Heading], *, characters: int, is_markdown: bool = True
) -> list[Chunk]:
    """Cut `text` into chunks that cover it without gap or overlap.

    Args:
        text: The whole text of a document.
        headings: Where its sections begin, in ascending order of offset.
        characters: Longest chunk to aim for; white space around a chunk can exceed it.
        is_markdown: Whether to respect lists, tables and code; False is four times faster.

    Returns:
        The chunks in order; none for an empty text.
    """
    chunks: list[Chunk] = []
    for start, end, path in _sections(text, headings, characters // 4):
        if end - start <= characters:
            chunks.append(Chunk(start, end, path))
            continue
        starts = list(_starts(text, start, end, _splitter(characters, is_markdown)))
        chunks.extend(map(Chunk, starts, [*starts[1:], end], [path] * len(starts)))
    return chunks


@cache
def _splitter(characters: int, is_markdown: bool) -> MarkdownSplitter | TextSplitter:
    import semantic_text_splitter

    kind = semantic_text_splitter.MarkdownSplitter if is_markdown else semantic_text_splitter.TextSplitter
    return kind(characters)


def _sections(text: str, headings: Sequence[Heading], least: int) -> Iterator[tuple[int, int, str]]:
    """Stretches between headings; one shorter than `least` is joined to those that follow it."""
    start, path = 0, ""
    stack: list[Heading] = []
    for heading in headings:
        while stack and stack[-1].level >= heading.level:
            stack.pop()
        stack.append(heading)
        # A document that begins with white space before its first heading begins with that heading.
        is_first = start == 0 and heading.offset > 0 and not text[: min(heading.offset, least)].strip()
        if heading.offset == 0 or is_first:
            path = _path(stack)
        elif heading.offset - start >= least:
            yield start, heading.offset, path
            start, path = heading.offset, _path(stack)
    if start < len(text):
        yield start, len(text), path


def _path(stack: list[Heading]) -> str:
    return HEADING_SEPARATOR.join([heading.title for heading in stack])[:_PATH_CHARACTERS]


def _starts(text: str, start: int, end: int, splitter: MarkdownSplitter | TextSplitter) -> Iterator[int]:
    """Where chunks begin; the first is always `start`."""
    for piece_start, piece_end in _pieces(text, start, end):
        found = splitter.chunk_indices(text[piece_start:piece_end])
        yield piece_start
        for offset, _ in found[1:]:
            yield piece_start + offset


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Parts of a section that the splitter can take: no very long lines, no more than a block."""
    if end - start <= _STRETCH:
        yield start, end
        return
    position = start
    first = text.find("\n", start, end)
    first = end if first < 0 else first
    if first - start >= _STRETCH:
        yield from _stretches(text, start, first)
        position = first
    for line in _LONG_LINE.finditer(text, position, end):
        yield from _blocks(text, position, line.start() + 1)
        yield from _stretches(text, line.start() + 1, line.end())
        position = line.end()
    yield from _blocks(text, position, end)


def _stretches(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Parts of one very long line, each ending with a sentence or a word where there is one."""
    while end - start > _STRETCH:
        low, high = start + _STRETCH // 2, start + _STRETCH
        cut = text.rfind(". ", low, high) + 2
        if cut < low:
            cut = text.rfind(" ", low, high) + 1
        cut = cut if cut > low else high
        yield start, cut
        start = cut
    if start < end:
        yield start, end


def _blocks(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > _BLOCK:
        cut = _last_break(text, start + _BLOCK // 2, start + _BLOCK)
        yield start, cut
        start = cut
    if start < end:
        yield start, end


def _last_break(text: str, low: int, high: int) -> int:
    """Behind the last paragraph, or the last line, that ends between two offsets."""
    for mark in ("\n\n", "\n"):
        found = text.rfind(mark, low, high)
        if found >= 0:
            return found + len(mark)
    return high
