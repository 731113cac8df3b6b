"""How text and queries become words: for scripts without spaces, and for identifiers in code.

The tokenizer of the index takes a run of Chinese, Japanese or Thai as one word. With a space around
every such character, and a query treated alike and sent as a phrase, any part of a run is found.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# Scripts that write words without spaces between them: Thai, Lao, Myanmar, Khmer; kana, CJK
# ideographs with extensions and compatibility forms, Hangul; half-width kana.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff"
    "\u3100-\u312f\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff"
)
_UNSPACED_CHARACTER = re.compile(f"([{_UNSPACED}][\u0300-\u036f\u3099\u309a]*)")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_IDENTIFIER = re.compile(
    r"\b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\b|\b[a-z]+[A-Z][A-Za-z0-9]*\b|\b(?:[A-Z][a-z0-9]+){2,}\b"
)
_QUERY_PART = re.compile(r'"([^"]*)"?|(\S+)')
_WORDS = re.compile(r"\w+")
MAX_QUERY_PARTS = 32
MAX_QUERY_CHARACTERS = 1000


def spaced(text: str) -> str:
    """Put spaces around the characters of scripts that are written without them."""
    if text.isascii():
        return text
    return _UNSPACED_CHARACTER.sub(r" \1 ", text)


def searchable(text: str, *, code: bool = False) -> str | None:
    """Return what is to be searched in place of the text, or None when it is the text itself.

    Args:
        text: A chunk.
        code: Whether the parts of identifiers (``getUserName``, ``max_bytes``) are words too.
    """
    result = spaced(text)
    if code:
        parts = identifier_parts(text)
        if parts:
            result = f"{result}\n{' '.join(parts)}"
    return None if result == text else result


def identifier_parts(text: str) -> list[str]:
    """Return the words inside the identifiers of a text, each identifier once."""
    seen = dict.fromkeys(_IDENTIFIER.findall(text))
    return [part for name in seen for part in _CAMEL.sub("_", name).split("_") if part]


def path_words(path: str) -> str:
    """Return the words of a path, so that a file is found by its name."""
    return spaced(" ".join(_WORDS.findall(path.replace("_", " "))))


@dataclass(frozen=True, slots=True)
class QueryPart:
    """One word or phrase of a query; `prefix` when it ended in an asterisk."""

    words: tuple[str, ...]
    prefix: bool = False


def query_parts(query: str) -> list[QueryPart]:
    """Split a query into words and quoted phrases, each as the index knows words.

    A run of Chinese becomes a phrase of its characters. At most 1,000 characters and 32 parts are
    taken; the rest of a longer query is left out.
    """
    parts = []
    for phrase, word in _QUERY_PART.findall(query[:MAX_QUERY_CHARACTERS]):
        raw = phrase or word
        words = tuple(_tokens(spaced(raw)))
        if words:
            parts.append(QueryPart(words, prefix=bool(word) and word.endswith("*")))
    return parts[:MAX_QUERY_PARTS]


def _tokens(text: str) -> list[str]:
    # The index folds case and diacritics by itself; here words only have to be told apart the
    # way unicode61 does: letters, numbers and private use make words, marks belong to them.
    words: list[str] = []
    current: list[str] = []
    for character in text:
        kind = unicodedata.category(character)
        if kind[0] in "LN" or kind == "Co" or (kind[0] == "M" and current):
            current.append(character)
        elif current:
            words.append("".join(current))
            current = []
    if current:
        words.append("".join(current))
    return words
