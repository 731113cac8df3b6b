"""The sync against a model, with the source in memory: it can be of every kind, and fail at every place."""

from __future__ import annotations

from hypothesis.stateful import run_state_machine_as_test

from tests.support.model import PROFILE, Syncing, machine

__all__ = ["machine"]


def test_whatever_happens_a_quiet_run_makes_the_index_equal_to_the_source(machine: type[Syncing]) -> None:
    """Nothing lost, nothing deleted without proof, nothing silent, nothing twice."""
    run_state_machine_as_test(machine, settings=PROFILE)
