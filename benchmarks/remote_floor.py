"""What the servers themselves need: no sync from them can be quicker than this.

Each part times itself from the inside and prints its seconds.

    python -m benchmarks.remote_floor list ENDPOINT BUCKET         LIST of all keys with obstore
    python -m benchmarks.remote_floor list-boto3 ENDPOINT BUCKET   the same with boto3
    python -m benchmarks.remote_floor get ENDPOINT BUCKET          LIST, and GET 16 at a time
    python -m benchmarks.remote_floor copy URL                     COPY of the table out of PostgreSQL
    python -m benchmarks.remote_floor scan URL                     count(*) of the table
    python -m benchmarks.remote_floor hashes URL                   key and hash of every row
    python -m benchmarks.remote_floor load URL FOLDER              chunks that lie ready, loaded and indexed
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.naive import chunked, read_text, walk
from benchmarks.naive_s3 import bodies, listed
from benchmarks.naive_store import load
from benchmarks.servers import Bucket


def list_keys(bucket: Bucket) -> int:
    """List a bucket and return how many objects there are."""
    return sum(1 for _ in listed(bucket))


def list_keys_with_boto3(bucket: Bucket) -> int:
    """List a bucket with the vendor's own library and return how many objects there are."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        aws_access_key_id=bucket.access_key_id,
        aws_secret_access_key=bucket.secret_access_key,
        config=Config(s3={"addressing_style": "path"}),
    )
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket.name)
    return sum(len(page.get("Contents", ())) for page in pages)


def get_all(bucket: Bucket) -> int:
    """List a bucket, read every object, and return how many there are."""
    return sum(1 for _ in bodies(bucket, listed(bucket)))


def copy_out(url: str) -> int:
    """Read the table with COPY and return how many rows there are."""
    import psycopg

    statement = "COPY documents TO STDOUT (FORMAT binary)"
    with (
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        copy.set_types(["int8", "text", "text", "text", "timestamptz"])
        return sum(1 for _ in copy.rows())


def scan(url: str) -> int:
    """Let the server count the rows of the table, without an index, and return how many there are."""
    return _counted(url, "SELECT count(*) FROM documents")


def hashes(url: str) -> int:
    """Read key and hash of every row and return how many there are."""
    import psycopg

    with psycopg.connect(url) as connection, psycopg.ServerCursor(connection, "hashes") as cursor:
        cursor.itersize = 5_000
        statement = "SELECT id, md5(documents::text) FROM documents ORDER BY id"
        return sum(1 for _ in cursor.execute(statement))


def load_ready(url: str, chunks: list[tuple[str, str]]) -> int:
    """Load chunks that lie ready in memory, as the script for the store does, and return how many."""
    import psycopg

    with psycopg.connect(url) as connection:
        load(connection, chunks)
    return len(chunks)


def _counted(url: str, statement: str) -> int:
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute("SET enable_indexonlyscan = off")
        row = connection.execute(statement.encode()).fetchone()
        return int(row[0]) if row else 0


def _ready_chunks(folder: Path) -> list[tuple[str, str]]:
    return [(path, chunk) for path, file, _ in walk(folder) for chunk in chunked(read_text(file))]


def _work(part: str, where: str, what: str | None) -> Callable[[], int]:
    """Return what is timed; what must lie ready before it lies ready."""
    if part in ("list", "list-boto3", "get"):
        bucket = Bucket(where, str(what))
        parts = {"list": list_keys, "list-boto3": list_keys_with_boto3, "get": get_all}
        return lambda: parts[part](bucket)
    if part == "load":
        chunks = _ready_chunks(Path(str(what)))
        return lambda: load_ready(where, chunks)
    of_tables = {"copy": copy_out, "scan": scan, "hashes": hashes}
    return lambda: of_tables[part](where)


def main() -> None:
    """Time the part that is named."""
    parser = argparse.ArgumentParser()
    parts = ("list", "list-boto3", "get", "copy", "scan", "hashes", "load")
    parser.add_argument("part", choices=parts)
    parser.add_argument("where")
    parser.add_argument("what", nargs="?")
    given = parser.parse_args()
    work = _work(given.part, given.where, given.what)
    start = time.perf_counter()
    count = work()
    print(json.dumps({"seconds": time.perf_counter() - start, "count": count}))


if __name__ == "__main__":
    main()
