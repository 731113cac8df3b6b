"""Which connector a person means."""

from __future__ import annotations

from sqlalchemy import Engine

from catchment.core.errors import NotFound, UsageError
from catchment.store import connectors
from catchment.store.engine import reading
from catchment.store.rows import ConnectorRow


def connector_called(engine: Engine, name: str) -> ConnectorRow:
    """Return the connector that is meant by an id, slug or name.

    Raises:
        NotFound: There is none.
        UsageError: There are several of that name.
    """
    with reading(engine) as connection:
        found = connectors.find(connection, connectors.default_tenant(connection), name)
    if not found:
        raise NotFound(f"There is no connector called {name!r}.", remedy="See: catchment connector list.")
    if len(found) > 1:
        slugs = ", ".join(row.slug for row in found)
        raise UsageError(f"{len(found)} connectors are called {name!r}.", remedy=f"Use one of: {slugs}.")
    return found[0]
