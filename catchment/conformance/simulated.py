"""Worlds of vendors that are simulated over HTTP: what is the same for all of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

from catchment.conformance.world import Setup, World
from catchment.core.clock import PassingClock
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.server import Simulator
from catchment.simulators.wire import Reply, Request

NOBODY = "http://127.0.0.1:1"
"""An address at which nobody answers."""


class SimulatedWorld(World):
    """A vendor behind `catchment.simulators`, served on this machine while the world exists.

    A subclass makes the simulator, does to its data what people do, and says which requests are which.

    Class attributes:
        listing_path: Pattern of the path of every request that asks for a page of a listing.
        listing_query: Parameters that stand in such a request as well.
        address_setting: The setting that holds the vendor's address.
        error_body: What the vendor answers in place of a page, under status 200.
    """

    listing_path: ClassVar[str]
    listing_query: ClassVar[Mapping[str, str]] = {}
    address_setting: ClassVar[str]
    error_body: ClassVar[Any] = None

    def __init__(self, folder: Path, clock: PassingClock) -> None:
        super().__init__(folder, clock)
        self.simulator = self.make_simulator()
        self.simulator.clock = clock
        self._serving = ExitStack()
        self.url = self._serving.enter_context(self.simulator.serve())

    def close(self) -> None:
        """Serve no more."""
        self._serving.close()

    @abstractmethod
    def make_simulator(self) -> Simulator:
        """Return the vendor, with nothing in it; its clock is set afterwards."""

    @abstractmethod
    def body_path(self, name: str) -> str:
        """Return the pattern of the path of every request that reads the body of a thing."""

    def refusal(self, _status: int) -> Any:
        """Return the body that the vendor sends with a status that refuses."""
        return {}

    # -- what goes wrong ------------------------------------------------------------------------

    def fault(self, answer: faults.Answer, **more: Any) -> None:
        """Let something go wrong; see `catchment.simulators.faults.Fault`."""
        self.simulator.faults.add(Fault(answer, **more))

    def listing_fault(self, answer: faults.Answer, **more: Any) -> None:
        """Let something go wrong with pages of listings."""
        self.fault(answer, path=self.listing_path, query=dict(self.listing_query), **more)

    def change_pages(self, change: Callable[[Request, Reply], Reply | None], **more: Any) -> None:
        """Change pages of listings as they are sent: what their next cursor says, or what they hold."""
        self.listing_fault(faults.changed(change), **more)

    def mend(self) -> None:
        """Let everything go well again."""
        self.simulator.faults.clear()

    def fail_listing(self, after_pages: int) -> None:
        """Answer 500."""
        self.listing_fault(faults.answer(500, self.refusal(500)), skip=after_pages)

    def fail_body(self, name: str) -> None:
        """Answer 500."""
        self.fault(faults.answer(500, self.refusal(500)), path=self.body_path(name))

    def error_with_200(self) -> None:
        """Answer with the vendor's error."""
        self.listing_fault(faults.answer(200, self.error_body), skip=1)

    def rate_limit(self, form: str | None, after: int = 0) -> None:
        """Answer 429."""
        headers = {"Retry-After": form} if form is not None else {}
        self.fault(faults.answer(429, self.refusal(429), headers), skip=after, times=1)

    def revoke_token(self, after: int) -> None:
        """Answer 401."""
        self.fault(faults.answer(401, self.refusal(401)), skip=after)

    def meanwhile(self, act: Callable[[], object]) -> None:
        """Act between the first page and the second."""
        self.listing_fault(faults.meanwhile(act), skip=1, times=1)

    # -- how it is read -------------------------------------------------------------------------

    def requests(self) -> int:
        """Return how many requests were made so far."""
        return len(self.simulator.asked)

    def unreachable(self) -> Setup:
        """Return a setup that leads to a port on which nobody listens."""
        return Setup({**self.config(), self.address_setting: NOBODY})
