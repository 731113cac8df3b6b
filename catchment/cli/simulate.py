"""``catchment simulate``: a vendor on this machine, to try things out without an account."""

from __future__ import annotations

from typing import Literal

from catchment.cli import outcome
from catchment.cli.output import out


def simulate(
    vendor: Literal["confluence", "github", "notion", "rss"], /, *, port: int = 0, seed: int = 0
) -> int:
    """Run a stand-in of a vendor with some hundred items, and say how to sync from it.

    It answers on this machine only, keeps everything in memory and stays until Ctrl-C.

    Args:
        vendor: Whose API it has.
        port: Port to listen on; a free one if absent.
        seed: Makes another corpus up; the same number makes the same one.
    """
    from catchment.core.errors import UsageError
    from catchment.simulators import registry

    world = registry.simulator(vendor).demo(seed)
    try:
        with world.serve(port) as url:
            _tell(vendor, url, world.how_to_connect(url))
            _wait()
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"The port {port} cannot be listened on: {error}.", remedy="Choose another, or none."
        ) from error
    return outcome.DONE


def _tell(vendor: str, url: str, how: str) -> None:
    if out.json:
        out.record(vendor=vendor, url=url, how=how)
        return
    out.say(f"A stand-in of {vendor} answers at {url} until Ctrl-C.")
    out.say()
    out.say(how)


def _wait() -> None:
    """Wait for Ctrl-C."""
    import threading

    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        out.note("Stopped.")
