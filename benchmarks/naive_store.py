"""The quickest load of a folder into PostgreSQL that a script can do: the yardstick of the rows of the store.

Walk, read, parse and cut as the script for folders does; COPY the chunks, make the words of all of them in
one statement, and build the index last. It can load an empty database only, and only once.

    python -m benchmarks.naive_store FOLDER URL
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.naive import chunked, read_text, walk

if TYPE_CHECKING:
    from psycopg import Connection

_FIND = "SELECT path FROM chunks WHERE words @@ to_tsquery('simple', %s)"


def sync(source: Path, url: str) -> dict[str, int]:
    """Load the folder into the empty database and return what was done."""
    import psycopg

    counters = {"collected": 0, "indexed": 0}

    def chunks() -> Iterator[tuple[str, str]]:
        for path, file, _ in walk(source):
            counters["collected"] += 1
            for chunk in chunked(read_text(file)):
                yield path, chunk
            counters["indexed"] += 1

    with psycopg.connect(url) as connection:
        load(connection, chunks())
    return counters


def load(connection: Connection, chunks: Iterable[tuple[str, str]]) -> None:
    """Load pairs of path and text, and index them."""
    connection.execute("CREATE TEMPORARY TABLE loaded (path text, text text)")
    with connection.cursor() as cursor, cursor.copy("COPY loaded FROM STDIN") as copy:
        for chunk in chunks:
            copy.write_row(chunk)
    connection.execute(
        "CREATE TABLE chunks AS SELECT path, text, to_tsvector('simple', text) AS words FROM loaded"
    )
    connection.execute("CREATE INDEX chunks_words ON chunks USING gin (words)")
    connection.execute("CREATE INDEX chunks_path ON chunks (path)")


@contextmanager
def open_search(url: str) -> Iterator[Callable[[str], list[str]]]:
    """Open the database for finding the path of every chunk that holds a word."""
    import psycopg

    with psycopg.connect(url) as connection:
        yield lambda word: [row[0] for row in connection.execute(_FIND, (word,))]


def main() -> None:
    """Run `sync` on the two arguments and print its counters as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("url")
    given = parser.parse_args()
    print(json.dumps(sync(given.source, given.url)))


if __name__ == "__main__":
    main()
