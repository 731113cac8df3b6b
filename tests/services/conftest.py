"""A house whose services are asked without Prefect: the store is real, on each engine in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from catchment.core.clock import SetClock
from tests.support.desk import Desk
from tests.support.postgres import postgres_server, postgres_store, postgres_template

__all__ = ["postgres_server", "postgres_store", "postgres_template"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A house on SQLite."""
    made = Desk(tmp_path, clock=SetClock())
    yield made
    made.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A house on SQLite and on PostgreSQL."""
    url = None
    if request.param == "postgresql":
        engine: Engine = request.getfixturevalue("postgres_store")
        url = engine.url.render_as_string(hide_password=False)
    made = Desk(tmp_path, clock=SetClock(), store_url=url)
    yield made
    made.engine.dispose()
