"""What the machine itself needs: no sync that does the same work can be quicker than this.

Each part times itself from the inside and prints its seconds: they are small beside an interpreter's start.

    python -m benchmarks.floor walk FOLDER             walk and stat
    python -m benchmarks.floor read FOLDER             walk, read, SHA-256
    python -m benchmarks.floor index FOLDER DATABASE   FTS5 insert of chunks that lie ready in memory
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.naive import chunked, read_text

_CHUNKS_PER_TRANSACTION = 7_500  # about 1,000 documents of W1


def walk(source: Path) -> int:
    """Look at every file once and return how many there are."""
    return sum(1 for _ in _entries(str(source)))


def read(source: Path) -> int:
    """Read and hash every file and return how many there are."""
    count = 0
    for entry in _entries(str(source)):
        with Path(entry.path).open("rb", buffering=0) as stream:
            hashlib.sha256(stream.read()).digest()
        count += 1
    return count


def index(chunks: list[str], database: Path) -> int:
    """Insert chunks into an empty FTS5 index that refers to a plain table and return how many."""
    with closing(sqlite3.connect(database)) as db:
        db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
            "CREATE TABLE chunks (id INTEGER PRIMARY KEY, text TEXT);"
            "CREATE VIRTUAL TABLE words USING fts5(text, content='chunks', content_rowid='id');"
            "INSERT INTO words (words, rank) VALUES ('hashsize', 67108864);"
        )
        for first in range(0, len(chunks), _CHUNKS_PER_TRANSACTION):
            some = list(enumerate(chunks[first : first + _CHUNKS_PER_TRANSACTION], start=first))
            with db:
                db.executemany("INSERT INTO chunks VALUES (?, ?)", some)
                db.execute(
                    "INSERT INTO words (rowid, text) SELECT id, text FROM chunks WHERE id >= ?", (first,)
                )
    return len(chunks)


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(entry.path)
            else:
                entry.stat(follow_symlinks=False)
                yield entry


def _ready_chunks(source: Path) -> list[str]:
    return [chunk for entry in _entries(str(source)) for chunk in chunked(read_text(Path(entry.path)))]


def _timed(work: Callable[[], int]) -> None:
    start = time.perf_counter()
    count = work()
    print(json.dumps({"seconds": time.perf_counter() - start, "count": count}))


def main() -> None:
    """Time the part that is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("walk", "read", "index"))
    parser.add_argument("source", type=Path)
    parser.add_argument("database", type=Path, nargs="?")
    given = parser.parse_args()
    if given.part == "index":
        chunks = _ready_chunks(given.source)
        _timed(lambda: index(chunks, given.database))
    else:
        _timed(lambda: (walk if given.part == "walk" else read)(given.source))


if __name__ == "__main__":
    main()
