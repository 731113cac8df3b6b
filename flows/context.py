"""What a flow process works with: its store, and the Prefect that it belongs to."""

from __future__ import annotations

import logging

from catchment.core.home import home_settings
from catchment.services.context import Context
from catchment.services.prefect_client import PrefectClient
from catchment.store.engine import open_engine
from catchment.store.migrate import require_current

log = logging.getLogger("catchment.flows")
# One line per batch is what a run's page shows live.
logging.getLogger("catchment").setLevel(logging.INFO)


def open_context() -> Context:
    """Open the store of this process.

    Raises:
        UsageError: The store is not at the revision that this program knows.
    """
    engine = open_engine(home_settings().store_url)
    require_current(engine)
    return Context(engine, connect=PrefectClient.from_environment)
