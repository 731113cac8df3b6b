"""A real PostgreSQL for tests: one server for the session, one database for each test.

A test package takes the fixtures by importing them in its conftest.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, make_url

from catchment.store.engine import open_engine


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a running server; the test is skipped where it has no wheel or does not start."""
    pgserver = pytest.importorskip("pgserver", reason="the package pgserver has no wheel here")
    # A short path: the socket lies in it, and its name may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        try:
            server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        except Exception as error:
            pytest.skip(f"PostgreSQL does not start here: {error}")
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[Engine]:
    """An engine on an empty database."""
    name = f"t_{uuid4().hex}"
    outer = open_engine(postgres_server)
    with outer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine = open_engine(make_url(postgres_server).set(database=name).render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with outer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    outer.dispose()
