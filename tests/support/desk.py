"""A vault with a desk: the services that faces call, while Prefect is out of reach."""

from __future__ import annotations

from typing import Any

from catchment.core.errors import Unavailable
from catchment.core.ids import new_id
from catchment.core.runs import ConnectorStatus
from catchment.services.context import Context
from catchment.services.prefect_client import PrefectClient
from catchment.services.push import Pushed, push
from catchment.store import connectors, runs
from catchment.store.engine import reading, writing
from catchment.store.rows import ConnectorRow, RunRow
from tests.support.vault import Vault


def away() -> PrefectClient:
    """Fail as Prefect does that is out of reach."""
    raise Unavailable("Prefect is away.")


class Desk(Vault):
    """See the module."""

    @property
    def context(self) -> Context:
        """What a service works with."""
        return Context(self.engine, connect=away, clock=self.clock, sync=self.sync_settings)

    def pushed_to(self, name: str = "notes", **config: Any) -> ConnectorRow:
        """Store a connector that is pushed to."""
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
                provider="my-own-thing",
                execution="LOCAL",
                config=config,
                status=ConnectorStatus.ACTIVE,
                created_at=now,
                updated_at=now,
            )

    def again(self, connector: ConnectorRow) -> ConnectorRow:
        """Return a connector's row as it is now."""
        with reading(self.engine) as connection:
            return connectors.by_pk(connection, connector.pk)

    def push(self, connector: ConnectorRow, *documents: Any, **more: Any) -> Pushed:
        """Push documents; a text stands for a document with that text and id."""
        sent = [{"external_id": d, "text": f"text of {d}"} if isinstance(d, str) else d for d in documents]
        return push(self.context, self.again(connector), sent, **more)

    def runs_of(self, connector: ConnectorRow) -> list[RunRow]:
        """Return the runs of a connector, newest first."""
        with reading(self.engine) as connection:
            return runs.recent(connection, connector.pk, limit=1000)
