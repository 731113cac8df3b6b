"""The script that one would write by hand for a table: the yardstick of the row about PostgreSQL.

One server-side cursor over the whole table; title and body become the text; the index is that of the script
for folders.

    python -m benchmarks.naive_postgresql URL DATABASE
"""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path

from benchmarks import naive

_ROWS_A_TRIP = 5_000
_SELECT = "SELECT id, title, body, updated_at FROM documents"


def sync(url: str, database: Path) -> dict[str, int]:
    """Bring the database in line with the table and return what was done."""
    import psycopg

    counters = {"collected": 0, "indexed": 0, "skipped": 0, "removed": 0}
    with closing(naive.connect(database)) as db, db, psycopg.connect(url) as source:
        known = naive.known(db)
        cursor = psycopg.ServerCursor(source, "documents")
        cursor.itersize = _ROWS_A_TRIP
        for number, title, body, updated_at in cursor.execute(_SELECT, binary=True):
            counters["collected"] += 1
            key, version = str(number), updated_at.isoformat()
            old = known.pop(key, None)
            if old and old[1] == version:
                counters["skipped"] += 1
                continue
            if old:
                naive.remove(db, key, old)
            naive.add(db, key, len(body), version, naive.chunked(f"{title}\n\n{body}"))
            counters["indexed"] += 1
            if counters["indexed"] % naive.FILES_PER_TRANSACTION == 0:
                db.commit()
        for key, old in known.items():
            naive.remove(db, key, old)
            counters["removed"] += 1
    return counters


def main() -> None:
    """Run `sync` on the two arguments and print its counters as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("database", type=Path)
    given = parser.parse_args()
    print(json.dumps(sync(given.url, given.database)))


if __name__ == "__main__":
    main()
