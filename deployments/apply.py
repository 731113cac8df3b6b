"""Make what deployments need: the work pool, the automation against zombies, and the block types.

``python -m deployments.apply`` does it for the Prefect that ``PREFECT_API_URL`` names, before
``prefect deploy --all --no-prompt``. Doing it again changes nothing. The local stack needs none of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from catchment.blocks import register_all
from catchment.core.errors import CatchmentError
from catchment.core.home import home_settings
from catchment.local import pool
from catchment.services.prefect_client import PrefectClient
from catchment.store.engine import open_engine
from catchment.store.migrate import migrate


def apply(client: PrefectClient) -> list[str]:
    """Make work pool, automation, block types and store; return what was done, in sentences."""
    home = home_settings().root
    pool.furnish(client, home)
    register_all()
    return [
        f"The work pool {pool.POOL} and the automation against zombies stand.",
        "The block types are registered.",
        *migrate(open_engine(home_settings().store_url)),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a command; returns 0, or 2 when Prefect is away."""
    argparse.ArgumentParser(prog="python -m deployments.apply", description=__doc__).parse_args(arguments)
    try:
        with PrefectClient.from_environment() as client:
            for sentence in apply(client):
                print(sentence)
    except CatchmentError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
