"""The simulators by the names of their vendors; each is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from catchment.simulators.server import Simulator

CLASSES = {
    "confluence": "Confluence",
    "github": "GitHub",
    "notion": "NotionSimulator",
    "rss": "Simulation",
}
"""The class of each vendor, in the module of its name."""


class WithDemo(Protocol):
    """A simulator's class that makes a corpus of its own up."""

    @classmethod
    def demo(cls, seed: int = 0) -> Simulator:
        """Return a vendor with some hundred items, the same for the same seed."""


def simulator(vendor: str) -> WithDemo:
    """Return the class that stands in for a vendor.

    Raises:
        KeyError: There is none.
    """
    name = CLASSES[vendor]
    return cast(WithDemo, getattr(import_module(f"{__package__}.{vendor}"), name))
