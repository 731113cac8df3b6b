"""Taking away what is kept no longer, in steps short enough for everybody else."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text

from catchment.store import connectors, runs
from catchment.store.engine import writing
from catchment.store.index import index_for

STEP = 1000
MERGE_PAGES = 500
MOST_MERGES = 20


def tombstones(connection: Connection, *, before: float) -> int:
    """Purge documents, and their ledger rows, that were deleted long ago; at most 1,000 a call.

    Where a run is active they stay: it may be about to bring one of them back.
    """
    found = connection.execute(
        text(
            "SELECT pk, connector_pk FROM documents d WHERE deleted_at < :before"
            " AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.connector_pk = d.connector_pk"
            " AND r.state IN ('RUNNING', 'CANCELLING') AND NOT r.dry_run)"
            " ORDER BY deleted_at LIMIT :step"
        ),
        {"before": before, "step": STEP},
    ).all()
    for connector_pk in sorted({row.connector_pk for row in found}):
        if connectors.lock(connection, connector_pk) and runs.active(connection, connector_pk) is not None:
            found = [row for row in found if row.connector_pk != connector_pk]
    pks = [row.pk for row in found]
    for pk in pks:
        connection.execute(text("DELETE FROM document_access WHERE document_pk = :pk"), {"pk": pk})
        connection.execute(text("DELETE FROM documents WHERE pk = :pk"), {"pk": pk})
        connection.execute(text("DELETE FROM held_removals WHERE item_pk = :pk"), {"pk": pk})
        connection.execute(text("DELETE FROM items WHERE pk = :pk AND state = 'deleted'"), {"pk": pk})
    return len(pks)


def removed_connectors(connection: Connection) -> int:
    """Purge connectors that were removed and of which no document, item or recent run is left."""
    pks = [
        row[0]
        for row in connection.execute(
            text(
                "SELECT pk FROM connectors c WHERE deleted_at IS NOT NULL"
                " AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.connector_pk = c.pk)"
                " AND NOT EXISTS (SELECT 1 FROM items i WHERE i.connector_pk = c.pk)"
                " LIMIT 100"
            )
        )
    ]
    for pk in pks:
        connection.execute(
            text(
                "DELETE FROM checkpoints WHERE scope_pk IN (SELECT pk FROM scopes WHERE connector_pk = :pk)"
            ),
            {"pk": pk},
        )
        for table in ("held_removals", "scopes", "runs"):
            connection.execute(text(f"DELETE FROM {table} WHERE connector_pk = :pk"), {"pk": pk})
        connection.execute(text("DELETE FROM connectors WHERE pk = :pk"), {"pk": pk})
    return len(pks)


def merge_index(engine: Engine) -> None:
    """Keep searching quick: merge the index's segments in bounded steps, each its own transaction.

    On PostgreSQL, where the server merges by itself, build the index if a first load never got so far.
    """
    if engine.dialect.name != "sqlite":
        index_for(engine.dialect.name).complete(engine)
        return
    for _ in range(MOST_MERGES):
        with writing(engine) as connection:
            before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
            connection.exec_driver_sql(
                f"INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('merge', {MERGE_PAGES})"
            )
            after = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
        # FTS5 says that nothing was left to merge by changing fewer than two rows.
        if after - before < 2:
            return
