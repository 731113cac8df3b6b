"""The stretch of a text around what was found, with the offsets of the found words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from catchment.store.words import QueryPart

WIDTH = 240
MAX_HIGHLIGHTS = 50
_SPACE = re.compile(r"\s+")


def _fold(text: str) -> str:
    """Fold case and diacritics as the index does, keeping one character for each."""
    if text.isascii():
        return text.lower()
    folded = []
    for character in text:
        base = unicodedata.normalize("NFD", character)[0].lower()
        folded.append(base if len(base) == 1 else character)
    return "".join(folded)


def _pattern(parts: Sequence[QueryPart]) -> re.Pattern[str] | None:
    choices = []
    for part in sorted(parts, key=lambda part: -len("".join(part.words))):
        words = [re.escape(_fold(word)) for word in part.words]
        # Between the words of a phrase lies anything that is no word; between characters of an
        # unspaced script lies nothing.
        body = r"[\W_]*".join(words)
        choices.append(body if part.prefix else body + r"(?!\w)" if body.isascii() else body)
    if not choices:
        return None
    return re.compile("|".join(rf"(?<!\w){c}" if c.isascii() else c for c in choices))


def snippet(text: str, parts: Sequence[QueryPart], width: int = WIDTH) -> tuple[str, list[tuple[int, int]]]:
    """Return about `width` characters around the first match, white space folded, and highlights.

    Without a match (the words stood in the title) the beginning of the text is returned.
    """
    text = _SPACE.sub(" ", text).strip()
    pattern = _pattern(parts)
    folded = _fold(text)
    first = pattern.search(folded) if pattern else None
    start = max(0, first.start() - width // 3) if first else 0
    if start:
        space = text.find(" ", start, start + 30)
        start = space + 1 if space >= 0 else start
    end = min(len(text), start + width)
    if end < len(text):
        space = text.rfind(" ", end - 30, end)
        end = space if space > start else end
    lead, tail = ("… " if start else ""), (" …" if end < len(text) else "")
    highlights: list[tuple[int, int]] = []
    if pattern:
        for match in pattern.finditer(folded, start, end):
            if match.end() > match.start() and len(highlights) < MAX_HIGHLIGHTS:
                highlights.append((match.start() - start + len(lead), match.end() - start + len(lead)))
    return f"{lead}{text[start:end]}{tail}", highlights
