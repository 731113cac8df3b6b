"""What processes that tests start inherit of the environment."""

from __future__ import annotations

import os

_OF_THE_SUITE = frozenset({"CATCHMENT_STACK_WORKER_NICENESS", "CATCHMENT_STACK_WORKER_POLL_SECONDS"})
"""Set where the suite runs, and no choice of a person: beside other tests, runs would hardly get on, and who
asks for them would take too much of the machine."""


def inherited() -> dict[str, str]:
    """Return the variables of this process without those that a person sets for an installation."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _OF_THE_SUITE or not name.startswith("CATCHMENT_")
    }
