"""The simulators by the names of their vendors; each is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

from catchment.simulators.server import Simulator

VENDORS = ("confluence", "github", "notion", "rss")
USUAL_NAME = "Simulation"


class WithDemo(Protocol):
    """A simulator's class that makes a corpus of its own up."""

    @classmethod
    def demo(cls, seed: int = 0) -> Simulator:
        """Return a vendor with some hundred items, the same for the same seed."""


def vendors() -> list[str]:
    """Return the vendors that can be simulated, sorted."""
    return [name for name in VENDORS if find_spec(f"{__package__}.{name}") is not None]


def simulator(vendor: str) -> WithDemo:
    """Return the class that stands in for a vendor.

    Raises:
        LookupError: There is none.
    """
    if vendor not in vendors():
        raise LookupError(vendor)
    module = import_module(f"{__package__}.{vendor}")
    found = getattr(module, USUAL_NAME, None) or next(
        (thing for thing in vars(module).values() if _is_simulator(thing)), None
    )
    if found is None or not hasattr(found, "demo"):
        raise LookupError(vendor)
    return cast(WithDemo, found)


def how_to_connect(vendor: str, world: Simulator, url: str) -> str:
    """Return what to type to sync from a simulator that is served at an address."""
    tell = getattr(world, "how_to_connect", None)
    if tell is not None:
        return str(tell(url))
    return f"Make a connector of {vendor} whose address is {url}; see docs/connectors/{vendor}.md."


def _is_simulator(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, Simulator) and thing is not Simulator
