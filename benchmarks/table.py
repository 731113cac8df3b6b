"""The table of the rows about PostgreSQL: made from a seed, about 550 bytes a row, one token in each.

Bodies are stretches of one long text that was drawn by Zipf's law: quick to make, and as rich in words as if
each had been drawn by itself.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from benchmarks.words import draw, token

_WORDS_DRAWN = 1_000_000
_BODY_WORDS = (35, 98)
_AUTHORS = 500
_FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
_SCHEMA = """
CREATE TABLE documents (
    id bigint PRIMARY KEY,
    title text NOT NULL,
    body text NOT NULL,
    author text NOT NULL,
    updated_at timestamptz NOT NULL
)
"""


def tokens(rows: int, *, seed: int = 1) -> dict[str, str]:
    """Return the token of every row, by the row's number as text."""
    return {str(number): token(f"table {seed}", str(number)) for number in range(1, rows + 1)}


def fill(url: str, rows: int, *, seed: int = 1) -> dict[str, str]:
    """Make and fill the table `documents` of an empty database, and return the tokens.

    Statistics and visibility are those of a table that has been there for a while.
    """
    import psycopg

    planted = tokens(rows, seed=seed)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SCHEMA)
        with connection.cursor() as cursor, cursor.copy("COPY documents FROM STDIN") as copy:
            for row in _rows(planted, seed):
                copy.write_row(row)
        connection.execute("VACUUM (ANALYZE) documents")
        connection.execute("CHECKPOINT")
    return planted


def _rows(planted: dict[str, str], seed: int) -> Iterator[tuple[object, ...]]:
    rng = random.Random(seed)
    text = draw(rng, min(_WORDS_DRAWN, len(planted) * 50))
    for number, unique in planted.items():
        words = _stretch(rng, text, rng.randint(*_BODY_WORDS))
        words.insert(rng.randrange(len(words)), unique)
        title = " ".join(_stretch(rng, text, 4)).capitalize()
        changed_at = _FIRST_DAY + timedelta(seconds=int(number))
        yield int(number), title, " ".join(words), f"Author {rng.randrange(_AUTHORS)}", changed_at


def _stretch(rng: random.Random, text: list[str], count: int) -> list[str]:
    start = rng.randrange(max(1, len(text) - count))
    return text[start : start + count]
