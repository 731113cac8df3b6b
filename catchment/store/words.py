"""How text and queries become words: for scripts without spaces, and for identifiers in code.

What the tokenizer of the index does not take as readers do stands in `catchment.store.scripts`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct

# Latin text with its punctuation, which is most text, needs nothing of all that; looking at it so takes
# a third of the time that a substitution without a match does.
_ORDINARY = re.compile("[\0-\u00ac\u00ae-\u036f\u1e00-\u1eff\u2000-\u205f]*+")
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
    from catchment.store.scripts import respaced  # its tables take longer to make than most need them

    return respaced(text)


def is_unspaced(character: str) -> bool:
    """Tell whether the character belongs to a script that is written without spaces."""
    if character.isascii():
        return False
    from catchment.store.scripts import stands_alone

    return stands_alone(character)


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


class QueryPart(Struct, frozen=True):
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
