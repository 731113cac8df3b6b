"""A real server, a database for each test, and a house that syncs out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from catchment.kit import Complete, Content, Item, Scope
from catchment.sync.begin import Credentials
from connectors.postgresql import PostgreSQL, PostgreSQLConfig, PostgreSQLCredentials
from tests.support.plain import PlainHouse
from tests.support.postgres import Site, postgres_site

__all__ = ["postgres_site"]


class House(PlainHouse):
    """A store that syncs out of databases, with credentials."""

    credentials: Credentials | None = {"username": "postgres"}  # noqa: RUF012 - nobody changes it

    def paths(self) -> set[str]:
        """The paths of all visible documents."""
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT i.path FROM documents d JOIN items i ON i.pk = d.pk WHERE d.deleted_at IS NULL"
            )
            return {row[0] for row in rows}


@dataclass
class Base:
    """One database of the server, and connectors on it."""

    site: Site
    name: str
    connection: psycopg.Connection[tuple[Any, ...]]
    made: list[PostgreSQL] = field(default_factory=list)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement as the owner."""
        cursor = self.connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []

    def another(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Another session of the owner, with transactions of its own."""
        return self.site.connect(self.name, autocommit=False)

    def config(self, **settings: Any) -> dict[str, Any]:
        """Settings of a connector on this database."""
        return {"host": self.site.socket, "port": self.site.port, "database": self.name, **settings}

    def source(self, *, user: str = "postgres", **settings: Any) -> PostgreSQL:
        """A connector on this database."""
        made = PostgreSQL(PostgreSQLConfig(**self.config(**settings)), PostgreSQLCredentials(username=user))
        self.made.append(made)
        return made


@pytest.fixture
def base(postgres_site: Site) -> Iterator[Base]:
    """An empty database."""
    with postgres_site.database() as name:
        with postgres_site.connect(name) as connection:
            base = Base(postgres_site, name, connection)
            yield base
            for source in base.made:
                source.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A store."""
    house = House(tmp_path)
    yield house
    house.engine.dispose()


@pytest.fixture
def make(base: Base, house: House) -> Callable[..., None]:
    """Stores a connector on the database."""

    def add(name: str = "docs", **settings: Any) -> None:
        house.add("postgresql", base.config(**settings), name=name)

    return add


def listed(source: PostgreSQL, scope: str | None = None) -> dict[str, Item]:
    """List a scope, the first by default, to its end."""
    scopes = source.scopes()
    chosen = scopes[0] if scope is None else Scope(scope, scope)
    events = list(source.listing(chosen))
    assert isinstance(events[-1], Complete)
    return {event.key: event for event in events if isinstance(event, Item)}


def texts(source: PostgreSQL, items: Mapping[str, Item]) -> dict[str, str]:
    """Fetch items together and return their texts."""
    found = {}
    for key, content in source.fetch_many(list(items.values())):
        assert isinstance(content, Content), content
        found[key] = content.stream().read().decode()
    return found
