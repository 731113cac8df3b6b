"""Runs without Prefect: the product's own lanes in plain threads, on a store of the test's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from catchment.core.clock import Clock, SystemClock
from catchment.core.errors import CatchmentError
from catchment.core.ids import new_id
from catchment.core.parameters import RunParameters
from catchment.core.runs import ConnectorStatus
from catchment.core.settings import ParseSettings, SyncSettings
from catchment.store import connectors, runs
from catchment.store.engine import open_engine, reading, writing
from catchment.store.index import Hit, SearchRequest, index_for
from catchment.store.migrate import migrate
from catchment.store.rows import ConnectorRow, RunRow
from catchment.sync.begin import Credentials, begin_run
from catchment.sync.claim import Claimed, Refused, Ticket, claim
from catchment.sync.close import close_run, close_unbegun
from catchment.sync.cursor import MemoryCursorStore
from catchment.sync.lanes import run_in_threads
from catchment.sync.pulse import Pulse
from catchment.sync.run import Run, Surroundings
from catchment.sync.stop import StopSignal


class PlainHouse:
    """A store, and syncs into it without Prefect.

    Attributes:
        credentials: What every connector signs in with.
    """

    credentials: Credentials | None = None

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
        self.engine: Engine = open_engine(store_url or f"sqlite:///{home / 'catchment.db'}")
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
        return begin_run(claimed, self.surroundings(), stop=StopSignal(), credentials=self.credentials)

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
