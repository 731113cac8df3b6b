"""The script that one would write and tune by hand for a bucket: the yardstick of the rows about S3.

List with obstore, compare size and ETag, read 16 objects at a time ahead of the parser, and from there on do
what the script for folders does.

    python -m benchmarks.naive_s3 ENDPOINT BUCKET DATABASE
"""

from __future__ import annotations

import argparse
import json
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import naive
from benchmarks.servers import Bucket

if TYPE_CHECKING:
    from obstore import Bytes
    from obstore.store import S3Store

READS_AT_ONCE = 16
_READS_AHEAD = 64
_PAGE = 1_000

Listed = tuple[str, int, str]
"""Key, size, ETag."""


def sync(bucket: Bucket, database: Path) -> dict[str, int]:
    """Bring the database in line with the bucket and return what was done."""
    counters = {"collected": 0, "indexed": 0, "skipped": 0, "removed": 0}
    with closing(naive.connect(database)) as db, db:
        known = naive.known(db)

        def changed() -> Iterator[Listed]:
            for key, size, etag in listed(bucket):
                counters["collected"] += 1
                old = known.get(key)
                if old and old[:2] == (size, etag):
                    counters["skipped"] += 1
                    del known[key]
                else:
                    yield key, size, etag

        for (key, size, etag), body in bodies(bucket, changed()):
            if old := known.pop(key, None):
                naive.remove(db, key, old)
            naive.add(db, key, size, etag, naive.chunked(naive.text_of(key, body)))
            counters["indexed"] += 1
            if counters["indexed"] % naive.FILES_PER_TRANSACTION == 0:
                db.commit()
        for key, old in known.items():
            naive.remove(db, key, old)
            counters["removed"] += 1
    return counters


def listed(bucket: Bucket) -> Iterator[Listed]:
    """List a bucket."""
    import obstore

    for page in obstore.list(_store(bucket), chunk_size=_PAGE):
        for entry in page:
            yield entry["path"], entry["size"], (entry["e_tag"] or "").strip('"')


def bodies(bucket: Bucket, entries: Iterator[Listed]) -> Iterator[tuple[Listed, bytes]]:
    """Read objects, several at a time and at most 64 ahead, and give them in their order."""
    import obstore

    store = _store(bucket)

    def body(key: str) -> Bytes:
        return obstore.get(store, key).bytes()

    line: deque[tuple[Listed, Future[Bytes]]] = deque()
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        for entry in entries:
            line.append((entry, pool.submit(body, entry[0])))
            if len(line) >= _READS_AHEAD:
                yield _first(line)
        while line:
            yield _first(line)


def _first(line: deque[tuple[Listed, Future[Bytes]]]) -> tuple[Listed, bytes]:
    entry, future = line.popleft()
    return entry, bytes(future.result())


def _store(bucket: Bucket) -> S3Store:
    from obstore.store import S3Store

    return S3Store(
        bucket.name,
        endpoint=bucket.endpoint,
        region=bucket.region,
        access_key_id=bucket.access_key_id,
        secret_access_key=bucket.secret_access_key,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )


def main() -> None:
    """Run `sync` on the arguments and print its counters as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("bucket")
    parser.add_argument("database", type=Path)
    given = parser.parse_args()
    print(json.dumps(sync(Bucket(given.endpoint, given.bucket), given.database)))


if __name__ == "__main__":
    main()
