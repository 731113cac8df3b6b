"""What a program that only wants the client has to load."""

from __future__ import annotations

import inspect
import subprocess
import sys

from catchment.client import AsyncClient, AsyncJob, Client, Job, client
from catchment.client.method import Method

SERVER = ("prefect", "sqlalchemy", "fastapi", "starlette", "strawberry", "alembic", "catchment.store")
SERVER += ("catchment.services", "catchment.api", "catchment.sync", "catchment.kit", "catchment.local")


def test_the_client_needs_nothing_of_the_server() -> None:
    """A process of its own loads it, and none of the server's packages."""
    script = (
        "import sys, catchment.client\n"
        f"wanted = {SERVER!r}\n"
        "print(*[name for name in sys.modules if name.startswith(wanted)])\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []


def test_both_clients_have_the_same_operations() -> None:
    """Under the same names, with the same signatures and words."""

    def operations(kind: type) -> dict[str, object]:
        return {name: one.__wrapped__ for name, one in vars(kind).items() if isinstance(one, Method)}

    for blocks in (kind for name, kind in vars(client).items() if inspect.isclass(kind)):
        if blocks.__module__ == client.__name__ and not blocks.__name__.startswith("Async"):
            awaited = getattr(client, f"Async{blocks.__name__}")
            assert operations(blocks) == operations(awaited), blocks
    assert operations(Client).keys() == operations(AsyncClient).keys() == {"search", "overview"}
    assert operations(Job).keys() == operations(AsyncJob).keys() == {"refresh", "wait", "cancel"}


def test_a_method_tells_what_it_takes() -> None:
    """Its help has the words and the arguments of the operation."""
    documented = Client.search
    assert "best first" in str(documented.__doc__)
    assert "limit" in inspect.signature(documented.__wrapped__).parameters
