"""What a service works with: the store, a way to Prefect, a clock."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field
from sqlalchemy import Engine

from catchment.core.clock import Clock, SystemClock
from catchment.store.blobs import Blobs
from catchment.store.sealed import KeyFile

if TYPE_CHECKING:
    # Only reading the store must cost neither the HTTP client's import nor that of pydantic.
    from catchment.core.settings import SyncSettings
    from catchment.services.prefect_client import PrefectClient


def _sync_settings() -> SyncSettings:
    from catchment.core.settings import sync_settings

    return sync_settings()


class Context(Struct, dict=True):
    """The surroundings of every service call.

    Attributes:
        engine: The store, at the current revision.
        connect: Opens the way to Prefect; called once, when a service first needs it. Raises
            Unavailable when Prefect is away.
        clock: Where time comes from.
        sync: How runs work.
        blobs: Where files that people hand in are kept; by default in this installation's home.
        key: What opens the secrets that the API keeps for itself; by default this installation's.
    """

    engine: Engine
    connect: Callable[[], PrefectClient]
    clock: Clock = field(default_factory=SystemClock)
    sync: SyncSettings = field(default_factory=_sync_settings)
    blobs: Blobs = field(default_factory=Blobs.of_home)
    key: KeyFile = field(default_factory=KeyFile.of_home)

    @cached_property
    def prefect(self) -> PrefectClient:
        """The connection to Prefect."""
        return self.connect()
