"""Text as PostgreSQL's index takes it: words and their places, cut and folded by us.

The server's own parser takes ``relief_gate-2024.pdf`` for a host's name and ``-2024`` for a number, and
what a letter is depends on the locale of the database. So the words are cut here, the way that FTS5
cuts them, and handed over as ``word:place``; the same cut is made in queries. A search finds the same on
both engines, whatever the server was set up with.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import chain, repeat

from catchment.store.index import SearchRequest
from catchment.store.words import QueryPart, searchable, spaced

MOST_LEXEME_CHARACTERS = 500
"""PostgreSQL refuses lexemes of 2,047 bytes; of a longer word its beginning counts."""
MOST_CHARACTERS = 200_000
"""A vector has at most a megabyte; no chunk of ours comes near."""
LAST_PLACE = 16_383
GAP = 8
"""Places between title and text, so that no phrase reaches from one into the other."""

_PLACES = [f":{place}" for place in range(1, LAST_PLACE + 1)]
_TITLE_PLACES = [f":{place}A" for place in range(1, LAST_PLACE + 1)]


class _Folding(dict[int, str]):
    """What becomes of each character: folded where it makes words, a space where it parts them."""

    def __missing__(self, code: int) -> str:
        folded = _folded(chr(code))
        self[code] = folded
        return folded


def _folded(character: str) -> str:
    if "\u0300" <= character <= "\u0331":
        return ""  # an accent that was written apart
    kind = unicodedata.category(character)
    if kind[0] not in "LN" and kind != "Co":
        return " "
    base = unicodedata.normalize("NFD", character)[0]
    return base.lower() if base.isascii() else character.lower()


_FOLDING = _Folding()


def lexemes(text: str) -> list[str]:
    """Cut a text into words, folded, in their order."""
    words = text[:MOST_CHARACTERS].translate(_FOLDING).split()
    if len(max(words, key=len, default="")) > MOST_LEXEME_CHARACTERS:
        return [word[:MOST_LEXEME_CHARACTERS] for word in words]
    return words


def vector(text: str, *, title: str = "", places: str = "", code: bool = False) -> str:
    """Write the search vector of a chunk, as a literal.

    Args:
        text: The chunk as it is kept.
        title: The searched title of its document, for the first chunk.
        places: Lexemes of `place_lexemes`.
        code: Whether the parts of identifiers are words, too.
    """
    words = lexemes(searchable(text, code=code) or text)
    if not title:
        return f"{places} {' '.join(map(str.__add__, words, _places(words, 0)))}"
    named = lexemes(title)
    heading = " ".join(map(str.__add__, named, chain(_TITLE_PLACES, repeat(_TITLE_PLACES[-1]))))
    body = " ".join(map(str.__add__, words, _places(words, len(named) + GAP)))
    return f"{places} {heading} {body}"


def _places(words: Sequence[str], before: int) -> Iterable[str]:
    if before + len(words) <= LAST_PLACE:
        return _PLACES if not before else _PLACES[before:]
    return chain(_PLACES[before:], repeat(_PLACES[-1]))


def place_lexemes(connector_pk: int, collection_pk: int) -> str:
    """Return where a chunk lies as lexemes that no text and no query can contain."""
    return f"=c{connector_pk} =k{collection_pk}"


def word_query(parts: Sequence[QueryPart], operator: str) -> str:
    """Write a query as a literal of PostgreSQL; empty when nothing is left of it.

    Args:
        parts: What was typed.
        operator: ``&`` for all parts, ``|`` for any.
    """
    written = [term for part in parts if (term := _term(part))]
    return f" {operator} ".join(written)


def _term(part: QueryPart) -> str:
    ways = [way for words in (part.words, part.pieces) if (way := _phrase(words, part.prefix))]
    return f"({' | '.join(ways)})" if ways else ""


def _phrase(words: Sequence[str], prefix: bool) -> str:
    # The signs beside the words of a query are gone already; what FTS5 would part is parted here.
    cut = lexemes(spaced(" ".join(words)))
    if not cut:
        return ""
    star = ":*" if prefix else ""
    return "('" + "' <-> '".join(cut) + f"'{star})"


def place_query(request: SearchRequest) -> str:
    """Write the filter on places as a literal; empty where there is none."""
    clauses = []
    for letter, pks in (("c", request.connector_pks), ("k", request.collection_pks)):
        if pks is not None:
            clauses.append(" | ".join(f"'={letter}{pk}'" for pk in pks) or "'=nowhere'")
    return " & ".join(f"({clause})" for clause in clauses)
