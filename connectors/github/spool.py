"""Comments of a whole repository, kept on disk while its issues are listed: memory stays flat."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from typing import Any

REMARK, COMMENT = 1, 0


class Spool:
    """Comments by the number of their issue, in the order in which they were written.

    Several threads may add to it. Whoever is still at it when it is closed fails.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # A database without a name lies in a temporary file that goes with the connection.
        self._db = sqlite3.connect("", check_same_thread=False)
        self._db.execute(
            "CREATE TABLE said (id INTEGER, kind INTEGER, number INTEGER, updated TEXT, raw TEXT,"
            " PRIMARY KEY (number, kind, id)) WITHOUT ROWID"
        )

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._db.close()

    def add(self, rows: Iterable[tuple[int, int, Mapping[str, Any]]], *, whole: bool) -> None:
        """Keep comments: the number of the issue, the kind, and what GitHub said; again is as good as once.

        Args:
            rows: The comments.
            whole: Keep their words, too.
        """
        with self._lock:
            self._db.executemany(
                "INSERT OR REPLACE INTO said VALUES (?, ?, ?, ?, ?)",
                (
                    (raw["id"], kind, number, raw["updated_at"], json.dumps(raw) if whole else None)
                    for number, kind, raw in rows
                ),
            )

    def newest(self, number: int) -> str | None:
        """Return when a comment of an issue was last changed."""
        found = self._db.execute("SELECT max(updated) FROM said WHERE number = ?", [number]).fetchone()
        return found[0] if found is not None else None

    def said(self, number: int, kind: int) -> list[dict[str, Any]]:
        """Return the comments of an issue's conversation, or the remarks beside lines of a pull request."""
        rows = self._db.execute(
            "SELECT raw FROM said WHERE number = ? AND kind = ? AND raw IS NOT NULL ORDER BY id",
            [number, kind],
        )
        return [json.loads(row[0]) for row in rows]
