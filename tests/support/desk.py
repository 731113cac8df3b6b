"""A vault with a desk: the services that faces call, while Prefect is out of reach."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from catchment.core.errors import Unavailable
from catchment.core.parameters import RunParameters
from catchment.services.context import Context
from catchment.services.files import listed, status_of
from catchment.services.prefect_client import PrefectClient
from catchment.services.push import Pushed, push
from catchment.services.uploads import Upload, Uploads, upload
from catchment.store import connectors, documents, runs
from catchment.store.blobs import Blobs
from catchment.store.documents import DocumentRow
from catchment.store.engine import reading
from catchment.store.rows import ConnectorRow, RunRow
from catchment.sync.claim import Claimed, Ticket, claim
from catchment.sync.run import Run
from tests.support.vault import Vault


def away() -> PrefectClient:
    """Fail as Prefect does that is out of reach."""
    raise Unavailable("Prefect is away.")


class Desk(Vault):
    """See the module."""

    @property
    def context(self) -> Context:
        """What a service works with."""
        blobs = Blobs(self.home / "blobs")
        return Context(self.engine, connect=away, clock=self.clock, sync=self.sync_settings, blobs=blobs)

    def pushed_to(self, name: str = "notes", **config: Any) -> ConnectorRow:
        """Store a connector that is pushed to."""
        return self.add("my-own-thing", config, name=name, execution="LOCAL", trusted=False)

    def again(self, connector: ConnectorRow) -> ConnectorRow:
        """Return a connector's row as it is now."""
        with reading(self.engine) as connection:
            return connectors.by_pk(connection, connector.pk)

    def push(self, connector: ConnectorRow, *documents: Any, **more: Any) -> Pushed:
        """Push documents; a text stands for a document with that text and id."""
        sent = [{"external_id": d, "text": f"text of {d}"} if isinstance(d, str) else d for d in documents]
        return push(self.context, self.again(connector), sent, **more)

    def upload(self, connector: ConnectorRow, **files: str | bytes) -> Uploads:
        """Hand files in; ``a_md`` stands for the name ``a.md``."""
        return self.upload_named(connector, {name.replace("_", "."): body for name, body in files.items()})

    def upload_named(self, connector: ConnectorRow, files: Mapping[str, str | bytes]) -> Uploads:
        """Hand files in by the names that a client gives them."""
        streams = [
            Upload(name, io.BytesIO(body.encode() if isinstance(body, str) else body))
            for name, body in files.items()
        ]
        return upload(self.context, self.again(connector), streams)

    def begin_handed_in(self, run_id: str) -> Run:
        """Claim and begin a run that waits, as its flow does."""
        with reading(self.engine) as connection:
            row = runs.get(connection, run_id)
        assert row is not None
        claimed = claim(
            self.engine,
            RunParameters(connector="whatever"),
            Ticket(run_id=run_id),
            lease_seconds=self.sync_settings.lease_seconds,
        )
        assert isinstance(claimed, Claimed), claimed
        return self.begun(claimed)

    def work_off(self, run_id: str) -> RunRow:
        """Work a run that waits off, and return its row."""
        self.work(self.begin_handed_in(run_id))
        return self.run(run_id)

    def files(self, connector: ConnectorRow) -> dict[str, str]:
        """Return how each file of a connector stands, by key."""
        found, count = listed(self.context, connector, limit=1000)
        assert count == len(found)
        return {row.key: status_of(row.state) for row in found}

    def document(self, key: str) -> DocumentRow:
        """Return the document of a key."""
        with reading(self.engine) as connection:
            return documents.find(connection, self.ids()[key])[0]

    def runs_of(self, connector: ConnectorRow) -> list[RunRow]:
        """Return the runs of a connector, newest first."""
        with reading(self.engine) as connection:
            return runs.recent(connection, connector.pk, limit=1000)
