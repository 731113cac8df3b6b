"""Stores that a test owns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from catchment.store.engine import open_engine, outside
from catchment.store.migrate import migrate
from catchment.store.postgres_index import build
from tests.support.library import Library
from tests.support.postgres import postgres, postgres_server, postgres_store, postgres_template

__all__ = ["postgres", "postgres_server", "postgres_store", "postgres_template"]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Engine]:
    """An engine on a file that does not exist yet."""
    engine = open_engine(f"sqlite:///{tmp_path / 'catchment.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite(empty: Engine) -> Engine:
    """A migrated store in a file."""
    migrate(empty)
    return empty


@pytest.fixture(params=["sqlite", pytest.param("postgres_store", id="postgres")])
def store(request: pytest.FixtureRequest) -> Engine:
    """A migrated store, on each engine in turn."""
    engine: Engine = request.getfixturevalue(request.param)
    return engine


@pytest.fixture
def library(store: Engine) -> Library:
    """A store to fill with documents, on each engine in turn, with the index of a store in use."""
    if store.dialect.name == "postgresql":
        with outside(store) as connection:
            build(connection)
            # Few documents would be read one by one, and the index not at all.
            connection.exec_driver_sql(f"ALTER DATABASE {store.url.database} SET enable_seqscan = off")
        store.dispose()
    return Library(store)
