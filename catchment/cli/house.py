"""What a command works with: settings, store, and the way to Prefect, opened only when needed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from catchment.cli.output import out
from catchment.cli.server import require_local

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from catchment.core.home import HomeSettings
    from catchment.local.state import StackState
    from catchment.services.context import Context
    from catchment.services.prefect_client import PrefectClient


class House:
    """One installation, as the environment of this process names it.

    Every command makes one that works on the store of this machine: where the environment names a server
    instead, it is refused.
    """

    def __init__(self) -> None:
        require_local()

    @cached_property
    def settings(self) -> HomeSettings:
        """Where everything lies."""
        from catchment.core.home import home_settings

        return home_settings()

    @property
    def root(self) -> Path:
        """The home folder."""
        return self.settings.root

    @property
    def is_local(self) -> bool:
        """Whether Prefect is the local stack's own."""
        return self.settings.prefect_api_url is None

    @cached_property
    def _opened(self) -> Engine:
        from catchment.store.engine import open_engine

        return open_engine(self.settings.store_url)

    def has_store(self) -> bool:
        """Tell whether there is a store, of whatever revision."""
        from catchment.store.migrate import current_revision

        if self.store_path is not None and not self.store_path.exists():
            return False
        return current_revision(self._opened) is not None

    @property
    def store_path(self) -> Path | None:
        """The file of the store; None where it is no file."""
        from sqlalchemy import make_url

        url = make_url(self.settings.store_url)
        return Path(url.database) if url.drivername.startswith("sqlite") and url.database else None

    def unchecked_engine(self) -> Engine:
        """Open the store without a look at its revision."""
        return self._opened

    def engine(self) -> Engine:
        """Open the store.

        Raises:
            UsageError: There is none, or it is not at the revision that this program knows.
        """
        from catchment.core.errors import UsageError
        from catchment.store.migrate import require_current

        if self.store_path is not None and not self.store_path.exists():
            # Looking must not leave folders behind.
            raise UsageError(
                "There is no store yet.",
                remedy="Run: catchment sync <folder>, or catchment up, or catchment migrate.",
            )
        require_current(self._opened)
        return self._opened

    def context(self) -> Context:
        """Return what services need; Prefect is looked for only when a service asks for it."""
        from catchment.services.context import Context

        return Context(self.engine(), connect=self.connect)

    def working(self) -> Context:
        """Return what services need, with Prefect there: the local stack is started if need be.

        Its start makes or migrates the store.

        Raises:
            Unavailable: The local stack does not come up, or the outside Prefect does not answer.
            UsageError: The store is not at the right revision.
        """
        from catchment.core.errors import Unavailable

        client = self.connect()
        if not self.is_local and not client.is_healthy():
            raise Unavailable(
                f"Prefect at {client.api_url} does not answer.",
                remedy="Check CATCHMENT_PREFECT_API_URL, or unset it to use the local stack.",
            )
        from catchment.services.context import Context

        return Context(self.engine(), connect=lambda: client)

    def connect(self) -> PrefectClient:
        """Open the way to Prefect; starts the local stack where it is meant and does not run."""
        if self.is_local:
            state = self.ensure_stack()
            address, sign_in = state.api_url, state.auth
        else:
            assert self.settings.prefect_api_url is not None
            address = self.settings.prefect_api_url
            sign_in = self.settings.prefect_api_auth or ""
        from catchment.services.prefect_client import PrefectClient

        return PrefectClient(address, sign_in)

    def ensure_stack(self) -> StackState:
        """Have the local stack run."""
        from catchment.local.stack import ensure_stack

        return ensure_stack(self.root, say=out.note)

    def stack_state(self) -> StackState | None:
        """Return the local stack that runs, or None."""
        from catchment.local.state import read_state

        return read_state(self.root)

    def run_page(self, flow_run_id: str | None) -> str | None:
        """Return the address of a run in Prefect's pages; None where it is not known."""
        if flow_run_id is None:
            return None
        if self.is_local:
            state = self.stack_state()
            pages = state.ui_url if state is not None else None
        else:
            pages = (self.settings.prefect_api_url or "").rstrip("/").removesuffix("/api")
        return f"{pages}/runs/flow-run/{flow_run_id}" if pages else None
