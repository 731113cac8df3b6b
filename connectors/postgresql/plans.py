"""The plans of all relations, described once and kept for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from catchment.kit import ConfigRejected
from connectors.postgresql.catalog import all_tables, describe, describe_query
from connectors.postgresql.changes_by_log import ChangeLog
from connectors.postgresql.config import PostgreSQLConfig
from connectors.postgresql.connect import Database
from connectors.postgresql.names import QUERY_PREFIX, parse_name
from connectors.postgresql.rows import RowPlan, plan_rows


class PlanBook:
    """Looks relations up; several threads may ask."""

    def __init__(self, database: Database, config: PostgreSQLConfig) -> None:
        self._database = database
        self._config = config
        self._plans: dict[str, RowPlan] = {}
        self._lock = threading.Lock()

    def all_tables(self) -> list[str]:
        """Return the names of all tables of the schema.

        Raises:
            SourceError: There is none, or the server cannot be asked.
        """
        with self._database.reading() as connection:
            return [str(name) for name in all_tables(connection, self._config.schema)]

    def fresh(self, name: str) -> RowPlan:
        """Describe a relation anew.

        Raises:
            SourceError: It is not there, may not be read, or a setting does not fit it.
        """
        plan = self._describe(name)
        with self._lock:
            self._plans[name] = plan
        return plan

    def known(self, name: str) -> RowPlan:
        """Return the plan of a relation, described before in this run where it was.

        Raises:
            SourceError: As `fresh`.
        """
        with self._lock:
            plan = self._plans.get(name)
        return plan or self.fresh(name)

    def _describe(self, name: str) -> RowPlan:
        config = self._config
        with self._database.reading() as connection:
            if name.startswith(QUERY_PREFIX):
                query = name.removeprefix(QUERY_PREFIX)
                if query not in config.queries:
                    raise ConfigRejected(f"There is no query {query}.", setting="queries")
                relation = describe_query(connection, query, config.queries[query])
            else:
                parsed = parse_name(name, config.schema)
                setting = "views" if name in config.views else "tables"
                if parsed is None:
                    raise ConfigRejected(f"{name!r} names no relation.", setting=setting)
                relation = describe(connection, parsed, setting=setting)
        return plan_rows(relation, config, named=not config.takes_all_tables)


def is_trackable_scope(database: Database, log: ChangeLog, plans: Iterable[RowPlan]) -> bool:
    """Tell whether the log reports every change of all these relations.

    Raises:
        SourceError: The server cannot be asked.
    """
    with database.reading() as connection:
        return all(
            log.follows(connection, plan.relation, [column.name for column in plan.key]) for plan in plans
        )
