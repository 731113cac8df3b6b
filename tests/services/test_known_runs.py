"""Runs that are known: for how long, and for whom."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from catchment.core.errors import NotFound
from catchment.services import access, reach
from catchment.services.access import Caller
from catchment.services.known_runs import KnownRuns
from catchment.store import runs as stored
from catchment.store.engine import writing
from catchment.store.rows import ConnectorRow
from tests.support.desk import Desk


@pytest.fixture
def caller(desk: Desk) -> Caller:
    return access.authenticate(desk.context, access.add_token(desk.context, "guest").secret)


@pytest.fixture
def connector(desk: Desk) -> ConnectorRow:
    return desk.pushed_to()


@pytest.fixture
def run_id(desk: Desk, connector: ConnectorRow) -> str:
    return desk.push(connector, "one").run_id


class TestARun:
    def test_is_known_after_it_was_asked_for(
        self,
        desk: Desk,
        caller: Caller,
        connector: ConnectorRow,
        run_id: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """As the store told it, and without a query."""
        runs = KnownRuns(desk.context)
        assert runs.known(caller, connector.id, run_id) is None
        asked = runs.ask(caller, connector.id, run_id)
        assert asked[0].id == run_id
        monkeypatch.setattr(reach, "placed_run", None)
        assert runs.known(caller, connector.id, run_id) == asked

    def test_is_known_no_longer_when_it_moved(
        self, desk: Desk, caller: Caller, connector: ConnectorRow, run_id: str
    ) -> None:
        """Whoever follows it sees each of its steps."""
        runs = KnownRuns(desk.context)
        runs.ask(caller, connector.id, run_id)
        with writing(desk.engine) as connection:
            stored.change(connection, run_id, unless_final=False, indexed=77)
        assert runs.known(caller, connector.id, run_id) is None
        assert runs.ask(caller, connector.id, run_id)[0].indexed == 77

    def test_of_another_tenant_is_known_to_nobody(
        self, desk: Desk, caller: Caller, connector: ConnectorRow, run_id: str
    ) -> None:
        """That it is known to one tenant says nothing to another."""
        runs = KnownRuns(desk.context)
        runs.ask(caller, connector.id, run_id)
        stranger = replace(caller, tenant_id="0" * 32)
        assert runs.known(stranger, connector.id, run_id) is None
        with pytest.raises(NotFound):
            runs.ask(stranger, connector.id, run_id)
