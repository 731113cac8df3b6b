"""What the product does at the turning points of the stack's life."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from catchment.core.errors import Unavailable
from catchment.local.state import read_state
from catchment.services.prefect_client import PrefectClient

_UPKEEP = "catchment.services.upkeep"


class Hooks(Struct, frozen=True):
    """Every one may be absent.

    `before_start` runs under the home's lock before any child, and may raise a CatchmentError to refuse the
    start. `sweep` runs every 15 s in a thread of its own while the stack is ready. `idle` says whether a
    background stack may stop as far as the product is concerned. `on_drain` runs when no further run can
    begin, before the running ones are cancelled, and also when Prefect is out of reach. `on_ready` runs once,
    when a stack in the foreground has told that it is ready.
    """

    before_start: Callable[[], None] | None = None
    sweep: Callable[[], None] | None = None
    idle: Callable[[], bool] | None = None
    on_drain: Callable[[], None] | None = None
    on_ready: Callable[[], None] | None = None


def find_hooks(home: Path) -> Hooks:
    """Ask ``catchment.services.upkeep.hooks(home, connect)``; there are none where that does not exist.

    It returns an object with any of the attributes of `Hooks`. `connect` returns a client of the stack's
    Prefect, and raises Unavailable while the stack is not ready.
    """
    if importlib.util.find_spec(_UPKEEP) is None:
        return Hooks()

    def connect() -> PrefectClient:
        state = read_state(home)
        if state is None:
            raise Unavailable("The local stack is not ready.")
        return PrefectClient(state.api_url, state.auth)

    found: Any = importlib.import_module(_UPKEEP).hooks(home, connect)
    names = ("before_start", "sweep", "idle", "on_drain")
    return Hooks(**{name: getattr(found, name, None) for name in names})
