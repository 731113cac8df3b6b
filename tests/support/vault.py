"""A plain house that can be looked into: what lies in the index and in the ledger, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select, true, update

from catchment.core.clock import SetClock
from catchment.core.counters import COUNTER_NAMES
from catchment.core.settings import SyncSettings
from catchment.store import connectors
from catchment.store.engine import reading, writing
from catchment.store.rows import ConnectorRow, RunRow
from catchment.store.tables import CHUNK_BITS, documents, items, metadata, runs
from catchment.sync.claim import Claimed
from catchment.sync.run import Run
from tests.support.library import check_index
from tests.support.plain import PlainHouse


class Crash(BaseException):
    """The process dies here."""


class Vault(PlainHouse):
    """See the module."""

    clock: SetClock

    def __init__(self, home: Path, *, clock: SetClock, store_url: str | None = None, **settings: Any) -> None:
        # The pulse of a run that lasts milliseconds would only be in the way.
        given = {"poll_seconds": 3600.0, **settings}
        super().__init__(home, clock=clock, sync=SyncSettings(**given), store_url=store_url)

    def tune(self, **settings: Any) -> None:
        """Change how runs work."""
        self.sync_settings = self.sync_settings.model_copy(update=settings)

    def connector(self, name: str = "docs") -> ConnectorRow:
        """Return the connector's row."""
        with reading(self.engine) as connection:
            return connectors.find(connection, connectors.default_tenant(connection), name)[0]

    def configure(self, **config: Any) -> None:
        """Replace the connector's settings."""
        self.mark(config=config)

    def mark(self, **columns: Any) -> None:
        """Change columns of the connector's row."""
        with writing(self.engine) as connection:
            connectors.change(connection, self.connector().pk, **columns)

    def texts(self) -> dict[str, str]:
        """Return the text of every visible document, by the key of its item."""
        with reading(self.engine) as connection:
            rows = connection.exec_driver_sql(
                "SELECT i.key, c.text FROM chunks c"
                f" JOIN documents d ON d.pk = c.id >> {CHUNK_BITS} AND d.deleted_at IS NULL"
                " JOIN items i ON i.pk = d.pk ORDER BY c.id"
            ).all()
        found: dict[str, str] = {}
        for key, text in rows:
            found[key] = found.get(key, "") + text
        return found

    def shown(self) -> set[str]:
        """Return the keys of the visible documents."""
        return set(self.texts())

    def ids(self) -> dict[str, str]:
        """Return the ids of the visible documents, by key."""
        with reading(self.engine) as connection:
            rows = connection.execute(
                select(items.c.key, documents.c.id)
                .join(documents, documents.c.pk == items.c.pk)
                .where(documents.c.deleted_at.is_(None))
            )
            return {row[0]: row[1] for row in rows}

    def item(self, key: str) -> Mapping[str, Any] | None:
        """Return the ledger's row of a key."""
        with reading(self.engine) as connection:
            row = connection.execute(select(items).where(items.c.key == key)).one_or_none()
        return row._mapping if row is not None else None

    def hint(self, key: str, hint: str) -> None:
        """Let the ledger have been told a move hint about a key, should it know the key."""
        with writing(self.engine) as connection:
            connection.execute(update(items).where(items.c.key == key).values(move_hint=hint))

    def fact(self, key: str, column: str) -> Any:
        """Return one column of the ledger's row of a key."""
        row = self.item(key)
        assert row is not None, f"the ledger has no {key}"
        return row[column]

    def silence(self, run_id: str | None = None, seconds: float = 100.0) -> None:
        """Let a run, or every run, have been silent for so long, as if its process had died."""
        chosen = runs.c.id == run_id if run_id is not None else true()
        with writing(self.engine) as connection:
            connection.execute(update(runs).where(chosen).values(lease_at=runs.c.lease_at - seconds))

    def take_over(self, silent: Run) -> Run:
        """Begin a run in the place of one that is taken for dead, though it may still be at work."""
        for _ in range(100):
            # Another lane of it may renew the lease in between.
            self.silence(silent.row.id)
            claimed = self.claim()
            if isinstance(claimed, Claimed):
                return self.begun(claimed)
        raise AssertionError("the run kept its lease")

    def crash(self, **parameters: Any) -> bool:
        """Sync until the process dies, and tell whether it did; what it leaves behind has been silent."""
        try:
            self.work(self.begin(**parameters))
        except Crash:
            self.silence()
            return True
        return False

    def dump(self, *, but: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table."""
        with reading(self.engine) as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(select(table))]
                for table in metadata.sorted_tables
                if table.name not in but
            }

    def check_index(self) -> None:
        """Let the full-text index compare itself with what it indexes."""
        check_index(self.engine)


def counts(run: RunRow) -> dict[str, int]:
    """Return the counters of a run that are not zero; checks that they add up where it succeeded."""
    values = {name: getattr(run, name) for name in COUNTER_NAMES}
    if run.state == "SUCCEEDED":
        ended = values["skipped"] + values["indexed"] + values["failed"] + values["gone"]
        assert values["collected"] == ended, values
    assert values["indexed"] <= values["parsed"] <= values["collected"], values
    return {name: value for name, value in values.items() if value}


def done(read: int, **more: int) -> dict[str, int]:
    """Collected, fetched, parsed and indexed are as many unless told otherwise."""
    values = {"collected": read, "fetched": read, "parsed": read, "indexed": read}
    return {name: value for name, value in {**values, **more}.items() if value}
