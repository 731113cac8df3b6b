"""Runs without Prefect: the product's own lanes in plain threads, on a store of their own.

What lies in the index and in the ledger can be looked into, row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, select, true, update

from catchment.conformance.empty import open_file
from catchment.core.clock import Clock, SystemClock
from catchment.core.errors import CatchmentError
from catchment.core.ids import new_id
from catchment.core.parameters import RunParameters
from catchment.core.runs import ConnectorStatus
from catchment.core.settings import ParseSettings, SyncSettings
from catchment.kit.config import SourceCredentials
from catchment.store import connectors, runs
from catchment.store.engine import open_engine, reading, writing
from catchment.store.index import Hit, SearchRequest, index_for
from catchment.store.migrate import migrate
from catchment.store.rows import ConnectorRow, RunRow
from catchment.store.tables import CHUNK_BITS, documents, items, metadata
from catchment.store.tables import runs as run_rows
from catchment.sync.begin import Credentials, begin_run
from catchment.sync.claim import Claimed, Refused, Ticket, claim
from catchment.sync.close import close_run, close_unbegun
from catchment.sync.cursor import MemoryCursorStore
from catchment.sync.lanes import run_in_threads
from catchment.sync.pulse import Pulse
from catchment.sync.run import Run, Surroundings
from catchment.sync.stop import StopSignal

if TYPE_CHECKING:
    from catchment.kit.oauth import Client


class Crash(BaseException):
    """The process dies here."""


class House:
    """A store, and syncs into it without Prefect.

    Attributes:
        credentials: What every connector signs in with; those that a source renews take their place.
        oauth_client: What a vendor knows this house by, by the provider's slug.
        on_progress: Called with a run at each beat of its pulse.
        on_begin: Called with each run as it begins.
    """

    credentials: Credentials | None = None
    oauth_client: Callable[[str], Client | None] | None = None
    on_progress: Callable[[Run], None] | None = None
    on_begin: Callable[[Run], None] | None = None

    def __init__(
        self,
        home: Path,
        *,
        clock: Clock | None = None,
        sync: SyncSettings | None = None,
        parse: ParseSettings | None = None,
        store_url: str | None = None,
    ) -> None:
        self.home = home
        self.clock = clock or SystemClock()
        self.engine: Engine = open_engine(store_url) if store_url else open_file(home / "catchment.db")
        migrate(self.engine)
        self.cursors = MemoryCursorStore()
        self.sync_settings = sync or SyncSettings()
        self.parse_settings = parse or ParseSettings()

    def add(
        self, provider: str, config: Mapping[str, Any], *, name: str = "docs", **columns: Any
    ) -> ConnectorRow:
        """Store a connector that the operator made; `columns` are of its row."""
        now = self.clock.now()
        with writing(self.engine) as connection:
            tenant = connectors.default_tenant(connection)
            return connectors.add(
                connection,
                id=new_id(),
                tenant_id=tenant,
                collection_pk=connectors.default_collection(connection, tenant),
                slug=name,
                name=name,
                provider=provider,
                config=dict(config),
                status=ConnectorStatus.ACTIVE,
                created_at=now,
                updated_at=now,
                **{"trusted": True, **columns},
            )

    def surroundings(self) -> Surroundings:
        """What a run needs from its process."""
        return Surroundings(
            engine=self.engine,
            cursors=self.cursors,
            clock=self.clock,
            sync=self.sync_settings,
            parse=self.parse_settings,
            spool=self.home / "spool",
            watched=self.home,
            on_progress=self.on_progress,
        )

    def claim(self, name: str = "docs", **parameters: Any) -> Claimed | Refused:
        """Take the connector for a run."""
        return claim(
            self.engine,
            RunParameters(connector=name, **parameters),
            Ticket(),
            lease_seconds=self.sync_settings.lease_seconds,
        )

    def begin(self, name: str = "docs", **parameters: Any) -> Run:
        """Claim and begin a run, without working it off."""
        claimed = self.claim(name, **parameters)
        assert isinstance(claimed, Claimed), claimed
        return self.begun(claimed)

    def begun(self, claimed: Claimed) -> Run:
        """Make the run of a claim, as its flow does."""
        run = begin_run(
            claimed,
            self.surroundings(),
            stop=StopSignal(),
            credentials=self.credentials,
            save_credentials=self._renew,
            oauth_client=self.oauth_client,
        )
        if self.on_begin is not None:
            self.on_begin(run)
        return run

    def _renew(self, credentials: SourceCredentials) -> None:
        self.credentials = credentials.reveal()

    def sync(self, name: str = "docs", **parameters: Any) -> RunRow:
        """Sync once, from claim to closing, and return the run's row."""
        claimed = self.claim(name, **parameters)
        assert isinstance(claimed, Claimed), claimed
        try:
            run = self.begun(claimed)
        except CatchmentError as error:
            close_unbegun(self.engine, claimed, error)
        else:
            self.work(run)
        return self.run(claimed.run.id)

    def work(self, run: Run) -> None:
        """Work a begun run off and close it."""
        error: BaseException | None = None
        try:
            with Pulse(run):
                run_in_threads(run)
        except CatchmentError as caught:
            error = caught
        finally:
            run.close()
        close_run(run, error)

    def run(self, run_id: str) -> RunRow:
        """Return a run's row."""
        with reading(self.engine) as connection:
            row = runs.get(connection, run_id)
        assert row is not None
        return row

    def search(self, query: str, **filters: Any) -> list[Hit]:
        """Search the store."""
        with reading(self.engine) as connection:
            return index_for(self.engine.dialect.name).search(connection, SearchRequest(query, **filters))

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
        return dict(row._mapping) if row is not None else None

    def fact(self, key: str, column: str) -> Any:
        """Return one column of the ledger's row of a key."""
        row = self.item(key)
        assert row is not None, f"the ledger has no {key}"
        return row[column]

    def tune(self, **settings: Any) -> None:
        """Change how runs work."""
        self.sync_settings = self.sync_settings.model_copy(update=settings)

    def silence(self, run_id: str | None = None, seconds: float = 100.0) -> None:
        """Let a run, or every run, have been silent for so long, as if its process had died."""
        chosen = run_rows.c.id == run_id if run_id is not None else true()
        with writing(self.engine) as connection:
            connection.execute(update(run_rows).where(chosen).values(lease_at=run_rows.c.lease_at - seconds))

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
