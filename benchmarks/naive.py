"""The script that one would write by hand in an afternoon: the yardstick of every comparison.

Walk, compare size and modification time, read, parse with the usual libraries, cut into chunks of 1,000
characters, keep them in SQLite FTS5. No retries, no isolation of parsers, no permissions, no resume.

    python -m benchmarks.naive FOLDER DATABASE
"""

from __future__ import annotations

import argparse
import email
import email.policy
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

Known = tuple[int, int | str, int | None, int | None]
"""Size, version (a time or an ETag), first and last chunk."""

CHUNK_CHARACTERS = 1_000
FILES_PER_TRANSACTION = 1_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, size INTEGER, version, first_chunk INTEGER, last_chunk INTEGER
) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS chunks USING fts5(path UNINDEXED, text);
"""


def sync(source: Path, database: Path) -> dict[str, int]:
    """Bring the database in line with the folder and return what was done."""
    counters = {"collected": 0, "indexed": 0, "skipped": 0, "removed": 0}
    with closing(connect(database)) as db, db:
        left = known(db)
        for path, file, stat in walk(source):
            counters["collected"] += 1
            old = left.pop(path, None)
            if old and old[:2] == (stat.st_size, stat.st_mtime_ns):
                counters["skipped"] += 1
                continue
            if old:
                remove(db, path, old)
            add(db, path, stat.st_size, stat.st_mtime_ns, chunked(read_text(file)))
            counters["indexed"] += 1
            if counters["indexed"] % FILES_PER_TRANSACTION == 0:
                db.commit()
        for path, old in left.items():
            remove(db, path, old)
            counters["removed"] += 1
    return counters


def find(db: sqlite3.Connection, word: str) -> list[str]:
    """Return the path of every chunk that holds the word."""
    return [row[0] for row in db.execute("SELECT path FROM chunks WHERE chunks MATCH ?", (word,))]


def read_text(file: Path) -> str:
    """Return the text of a file by its ending."""
    ending = file.suffix.lower()
    reader = _READERS.get(ending)
    return reader(file) if reader else file.read_text(encoding="utf-8", errors="replace")


def text_of(path: str, body: bytes) -> str:
    """Return the text of a body that lies in memory: HTML by its ending, all others as they are."""
    return _html_text(body) if path.lower().endswith(".html") else body.decode("utf-8", errors="replace")


def chunked(text: str) -> Iterator[str]:
    """Cut into stretches of at most 1,000 characters, between words where there is a space."""
    start = 0
    while start < len(text):
        end = start + CHUNK_CHARACTERS
        if end < len(text):
            end = text.rfind(" ", start + 1, end) + 1 or end
        yield text[start:end]
        start = end


def connect(database: Path) -> sqlite3.Connection:
    """Open the database and make its tables where they are missing."""
    db = sqlite3.connect(database)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.executescript(_SCHEMA)
    return db


def known(db: sqlite3.Connection) -> dict[str, Known]:
    """Return what is in the database already, by path."""
    return {row[0]: row[1:] for row in db.execute("SELECT * FROM files")}


def walk(source: Path) -> Iterator[tuple[str, Path, os.stat_result]]:
    """Give path, file and status of every file of a folder."""
    for folder, _, names in os.walk(source):
        for name in names:
            file = Path(folder, name)
            yield file.relative_to(source).as_posix(), file, file.stat()


def add(db: sqlite3.Connection, path: str, size: int, version: int | str, chunks: Iterator[str]) -> None:
    """Write a document that is not in the database."""
    rows = [
        db.execute("INSERT INTO chunks (path, text) VALUES (?, ?)", (path, chunk)).lastrowid
        for chunk in chunks
    ]
    first, last = (rows[0], rows[-1]) if rows else (None, None)
    db.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?)", (path, size, version, first, last))


def remove(db: sqlite3.Connection, path: str, old: Known) -> None:
    """Take a document out."""
    db.execute("DELETE FROM chunks WHERE rowid BETWEEN ? AND ?", old[2:])
    db.execute("DELETE FROM files WHERE path = ?", (path,))


def _html(file: Path) -> str:
    return _html_text(file.read_bytes())


def _html_text(body: bytes) -> str:
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(body, "html.parser")
    for hidden in soup(["script", "style"]):
        hidden.decompose()
    return soup.get_text("\n", strip=True)


def _pdf(file: Path) -> str:
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(file).pages)


def _docx(file: Path) -> str:
    import docx
    from docx.table import Table

    parts = []
    for block in docx.Document(str(file)).iter_inner_content():
        if isinstance(block, Table):
            parts += ["\t".join(cell.text for cell in row.cells) for row in block.rows]
        else:
            parts.append(block.text)
    return "\n".join(parts)


def _xlsx(file: Path) -> str:
    import openpyxl  # type: ignore[import-untyped]

    book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    lines = []
    for sheet in book.worksheets:
        lines.append(sheet.title)
        lines += [
            "\t".join(map(str, (value for value in row if value is not None)))
            for row in sheet.iter_rows(values_only=True)
        ]
    book.close()
    return "\n".join(lines)


def _pptx(file: Path) -> str:
    from pptx import Presentation

    return "\n".join(
        shape.text_frame.text
        for slide in Presentation(str(file)).slides
        for shape in slide.shapes
        if shape.has_text_frame
    )


def _eml(file: Path) -> str:
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    parts = [f"{name}: {message[name]}" for name in ("From", "To", "Subject", "Date")]
    parts += [part.get_content() for part in message.walk() if part.get_content_type() == "text/plain"]
    return "\n".join(parts)


_READERS = {
    ".html": _html,
    ".pdf": _pdf,
    ".docx": _docx,
    ".xlsx": _xlsx,
    ".pptx": _pptx,
    ".eml": _eml,
}


def main() -> None:
    """Run `sync` on the two arguments and print its counters as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("database", type=Path)
    given = parser.parse_args()
    print(json.dumps(sync(given.source, given.database)))


if __name__ == "__main__":
    main()
