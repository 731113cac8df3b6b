"""Places that are no folders: a bucket and a table, with the same small documents in them.

The bucket is a folder that an S3 server gives out, so it is changed by changing files. The table has the
names of the files as its key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from catchment.services import connectors
from connectors.postgresql.names import row_key
from tests.support.journey import Journey, Place

TABLE = "public.papers"


def bucket_place(journey: Journey, folder: Path, *, endpoint: str, keys: dict[str, str]) -> Place:
    """Make a connector to the bucket that a server makes of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"bucket": folder.name, "endpoint": endpoint, "region": "us-east-1"}
    name = f"{folder.name}-{uuid4().hex[:6]}"
    made = connectors.add(journey.context, "s3", config, name=name, credentials=keys)
    return BucketPlace(journey, folder, made.id)


class BucketPlace(Place):
    """A bucket; what is half written is no part of it."""

    def write(self, key: str, words: str = "") -> str:
        """Put an object whose text carries a new token; return the token."""
        token = f"tok{uuid4().hex}"
        path, fresh = self.folder / key, self.folder.parent / f"{uuid4().hex}.part"
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(f"{token}\n{words}\n", encoding="utf-8")
        fresh.replace(path)
        self.tokens[key] = token
        return token


def table_place(journey: Journey, source: psycopg.Connection[Any], config: dict[str, Any]) -> TablePlace:
    """Make a table, and a connector to it."""
    source.execute(f"CREATE TABLE {TABLE} (name text PRIMARY KEY, body text NOT NULL)")
    name = f"papers-{uuid4().hex[:6]}"
    made = connectors.add(
        journey.context,
        "postgresql",
        {**config, "tables": [TABLE]},
        name=name,
        credentials={"username": source.info.user},
    )
    return TablePlace(journey, source, made.id)


class TablePlace(Place):
    """A table whose rows are the documents."""

    def __init__(self, journey: Journey, source: psycopg.Connection[Any], connector_id: str) -> None:
        super().__init__(journey, Path(), connector_id)
        self._source = source

    def write(self, key: str, words: str = "") -> str:
        """Write a row whose text carries a new token; return the token.

        Args:
            key: Name of a new row, or the key of one that is there.
            words: The rest of its text.
        """
        token = f"tok{uuid4().hex}"
        name = self._names.get(key, key)
        self._source.execute(
            f"INSERT INTO {TABLE} VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET body = excluded.body",
            (name, f"{token}\n{words}"),
        )
        known = row_key(TABLE, (name,), (False,))
        self._names[known] = name
        self.tokens[known] = token
        return token

    def fill(self, count: int, *, prefix: str = "f", words: str = "") -> None:
        """Write many rows in one transaction."""
        with self._source.transaction():
            super().fill(count, prefix=prefix, words=words)

    def delete(self, key: str) -> None:
        """Delete a row by its key."""
        self._source.execute(f"DELETE FROM {TABLE} WHERE name = %s", (self._names.pop(key),))
        del self.tokens[key]

    @property
    def _names(self) -> dict[str, str]:
        names: dict[str, str] = self.__dict__.setdefault("_names_by_key", {})
        return names
