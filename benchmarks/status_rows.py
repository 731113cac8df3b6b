"""The rows about reading a job's status: sixteen clients ask for it, alone and while the sync runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks import catchment_adapter
from benchmarks.api_tools import BARE, PRODUCT, Api, new_token
from benchmarks.bare_api import JOB
from benchmarks.bench import Bench, Rounds
from benchmarks.clients import CLIENTS
from benchmarks.figures import GOALS, MUSTS, milliseconds, percentile
from benchmarks.measure import Measured, RunFailed, measure
from benchmarks.report import Result

ALLOWED_MILLISECONDS = 50.0
"""How long a client waits at most for 99 of 100 answers while a sync runs."""
_PATIENCE_SECONDS = 120
_LOOK_SECONDS = 0.1
_FINAL = ("completed", "failed", "cancelled")


def status(bench: Bench) -> Iterator[Result]:
    """Read the status of a job, against a bare endpoint; then both while a whole sync runs beside them."""
    if reason := PRODUCT.missing():
        yield Result("status", "status of a job", remarks=reason)
        return
    with _stack(bench) as stack, bench.folder() as folder, BARE.serve(folder) as (bare, notes):
        last = stack.sync()
        stack.wait_for_end(last)
        address = f"/api/v1/connectors/{notes}/sync/{JOB}"

        def reads(api: Api, path: str) -> Callable[[], Measured]:
            return lambda: api.clients("read", path, bench.sizes.reads_seconds)

        quiet = bench.in_turn(
            {PRODUCT.name: reads(stack.api, stack.address(last)), BARE.name: reads(bare, address)}
        )
        yield _against_bare("nothing else to do", quiet[PRODUCT.name], quiet[BARE.name])

        def beside_a_sync(api: Api) -> Callable[[], Measured]:
            def once() -> Measured:
                with stack.syncing() as job:
                    return reads(api, stack.address(job) if api is stack.api else address)()

            return once

        busy = bench.in_turn({PRODUCT.name: beside_a_sync(stack.api), BARE.name: beside_a_sync(bare)})
        yield _against_bare("while a sync runs", busy[PRODUCT.name], busy[BARE.name])
        yield _allowed(busy[PRODUCT.name], busy[BARE.name])


@dataclass(frozen=True)
class _Stack:
    """A local stack that runs: its API, and the connector that is synced."""

    api: Api
    connector: str

    def sync(self) -> str:
        """Ask for a complete sync, and return the id of its job."""
        started: dict[str, Any] = self.api.ask(
            "POST", f"/api/v1/connectors/{self.connector}/sync", {"sync_mode": "full"}
        )
        return str(started["data"]["jobId"])

    def address(self, job: str) -> str:
        """Return the path that tells how a job stands."""
        return f"/api/v1/connectors/{self.connector}/sync/{job}"

    def job(self, job: str) -> dict[str, Any]:
        """Return how a job stands."""
        found: dict[str, Any] = self.api.ask("GET", self.address(job))["data"]
        return found

    def wait_for_end(self, job: str) -> None:
        """Wait until a job is over, however it ended.

        Raises:
            RunFailed: That takes more than two minutes.
        """
        self._wait(lambda: self.job(job)["status"] in _FINAL, f"Job {job} does not end.")

    @contextmanager
    def syncing(self) -> Iterator[str]:
        """Let a complete sync run while the block lasts, and stop it at its end.

        Raises:
            RunFailed: It did not begin to index, or was over before the block was.
        """
        job = self.sync()
        self._wait(lambda: self._has_begun(job), f"Job {job} does not begin.")
        yield job
        if self.job(job)["status"] in _FINAL:
            raise RunFailed(f"The sync was over before the reads were: {self.job(job)}")
        self.api.ask("POST", "/graphql", {"query": _CANCEL, "variables": {"id": self.connector}})
        self.wait_for_end(job)

    def _has_begun(self, job: str) -> bool:
        seen = self.job(job)
        if seen["status"] in _FINAL:
            raise RunFailed(f"The sync did not run: {seen}")
        return bool(seen["progress"]["indexed"])

    @staticmethod
    def _wait(is_so: Callable[[], bool], otherwise: str) -> None:
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        while not is_so():
            if time.monotonic() > give_up_at:
                raise RunFailed(otherwise)
            time.sleep(_LOOK_SECONDS)


_CANCEL = "mutation M($id: ID!) { cancelSync(connectorId: $id) { id } }"


@contextmanager
def _stack(bench: Bench) -> Iterator[_Stack]:
    """Run the whole stack over a corpus that is large enough to be synced while the clients read."""
    corpus = bench.w1(bench.sizes.synced_beside)
    with bench.folder() as home:
        environment = catchment_adapter.environment(home)
        try:
            measure(catchment_adapter.command("up", "--background"), environment=environment)
            made = measure(
                catchment_adapter.command("connector", "add", corpus.root, "--json"), environment=environment
            )
            url, pid = catchment_adapter.api_of(home)
            yield _Stack(Api(PRODUCT.name, url, new_token(home), pid), made.output["id"])
        finally:
            measure(catchment_adapter.command("down"), environment=environment)


def _against_bare(when: str, ours: Rounds, theirs: Rounds) -> Result:
    return Result(
        "status",
        f"job status, {CLIENTS} clients, {when}",
        f"{_rate(ours):,.0f} reads/s",
        f"{_rate(theirs):,.0f} reads/s {BARE.name}",
        _rate(theirs) / _rate(ours),
        remarks=f"time of one read; server's processor time of a read {_each(ours) / _each(theirs):.2f} x, "
        f"{_each(ours) * 1000:.2f} ms; waits {_waits(ours)}; bare {_waits(theirs)}",
    )


def _allowed(ours: Rounds, theirs: Rounds) -> Result:
    mine, other = (percentile(milliseconds(rounds), 99) for rounds in (ours, theirs))
    return Result(
        "status",
        "p99 of a read while a sync runs",
        f"{mine:.0f} ms",
        f"{ALLOWED_MILLISECONDS:.0f} ms allowed",
        mine / ALLOWED_MILLISECONDS,
        GOALS["status"],
        f"every client asks again at once; {BARE.name} {other:.0f} ms",
        must=MUSTS["status"],
    )


def _rate(rounds: Rounds) -> float:
    return len(milliseconds(rounds)) / sum(run.seconds for run in rounds.runs)


def _each(rounds: Rounds) -> float:
    return sum(run.cpu_seconds for run in rounds.runs) / len(milliseconds(rounds))


def _waits(rounds: Rounds) -> str:
    found = milliseconds(rounds)
    return ", ".join(f"p{percent} {percentile(found, percent):.0f} ms" for percent in (50, 95, 99))
