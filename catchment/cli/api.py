"""``catchment api``: the HTTP API by itself."""

from __future__ import annotations

from catchment.cli.house import House
from catchment.cli.output import out


def api(*, host: str | None = None, port: int | None = None) -> int:
    """Run the HTTP API in the foreground, for one that stands apart from the local stack.

    Stays until Ctrl-C. catchment up runs one, too. It needs a store; and whatever starts a sync needs a
    Prefect, too: the local stack's, or the one that CATCHMENT_PREFECT_API_URL names.

    Args:
        host: Address to listen on; 127.0.0.1 if absent. Any other shows the API to a network.
        port: Port to listen on; 8377, or a free one, if absent.
    """
    import os
    import sys

    from catchment.cli.token import show_first
    from catchment.local.environment import child_environment

    house = House()
    house.engine()
    if house.is_local and house.stack_state() is None:
        out.note("The local stack does not run: what needs Prefect answers 503 until it does (catchment up).")
    show_first(house)
    environment = child_environment(house.root)
    if host is not None:
        environment["CATCHMENT_API_HOST"] = host
    if port is not None:
        environment["CATCHMENT_API_PORT"] = str(port)
    os.chdir(house.root)
    sys.stdout.flush()
    # This process becomes the API: signals reach it without a middleman.
    os.execve(  # noqa: S606 - our own interpreter and our own words
        sys.executable, [sys.executable, "-P", "-u", "-m", "catchment.api.serve"], environment
    )
