"""Whether a server lets its log be followed, and which tables it reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from connectors.postgresql.catalog import Relation
from connectors.postgresql.config import PostgreSQLConfig
from connectors.postgresql.connect import Connection
from connectors.postgresql.names import Name
from connectors.postgresql.slot import PGOUTPUT, TEST_DECODING

_FACTS = """
SELECT current_setting('wal_level'), pg_is_in_recovery(),
       (SELECT rolsuper OR rolreplication FROM pg_catalog.pg_roles WHERE rolname = current_user)
       OR EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname IN ('rds_replication', 'azure_pg_admin')
                  AND pg_has_role(current_user, oid, 'MEMBER')),
       EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = %s),
       (SELECT plugin::text FROM pg_catalog.pg_replication_slots
        WHERE slot_name = %s AND database = current_database())
"""
_PUBLISHED = """
SELECT to_jsonb(t), p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate
FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_tables t ON t.pubname = p.pubname
JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
WHERE p.pubname = %s AND (c.oid = %s::oid OR c.oid IN (SELECT relid FROM pg_partition_tree(%s::oid)))
"""
_LEAVES = "SELECT count(*) FROM pg_partition_tree(%s::oid) WHERE isleaf"


class Support(NamedTuple):
    """What decodes the log, or why nothing does and what to do about it."""

    plugin: str | None
    reason: str = ""
    remedy: str = ""


def support(connection: Connection, config: PostgreSQLConfig, slot: str) -> Support:
    """Tell whether the log can be followed; nothing is changed or made."""
    wal_level, is_standby, may, has_publication, plugin = connection.execute(
        _FACTS, [config.publication, slot]
    ).fetchone()
    if wal_level != "logical":
        return Support(
            None,
            f"wal_level is {wal_level}.",
            "Set wal_level = logical at the server and restart it; or set replication to off.",
        )
    if is_standby:
        return Support(None, "The server is a standby.", "Name the primary server as host.")
    if not may:
        return Support(
            None,
            "The role may not use replication slots.",
            "As a superuser, run: ALTER ROLE <the connector's role> REPLICATION;",
        )
    wanted: str = config.replication
    if wanted == "auto":
        usable = plugin in (TEST_DECODING, PGOUTPUT) and (plugin != PGOUTPUT or has_publication)
        wanted = plugin if usable else (PGOUTPUT if has_publication else TEST_DECODING)
    if wanted == PGOUTPUT and not has_publication:
        return Support(
            None,
            f"There is no publication {config.publication}.",
            f"As the owner, run: CREATE PUBLICATION {config.publication} FOR TABLE <the tables>;",
        )
    return Support(wanted)


def published(connection: Connection, publication: str, relation: Relation, key: Sequence[str]) -> bool:
    """Tell whether a publication reports every change of a relation, with its key.

    A publication may leave out rows, columns or kinds of changes; such a one will not do.
    """
    rows = connection.execute(_PUBLISHED, [publication, relation.oid, relation.oid]).fetchall()
    if not rows or not all(row[1] for row in rows):
        return False
    for facts, _ in rows:
        names = facts.get("attnames")
        if facts.get("rowfilter") or (names is not None and not set(key) <= set(names)):
            return False
    if relation.kind != "partitioned table":
        return True
    leaves = connection.execute(_LEAVES, [relation.oid]).fetchone()[0]
    by_root = any(str(Name(facts["schemaname"], facts["tablename"])) == relation.scope for facts, _ in rows)
    return by_root or len(rows) >= leaves
