"""The sync against a model, with real tables as the source: whatever happens, the index ends as they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis.stateful import run_state_machine_as_test

from connectors.postgresql import listing
from tests.support.model import Syncing, examples, machine
from tests.support.postgres import Site, postgres_site
from tests.support.postgres_wire import Wire
from tests.support.side_postgresql import Ground, TableSide

__all__ = ["machine", "postgres_site"]


@pytest.fixture
def ground(postgres_site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """A database for all examples, and a way to it that can break."""
    for name in ("FIRST_ROWS", "MOST_ROWS"):
        monkeypatch.setattr(listing, name, getattr(listing, name))  # each example has its own
    wire = Wire(postgres_site)
    with postgres_site.database() as name, postgres_site.connect(name) as owner:
        yield Ground.of(postgres_site, name, owner, wire)
    wire.close()


class OnTables(Syncing):
    """The model's machine, playing with two tables."""

    side_type = TableSide


def test_whatever_happens_to_tables_a_quiet_run_makes_the_index_equal_to_them(
    machine: type[Syncing], ground: Ground
) -> None:
    """Kinds of keys and of feeds; tables and texts that go, cut connections, ended sessions, lost slots."""
    OnTables.ground = ground
    run_state_machine_as_test(OnTables, settings=examples(50, 3000))
