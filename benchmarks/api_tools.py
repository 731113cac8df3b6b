"""HTTP APIs that can be measured: the product's own, alone or in its stack, and the hand-written one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks import bare_api, catchment_adapter
from benchmarks.check import Search
from benchmarks.measure import Measured, RunFailed, measure, python_job, surroundings
from benchmarks.servers import free_port, running, wait_for_port

_NOTES = {"connectorType": "notes", "name": "Notes", "execution": "LOCAL", "config": {}}
_MAKE = "mutation M($input: CreateConnectorInput!) { createConnector(input: $input) { id } }"
_LOOK_SECONDS = 30


@dataclass(frozen=True)
class Api:
    """A server that runs.

    Attributes:
        name: As it stands in the table.
        url: Its address, without a slash at the end.
        token: Whom its clients speak for.
        pid: Its process.
    """

    name: str
    url: str
    token: str
    pid: int

    def clients(self, kind: str, path: str, *arguments: object) -> Measured:
        """Let sixteen clients ask it; seconds are the clients' own, processor time is the server's.

        Raises:
            RunFailed: A client was not answered as it should be.
        """
        before = self._cpu_seconds()
        run = measure(python_job("benchmarks.clients", kind, self.url + path, self.token, *arguments))
        return Measured(float(run.output["seconds"]), self._cpu_seconds() - before, output=run.output)

    def _cpu_seconds(self) -> float:
        used = psutil.Process(self.pid).cpu_times()
        return float(used.user + used.system)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Make one request and return the JSON of its answer.

        Raises:
            RunFailed: It was not carried out.
        """
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.request(
            method, self.url + path, json=body, headers=headers, timeout=_LOOK_SECONDS, trust_env=False
        )
        if not answer.is_success:
            raise RunFailed(f"{method} {path} was answered with {answer.status_code}: {answer.text[:300]}")
        return answer.json()


@dataclass(frozen=True)
class ApiTool:
    """Something that takes pushes of documents.

    Attributes:
        name: As it stands in the table.
        serve: An empty folder to a server over a new store in it, and the connector that is pushed to.
        search: The folder to a search for the token check.
        missing: Why it cannot run here, or None.
    """

    name: str
    serve: Callable[[Path], AbstractContextManager[tuple[Api, str]]]
    search: Callable[[Path], AbstractContextManager[Search]]
    missing: Callable[[], str | None] = lambda: None


@contextmanager
def _product(home: Path) -> Iterator[tuple[Api, str]]:
    port, environment = free_port(), surroundings(catchment_adapter.environment(home))
    measure(catchment_adapter.command("migrate"), environment=catchment_adapter.environment(home))
    token = new_token(home)
    with running(catchment_adapter.command("api", "--port", port), environment=environment) as process:
        wait_for_port(port, process)
        api = Api(PRODUCT.name, f"http://127.0.0.1:{port}", token, process.pid)
        made = api.ask("POST", "/graphql", {"query": _MAKE, "variables": {"input": _NOTES}})
        yield api, made["data"]["createConnector"]["id"]


def new_token(home: Path) -> str:
    """Make a token for the clients of a home's API."""
    made = measure(
        catchment_adapter.command("token", "add", "benchmark", "--role", "admin", "--json"),
        environment=catchment_adapter.environment(home),
    )
    return str(made.output["secret"])


@contextmanager
def _bare(folder: Path) -> Iterator[tuple[Api, str]]:
    database, port = folder / "bare.db", free_port()
    bare_api.found(database)
    command = [sys.executable, "-m", "benchmarks.bare_api", str(database), str(port)]
    with running(command, environment=surroundings({})) as process:
        wait_for_port(port, process)
        yield Api(BARE.name, f"http://127.0.0.1:{port}", bare_api.TOKEN, process.pid), bare_api.CONNECTOR


PRODUCT = ApiTool(
    name="catchment api",
    serve=_product,
    search=catchment_adapter.open_search,
    missing=catchment_adapter.command_is_missing,
)
BARE = ApiTool(
    name="bare FastAPI and SQLite",
    serve=_bare,
    search=lambda folder: bare_api.open_search(folder / "bare.db"),
)
