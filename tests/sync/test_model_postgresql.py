"""The sync against a model, with real tables as the source: whatever happens, the index ends as they are."""

from __future__ import annotations

from hypothesis.stateful import run_state_machine_as_test

from tests.support.model import Syncing, examples, machine
from tests.support.postgres import postgres_site
from tests.support.side_postgresql import Ground, TableSide, postgres_ground

__all__ = ["machine", "postgres_ground", "postgres_site"]


class OnTables(Syncing):
    """The model's machine, playing with two tables."""

    side_type = TableSide


def test_whatever_happens_to_tables_a_quiet_run_makes_the_index_equal_to_them(
    machine: type[Syncing], postgres_ground: Ground
) -> None:
    """Kinds of keys and of feeds; tables and texts that go, cut connections, ended sessions, lost slots."""
    OnTables.ground = postgres_ground
    run_state_machine_as_test(OnTables, settings=examples(50, 3000))
