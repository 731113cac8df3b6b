"""What the platform hands a connector: stop signal, clock, and a place to keep renewed credentials."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, field

from catchment.core.clock import Clock, SystemClock
from catchment.core.errors import RunCancelled
from catchment.kit.config import SourceCredentials
from catchment.kit.network import Network, network_settings
from catchment.kit.places import folder_roots, root_above

if TYPE_CHECKING:
    from catchment.kit.oauth import Client


class Recorded(NamedTuple):
    """What a sync has recorded of an item."""

    version: str | None
    path: str


def _recorded_nothing(_keys: Sequence[str]) -> Mapping[str, Recorded]:
    """Know of no item: then everything is looked at."""
    return {}


def _knows_nobody(_provider: str) -> Client | None:
    """Know no client: then the environment may."""
    return None


def _keep_nothing(_credentials: SourceCredentials) -> None:
    """Drop renewed credentials: the caller has no place for them."""


def _temporary_folder() -> Path:
    """Use the folder of the machine: nobody named a better one."""
    return Path(tempfile.gettempdir())


def _note_nothing(_reason: str, _seconds: float) -> None:
    """Say nothing about a wait."""


class Session(Struct):
    """The surroundings of one connector object.

    Attributes:
        stop: Set when the run must end; every wait of a connector listens to it.
        clock: Where time comes from, and what lets it pass.
        save_credentials: Called with renewed credentials *before* they are used, because a source
            may have revoked the old ones already.
        oauth_client: Returns what a vendor knows this installation by, by the provider's slug, to renew
            tokens with; see `catchment.kit.oauth.client_of`.
        on_wait: Called with a reason and seconds when a wait begins, so that a person can see it.
        spool: Returns a folder for what is too large for memory. That of a run lies on the disk of the store
            and goes with the run; without a run it is the machine's temporary folder, which may be memory.
            Raises OSError where it cannot be made.
        known: Returns what is recorded of items, by key, as far as anything is: for sources that must ask
            more about what is new. Called from the thread that lists.
        trusted: Made by the operator of this machine; others may not read local folders outside
            the configured roots or borrow the machine's own identity.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    clock: Clock = field(default_factory=SystemClock)
    save_credentials: Callable[[SourceCredentials], None] = _keep_nothing
    oauth_client: Callable[[str], Client | None] = _knows_nobody
    on_wait: Callable[[str, float], None] = _note_nothing
    spool: Callable[[], Path] = _temporary_folder
    known: Callable[[Sequence[str]], Mapping[str, Recorded]] = _recorded_nothing
    trusted: bool = True

    @property
    def network(self) -> Network:
        """How to reach the outside; what the operator did not make may not reach private addresses."""
        return network_settings(guarded=not self.trusted)

    def folder_root(self, path: str) -> str | None:
        """Return the folder at or above a path that allows reading it; None where nothing does.

        What the operator made may read everything.
        """
        return "/" if self.trusted else root_above(path, folder_roots())

    def check_stop(self) -> None:
        """Raise `RunCancelled` when the run must end."""
        if self.stop.is_set():
            raise RunCancelled("The run was asked to stop.")

    def wait(self, seconds: float, reason: str) -> None:
        """Wait, visibly, and at most as long as the run may go on.

        Raises:
            RunCancelled: The run was asked to stop meanwhile.
        """
        self.on_wait(reason, seconds)
        try:
            if self.clock.wait(self.stop, seconds):
                self.check_stop()
        finally:
            self.on_wait("", 0.0)
