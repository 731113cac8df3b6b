"""How text and queries become words: for scripts without spaces, and for identifiers in code.

The tokenizer of the index takes a run of Chinese, Japanese or Thai as one word. With a space around
every such character, and a query treated alike and sent as a phrase, any part of a run is found. It
also takes signs that are younger than its tables (Unicode 6.1) for letters, and vowel points for the
ends of words; here the first become spaces, and the second go.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

# Scripts that write words without spaces between them: Thai, Lao, Myanmar, Khmer; kana, CJK
# ideographs with extensions and compatibility forms, Hangul; half-width kana.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff"
    "\u3100-\u312f\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff"
)
_UNSPACED_CHARACTER = re.compile(f"([{_UNSPACED}][\u0300-\u036f\u3099\u309a]*)")
# Points that readers leave out: Hebrew and Arabic vowels, the Arabic stretching line; and signs that
# nobody sees inside a word: soft hyphen, word joiner, byte order mark.
_UNSEEN = (
    "\u00ad\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u2060\ufeff"
)
# Younger than Unicode 6.1 and no letters: currencies, isolates, technical signs, emoji. Without this
# the index knows no "job" in "Good job\U0001f923".
_GLUED = (
    "\u058d\u058e\u0605\u061c\u061d\u07fe\u07ff\u0888\u0890\u0891\u08e2\u09fd\u0a76\u0c77\u0c84\u0d4f"
    "\u1b7d\u1b7e\u2065-\u2069\u20ba-\u20cf\u218a\u218b\u23f4-\u23ff\u2427-\u243f\u2700\u2b4d-\u2bff"
    "\u2e3c-\u2e7f\u32ff\ua8fc\uab5b\uab6a\uab6b\ufbc2\ufd40-\ufd4f\ufdcf\ufdfe\ufdff"
    "\U0001cf50-\U0001cfc3\U0001d1de-\U0001d1ea\U0001d800-\U0001d9ff"
    "\U0001f000-\U0001f0ff\U0001f10d-\U0001fbef"
)
# The index folds accents of the Latin script only. Greek capitals carry none, and Russian writes
# its IO mostly as IE; a last sigma is a sigma.
_FOLDED = {"\u03c2": "\u03c3", "\u0451": "\u0435", "\u0401": "\u0415"} | {
    character: unicodedata.normalize("NFD", character)[0]
    for character in map(chr, (*range(0x386, 0x3CF), *range(0x1F00, 0x2000)))
    if re.fullmatch("[\u0391-\u03c9][\u0300-\u036f]+", unicodedata.normalize("NFD", character))
}
# Letters since Unicode 8 (vowels and tones of New Tai Lue, a sign of the Vedas). The index knows them as
# marks, and a mark alone is no word of it; letters for private use stand in for them, in text and query.
_FOLDED |= {
    chr(code): chr(0xE000 | code & 0xFFF) for code in (*range(0x19B0, 0x19C1), 0x19C8, 0x19C9, 0x1CF2, 0x1CF3)
}
_FOLDABLE = re.compile(f"[{''.join(_FOLDED)}]")
# Latin text with its punctuation, which is most text, needs nothing of the above; looking at it so takes
# a third of the time that a substitution without a match does.
_ORDINARY = re.compile("[\0-\u00ac\u00ae-\u036f\u1e00-\u1eff\u2000-\u205f]*+")
_UNSEEN_SIGNS = re.compile(f"[{_UNSEEN}]+")
_GLUED_SIGNS = re.compile(f"[{_GLUED}]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_IDENTIFIER = re.compile(
    r"\b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\b|\b[a-z]+[A-Z][A-Za-z0-9]*\b|\b(?:[A-Z][a-z0-9]+){2,}\b"
    r"|\b[A-Z]{2,}[a-z][A-Za-z0-9]*\b"
)
_QUERY_PART = re.compile(r'"([^"]*)"?|(\S+)')
_WORDS = re.compile(r"\w+")
MAX_QUERY_PARTS = 32
MAX_QUERY_CHARACTERS = 1000


def spaced(text: str) -> str:
    """Put spaces around the characters of scripts that are written without them.

    Signs that the index would take for letters become spaces, points inside words go, and accents
    that it would not fold are folded.
    """
    if text.isascii() or _ORDINARY.fullmatch(text):
        return text
    text = _GLUED_SIGNS.sub(" ", _UNSEEN_SIGNS.sub("", text))
    text = _FOLDABLE.sub(lambda match: _FOLDED[match[0]], text)
    return _UNSPACED_CHARACTER.sub(r" \1 ", text)


def is_unspaced(character: str) -> bool:
    """Tell whether the character belongs to a script that is written without spaces."""
    return _UNSPACED_CHARACTER.match(character) is not None


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
    return _parts_of(dict.fromkeys(_IDENTIFIER.findall(text)))


def _parts_of(identifiers: Iterable[str]) -> list[str]:
    return [part for name in identifiers for part in _CAMEL.sub("_", name).split("_") if part]


def path_words(path: str) -> str:
    """Return the words of a path, and the parts of its identifiers, so that a file is found by its name."""
    folder, _, name = path.rpartition("/")
    words, identifiers = _folder_words(folder)
    if name.isalnum() and name.isascii() and name == name.lower():
        words = (*words, name)  # one word, and no capital or underscore parts it
    else:
        own, own_identifiers = _words_of(name)
        words, identifiers = (*words, *own), (*identifiers, *own_identifiers)
    parts = _parts_of(dict.fromkeys(identifiers)) if identifiers else ()
    return spaced(" ".join((*words, *parts)))


def _words_of(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words of a part of a path, and which of them are identifiers."""
    words = tuple(_WORDS.findall(name.replace("_", " ")))
    return words, tuple(_IDENTIFIER.findall(" ".join(words)))


# The files of a folder mostly come one after the other.
_folder_words = lru_cache(maxsize=256)(_words_of)


@dataclass(frozen=True, slots=True)
class QueryPart:
    """One word or phrase of a query.

    Attributes:
        words: As the index knows words; more than one are a phrase.
        prefix: It ended in an asterisk.
        pieces: The words inside an identifier (``userName``), a phrase that is as good; mostly empty.
    """

    words: tuple[str, ...]
    prefix: bool = False
    pieces: tuple[str, ...] = ()


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
            pieces = tuple(_tokens(spaced(_CAMEL.sub(" ", word))))
            parts.append(
                QueryPart(
                    words,
                    prefix=word.endswith("*"),
                    pieces=pieces if word and pieces != words else (),
                )
            )
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
