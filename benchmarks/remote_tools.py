"""The tools of the rows about servers: the product and a script, each bound to the server it works with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks import catchment_adapter, naive_store
from benchmarks.catchment_adapter import Source
from benchmarks.check import Search
from benchmarks.measure import python_job
from benchmarks.servers import Bucket, Database
from benchmarks.tools import NAIVE, PLAIN, Tool

_ROW_OF_KEY = re.compile(r"(\d+)\D*$")


def s3_product(bucket: Bucket) -> Tool:
    """Return the product, which syncs a bucket whatever folder it is called with."""
    source = Source(
        "s3",
        {"bucket": bucket.name, "endpoint": bucket.endpoint, "region": bucket.region},
        {"access_key_id": bucket.access_key_id, "secret_access_key": bucket.secret_access_key},
    )
    return replace(
        PLAIN,
        command=lambda _, index: catchment_adapter.job(source, index),
        missing=lambda: catchment_adapter.provider_is_missing("s3"),
    )


def s3_script(bucket: Bucket) -> Tool:
    """Return the script for a bucket."""
    return replace(
        NAIVE,
        command=lambda _, index: python_job(
            "benchmarks.naive_s3", bucket.endpoint, bucket.name, index / "naive.db"
        ),
    )


def postgresql_product(table: Database) -> Tool:
    """Return the product, which syncs the table `documents` of a database into the text of the script."""
    config = {
        "host": table.host,
        "database": table.name,
        "schema": "public",
        "tables": ["documents"],
        "text": "{title}\n\n{body}",
    }
    source = Source("postgresql", config, {"username": table.user})
    return replace(
        PLAIN,
        command=lambda _, index: catchment_adapter.job(source, index),
        search=_search_for_rows,
        missing=lambda: catchment_adapter.provider_is_missing("postgresql"),
    )


def postgresql_script(table: Database) -> Tool:
    """Return the script for the table."""
    return replace(
        NAIVE,
        command=lambda _, index: python_job("benchmarks.naive_postgresql", table.url, index / "naive.db"),
    )


@contextmanager
def _search_for_rows(index: Path) -> Iterator[Search]:
    """Open the product's store for finding rows by their numbers, with which its keys end."""
    with catchment_adapter.open_search(index) as search:
        yield lambda word: [row_of(key) for key in search(word)]


def row_of(key: str) -> str:
    """Return the number at the end of a key such as ``public.documents:[17]``; the key if it has none."""
    found = _ROW_OF_KEY.search(key)
    return found[1] if found else key


def store_product(store: Database, *, name: str = "benchmark") -> Tool:
    """Return the product with its store in a database, as the connector of this name."""

    def command(source: Path, index: Path) -> list[str]:
        folder = replace(catchment_adapter.folder_source(source), name=name)
        return catchment_adapter.job(folder, index, store_url=store.url)

    return replace(
        PLAIN,
        command=command,
        search=lambda index: catchment_adapter.open_search(index, store_url=store.url),
        missing=catchment_adapter.postgres_store_is_missing,
    )


def store_script(store: Database) -> Tool:
    """Return the script that loads a folder into a database."""
    return replace(
        NAIVE,
        command=lambda source, _: python_job("benchmarks.naive_store", source, store.url),
        search=lambda _: naive_store.open_search(store.url),
    )
