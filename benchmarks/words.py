"""Words for made-up documents: a fixed vocabulary drawn by Zipf's law, and unique tokens.

Real text repeats few words very often and most words hardly ever; an index feels the difference,
so words are drawn with a probability of 1 / rank.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from functools import lru_cache

VOCABULARY_SIZE = 50_000
TOKEN = re.compile(r"tok[0-9a-f]{16}")

_ONSETS: tuple[str, ...] = (*"bcdfghjklmnprstvwz", "br", "ch", "dr", "gr", "pr", "qu", "st", "tr")
_VOWELS: tuple[str, ...] = (*"aeiou", "ai", "ea", "ou")
_CODAS: tuple[str, ...] = ("", "", "", "n", "r", "s", "l", "t", "m", "nd")
_ACCENTS = str.maketrans("aeou", "áéöü")


def token(series: str, name: str) -> str:
    """Return a word that occurs nowhere else: `tok` and 16 hexadecimal digits, fixed by its arguments."""
    return "tok" + hashlib.sha256(f"{series}/{name}".encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Return 50,000 distinct words, the most frequent first: short ones, as in every language.

    One rare word in thirty carries an accent, so that most documents are not plain ASCII.
    """
    rng = random.Random(20_240_101)
    words: dict[str, None] = {}
    while len(words) < VOCABULARY_SIZE:
        word = "".join(_syllable(rng) for _ in range(_syllables(rng, rank=len(words))))
        if len(words) > 1_000 and rng.random() < 1 / 30:
            word = word.translate(_ACCENTS)
        words[word] = None
    return tuple(words)


def _syllables(rng: random.Random, *, rank: int) -> int:
    if rank < 60:
        return 1
    return rng.choice((1, 2, 2)) if rank < 2_000 else rng.choice((2, 3, 3, 4))


def _syllable(rng: random.Random) -> str:
    return rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS)


@lru_cache(maxsize=1)
def _weights() -> list[float]:
    return list(itertools.accumulate(1 / rank for rank in range(1, VOCABULARY_SIZE + 1)))


def draw(rng: random.Random, count: int) -> list[str]:
    """Draw words by Zipf's law."""
    return rng.choices(vocabulary(), cum_weights=_weights(), k=count)


def sentences(rng: random.Random, characters: int) -> str:
    """Return one paragraph of about so many characters, with capitals and full stops."""
    words = draw(rng, max(4, characters // 6))
    at = 0
    while at < len(words):
        end = min(at + rng.randint(6, 18), len(words))
        words[at] = words[at].capitalize()
        words[end - 1] += "."
        at = end
    return " ".join(words)


def title(rng: random.Random) -> str:
    """Return a heading of two to five words."""
    return " ".join(draw(rng, rng.randint(2, 5))).capitalize()


def with_token(paragraph: str, unique: str, rng: random.Random) -> str:
    """Put a token between two words of a paragraph, at a place drawn by chance."""
    words = paragraph.split(" ")
    words.insert(rng.randint(1, len(words) - 1), unique)
    return " ".join(words)
