"""The stretch of a text around what was found, with the offsets of the found words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from catchment.store.words import QueryPart, is_unspaced

WIDTH = 240
MAX_HIGHLIGHTS = 50
_SPACE = re.compile(r"\s+")
_UNSEEN = re.compile("[\u00ad\u2060\ufeff]")


def _fold(text: str) -> str:
    """Fold case and diacritics as the index does, keeping one character for each."""
    if text.isascii():
        return text.lower()
    folded = []
    for character in text:
        parts = unicodedata.normalize("NFD", character)
        base = parts[0]
        # The index drops accents only; a Hangul syllable or a voiced kana is not its first part.
        if all("\u0300" <= mark <= "\u036f" for mark in parts[1:]):
            base = base.lower()
            folded.append(base if len(base) == 1 else character)
        else:
            folded.append(character)
    return "".join(folded).replace("\u03c2", "\u03c3")


def _pattern(parts: Sequence[QueryPart]) -> re.Pattern[str] | None:
    phrases = [(words, part.prefix) for part in parts for words in (part.words, part.pieces) if words]
    phrases.sort(key=lambda phrase: -len("".join(phrase[0])))
    return re.compile("|".join(_phrase_pattern(*phrase) for phrase in phrases)) if phrases else None


def _phrase_pattern(words: Sequence[str], prefix: bool) -> str:
    # Between the words of a phrase lies anything that is no word; between characters of an unspaced
    # script lies nothing. The gap must not run over the next word: else a text of one sign repeated,
    # which is no word to the pattern, takes time without end.
    body = ""
    for word in words:
        folded = re.escape(_fold(word))
        body += rf"(?:(?!{folded})[\W_])*{folded}" if body else folded
    before = "" if is_unspaced(words[0][0]) else r"(?<![^\W_])"
    after = "" if prefix or is_unspaced(words[-1][-1]) else r"(?![^\W_])"
    return f"{before}{body}{after}"


def snippet(text: str, parts: Sequence[QueryPart], width: int = WIDTH) -> tuple[str, list[tuple[int, int]]]:
    """Return about `width` characters around the first match, white space folded, and highlights.

    Without a match (the words stood in the title) the beginning of the text is returned.
    """
    text = _SPACE.sub(" ", _UNSEEN.sub("", text)).strip()
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
