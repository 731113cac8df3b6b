"""The HTTP API that one would write by hand in an afternoon: the yardstick of pushes and status reads.

FastAPI, pydantic and sqlite3: the token is looked up by its hash, the batch is checked by its model, known
ids are left out, and documents, chunks and their words go in by one transaction. One connection writes,
under a lock; each thread has one of its own to read with. No roles, no errors of single documents, no
ledger, no record of the push.

    python -m benchmarks.bare_api DATABASE PORT
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field

from benchmarks.check import Search
from benchmarks.naive import chunked

TOKEN = "bare-benchmark-token"
CONNECTOR = "notes"
JOB = "job-1"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tokens (hash TEXT PRIMARY KEY, name TEXT);
CREATE TABLE IF NOT EXISTS connectors (id TEXT PRIMARY KEY, cursor TEXT);
CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, connector_id TEXT, status TEXT, indexed INTEGER);
CREATE TABLE IF NOT EXISTS documents (
    pk INTEGER PRIMARY KEY, connector_id TEXT, external_id TEXT, title TEXT, url TEXT, author TEXT,
    date TEXT, content_type TEXT, tags TEXT, metadata TEXT, UNIQUE (connector_id, external_id)
);
CREATE VIRTUAL TABLE IF NOT EXISTS chunks USING fts5(document UNINDEXED, text);
"""
_ADD_DOCUMENT = """
INSERT INTO documents (connector_id, external_id, title, url, author, date, content_type, tags, metadata)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_FIND = """
SELECT d.external_id FROM chunks c JOIN documents d ON d.pk = c.document WHERE chunks MATCH ?
"""


class Document(BaseModel):
    """One document of a push."""

    external_id: str = Field(min_length=1, max_length=512)
    text: str = Field(min_length=1)
    title: str | None = None
    url: str | None = None
    author: str | None = None
    date: str | None = None
    content_type: str = "text"
    tags: list[str] = []
    metadata: dict[str, Any] = {}


class Push(BaseModel):
    """A batch of documents."""

    connector_id: str
    documents: list[Document] = Field(min_length=1, max_length=50)
    cursor: str | None = None


def create_app(database: Path) -> FastAPI:
    """Put the application together over a database that exists."""
    app, mine = FastAPI(), threading.local()
    writer, writes = _connect(database), threading.Lock()

    def reader() -> sqlite3.Connection:
        if not hasattr(mine, "db"):
            mine.db = _connect(database)
        found: sqlite3.Connection = mine.db
        return found

    def signed_in(authorization: Annotated[str, Header()]) -> None:
        hashed = _hash(authorization.removeprefix("Bearer "))
        if reader().execute("SELECT 1 FROM tokens WHERE hash = ?", (hashed,)).fetchone() is None:
            raise HTTPException(401)

    @app.post("/api/sync/documents", dependencies=[Depends(signed_in)])
    def push(batch: Push) -> dict[str, Any]:
        with writes, writer:
            indexed = _add(writer, batch)
        skipped = len(batch.documents) - indexed
        return {
            "documentsIndexed": indexed,
            "documentsSkipped": skipped,
            "errors": [],
            "cursor": batch.cursor,
        }

    @app.get("/api/v1/connectors/{connector_id}/sync/{job_id}", dependencies=[Depends(signed_in)])
    def show_job(connector_id: str, job_id: str) -> dict[str, Any]:
        row = (
            reader()
            .execute(
                "SELECT id, status, indexed FROM jobs WHERE id = ? AND connector_id = ?",
                (job_id, connector_id),
            )
            .fetchone()
        )
        if row is None:
            raise HTTPException(404)
        return {"id": row[0], "status": row[1], "indexed": row[2]}

    return app


def _add(db: sqlite3.Connection, batch: Push) -> int:
    """Write what is new of a batch and return how many documents that were."""
    if db.execute("SELECT 1 FROM connectors WHERE id = ?", (batch.connector_id,)).fetchone() is None:
        raise HTTPException(404)
    added = 0
    for one in batch.documents:
        facts = (one.title, one.url, one.author, one.date, one.content_type)
        lists = (json.dumps(one.tags), json.dumps(one.metadata))
        made = db.execute(_ADD_DOCUMENT, (batch.connector_id, one.external_id, *facts, *lists))
        if made.rowcount:
            rows = [(made.lastrowid, chunk) for chunk in chunked(one.text)]
            db.executemany("INSERT INTO chunks (document, text) VALUES (?, ?)", rows)
            added += 1
    if batch.cursor is not None:
        db.execute("UPDATE connectors SET cursor = ? WHERE id = ?", (batch.cursor, batch.connector_id))
    return added


def found(database: Path) -> None:
    """Make the database, with the token, the connector and the job that clients ask for."""
    with closing(_connect(database)) as db, db:
        db.executescript(_SCHEMA)
        db.execute("INSERT INTO tokens VALUES (?, 'benchmark')", (_hash(TOKEN),))
        db.execute("INSERT INTO connectors VALUES (?, NULL)", (CONNECTOR,))
        db.execute("INSERT INTO jobs VALUES (?, ?, 'running', 0)", (JOB, CONNECTOR))


@contextmanager
def open_search(database: Path) -> Iterator[Search]:
    """Open the database for finding the id of every chunk's document that holds a word."""
    with closing(_connect(database)) as db:
        yield lambda word: [row[0] for row in db.execute(_FIND, (word,))]


def _connect(database: Path) -> sqlite3.Connection:
    db = sqlite3.connect(database, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    return db


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def main() -> None:
    """Serve a database that `found` has made."""
    parser = argparse.ArgumentParser()
    parser.add_argument("database", type=Path)
    parser.add_argument("port", type=int)
    given = parser.parse_args()
    uvicorn.run(create_app(given.database), port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
