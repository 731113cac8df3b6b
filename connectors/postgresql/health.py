"""What `check` tries: the way in, each relation, what names its rows, and how its changes can be followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catchment.core.errors import SourceError
from catchment.kit import (
    AuthRejected,
    Capability,
    ConfigRejected,
    Health,
    PermissionMissing,
)
from connectors.postgresql import statements
from connectors.postgresql.connect import Connection
from connectors.postgresql.errors import telling
from connectors.postgresql.log_support import support
from connectors.postgresql.rows import RowPlan
from connectors.postgresql.slot import slot_name

if TYPE_CHECKING:
    from connectors.postgresql.connector import PostgreSQL

_MAY_SEE = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'MEMBER')"
_UNTRIED = "Not tried, because what comes before it does not work."


def probe(source: PostgreSQL) -> list[Capability]:
    """Return how each capability stands; nothing is changed at the server."""
    results = [_connect(source)]
    if results[0].health is not Health.OK:
        return [*results, *(Capability(n, results[0].health, _UNTRIED) for n in ("read", "changes"))]
    try:
        names = [name for scope in source.named_scopes() for name in source.relations_of(scope)]
    except SourceError as error:
        return [*results, failed("list", error), Capability("changes", Health.MISCONFIGURED, _UNTRIED)]
    plans = []
    for name in names:
        try:
            plan = source.plans.fresh(name)
            _read_one(source, plan)
        except SourceError as error:
            results.append(failed(f"read {name}", error))
        else:
            results += [_read(plan), _key(plan)]
            plans.append(plan)
    try:
        results += _changes(source, plans)
    except SourceError as error:
        results.append(failed("changes", error))
    return results


def _connect(source: PostgreSQL) -> Capability:
    try:
        with source.database.reading() as connection:
            row = connection.execute(
                "SELECT current_setting('server_version'), current_database(), current_user, "
                "pg_is_in_recovery()"
            ).fetchone()
    except SourceError as error:
        return failed("connect", error)
    assert row is not None
    version, database, user, is_standby = row
    kind = "a standby of PostgreSQL" if is_standby else "PostgreSQL"
    return Capability("connect", Health.OK, f"Signed in to {database} as {user}, {kind} {version}.")


def _read_one(source: PostgreSQL, plan: RowPlan) -> None:
    """Try the very statements of a run, for one row."""
    relation = plan.relation
    with source.database.reading() as connection, telling(setting=relation.setting, subject=relation.scope):
        if plan.paged:
            connection.execute(statements.page(plan, first=True), [1])
        keys = statements.by_key(plan, [tuple("" for _ in plan.key) or ("",)])
        none_of_them: list[list[str | None]] = [[] for _ in keys]
        connection.execute(statements.documents(plan, inline_bytes=0), none_of_them)


def _read(plan: RowPlan) -> Capability:
    relation = plan.relation
    message = f"{relation.scope} ({relation.kind}) can be read."
    if relation.secured:
        message += " Row-level security is on: the role may see fewer rows than there are."
    return Capability(f"read {relation.scope}", Health.OK, message)


def _key(plan: RowPlan) -> Capability:
    name = f"key {plan.relation.scope}"
    columns = ", ".join(column.name for column in plan.key)
    if not plan.key:
        return Capability(
            name,
            Health.OK,
            f"{plan.relation.scope} has no key: rows are named by a hash of their columns, and each 500 that "
            "changed cost one scan. Name columns in the setting key if some of them tell rows apart.",
        )
    way = "read by pages" if plan.paged else "read by a scan, because no index orders it without nulls"
    return Capability(name, Health.OK, f"Rows are named by {columns}, and {way}.")


def _changes(source: PostgreSQL, plans: list[RowPlan]) -> list[Capability]:
    config = source.config
    with source.database.reading() as connection:
        if config.replication == "off":
            return _by_column(connection, plans)
        found = support(connection, config, slot_name(config))
        if found.plugin is None:
            fine = config.replication == "auto"
            return [
                Capability(
                    "changes",
                    Health.OK if fine else Health.MISCONFIGURED,
                    f"The log cannot be followed: {found.reason}"
                    + (" Runs list everything instead." if fine else ""),
                    remedy=found.remedy,
                    setting="replication",
                )
            ]
        source.log.plugin = found.plugin
        missing = [
            plan.relation.scope
            for plan in plans
            if not source.log.follows(connection, plan.relation, [column.name for column in plan.key])
        ]
    message = f"The log is followed by {found.plugin}, with the slot {source.log.slot.name}."
    if not missing:
        return [Capability("changes", Health.OK, message)]
    return [
        Capability(
            "changes",
            Health.OK,
            f"{message} These are listed each time: {', '.join(missing)}.",
            remedy="Give each a primary key and add it to the publication: "
            f"ALTER PUBLICATION {config.publication} ADD TABLE {', '.join(missing)};",
            setting="publication",
        )
    ]


def _by_column(connection: Connection, plans: list[RowPlan]) -> list[Capability]:
    timed = [plan.relation.scope for plan in plans if plan.updated is not None]
    if not timed:
        return [Capability("changes", Health.OK, "Each run compares the hashes of all rows.")]
    row = connection.execute(_MAY_SEE).fetchone()
    message = f"{', '.join(timed)}: rows are compared by the changed-at column."
    if row is not None and row[0]:
        return [Capability("changes", Health.OK, message)]
    return [
        Capability(
            "changes",
            Health.OK,
            f"{message} Transactions of others cannot be seen, so that only the margin covers late commits.",
            remedy="As a superuser, run: GRANT pg_read_all_stats TO <the connector's role>;",
            setting="late_commit_seconds",
        )
    ]


def failed(name: str, error: SourceError) -> Capability:
    """Say how a capability stands that ended in this error."""
    setting = ""
    if isinstance(error, AuthRejected):
        setting = "password"
    elif name == "connect" and not isinstance(error, ConfigRejected | PermissionMissing):
        setting = "host"
    return Capability.failed(name, error, setting=setting)
