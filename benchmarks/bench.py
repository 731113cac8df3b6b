"""The bench that rows work on: corpora by size, a place for indexes, and rounds of measured, checked runs."""

from __future__ import annotations

import contextlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.check import CheckFailed, check
from benchmarks.corpora import Corpus, make_w1
from benchmarks.floor import read
from benchmarks.measure import Measured, measure, python_job
from benchmarks.tools import Tool


def measured_inside(command: Sequence[str]) -> Measured:
    """Run a job that takes its own time: it is small beside an interpreter's start."""
    run = measure(command)
    return Measured(float(run.output["seconds"]), run.cpu_seconds)


@dataclass(frozen=True)
class Sizes:
    """How many files, objects, rows or items of a service: the whole table, or a quick look at it.

    `synced_beside` files are synced while clients read for `reads_seconds`: they must last that long.
    """

    base: int = 10_000
    middle: int = 50_000
    large: int = 100_000
    office: int = 100
    peers: int = 2_000
    rows: int = 200_000
    items: int = 2_000
    synced_beside: int = 50_000
    reads_seconds: float = 10.0


QUICK = Sizes(
    base=1_000,
    middle=2_000,
    large=4_000,
    office=5,
    peers=200,
    rows=20_000,
    items=200,
    synced_beside=10_000,
    reads_seconds=2.0,
)


@dataclass(frozen=True)
class Rounds:
    """All runs of one tool in one comparison; figures are medians."""

    runs: Sequence[Measured]

    @property
    def seconds(self) -> float:
        """Return the median wall clock."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def cpu_seconds(self) -> float:
        """Return the median processor time."""
        return statistics.median(run.cpu_seconds for run in self.runs)

    @property
    def spread(self) -> str:
        """Write the fastest and the slowest run."""
        return f"{min(run.seconds for run in self.runs):.2f} to {max(run.seconds for run in self.runs):.2f} s"


class Bench:
    """Where measurements happen.

    Args:
        cache: Folder that keeps corpora between calls and indexes during one.
        rounds: Runs of each tool in a comparison, one after the other in turn.
        sizes: How many files the corpora have.
        peers_python: Interpreter of the environment that holds the peers.
    """

    def __init__(self, cache: Path, *, rounds: int, sizes: Sizes, peers_python: str = sys.executable) -> None:
        self.cache = cache.absolute()
        self.rounds = rounds
        self.sizes = sizes
        self.peers_python = peers_python
        self.cache.mkdir(parents=True, exist_ok=True)

    def w1(self, files: int, *, seed: int = 1) -> Corpus:
        """Return the corpus of so many text files, in the page cache so that no tool reads it first."""
        corpus = make_w1(self.cache, files=files, seed=seed)
        read(corpus.root)
        return corpus

    def w2(self) -> Corpus:
        """Return the office corpus, in the page cache."""
        from benchmarks.office import make_w2  # its libraries serve this row alone

        corpus = make_w2(self.cache, per_format=self.sizes.office)
        read(corpus.root)
        return corpus

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Lend an empty folder on the disk of the cache."""
        path = Path(tempfile.mkdtemp(prefix="run-", dir=self.cache))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def first_syncs(
        self, tools: Iterable[Tool], corpus: Corpus, *, rounds: int | None = None, watch_memory: bool = False
    ) -> dict[str, Rounds]:
        """Sync a folder into a new index with each tool in turn, checking each result.

        Raises:
            CheckFailed: An index is not what the folder says.
            RunFailed: A run ended with an error.
        """
        jobs = {
            tool.name: partial(self.first_sync, tool, corpus, watch_memory=watch_memory) for tool in tools
        }
        return self.in_turn(jobs, rounds=rounds)

    def first_sync(self, tool: Tool, corpus: Corpus, *, watch_memory: bool = False) -> Measured:
        """Sync a folder into a new index, as `sync` does."""
        with self.folder() as index:
            return self.sync(tool, corpus, index, watch_memory=watch_memory)

    def sync(
        self,
        tool: Tool,
        corpus: Corpus,
        index: Path,
        *,
        stale: Iterable[str] = (),
        watch_memory: bool = False,
    ) -> Measured:
        """Sync once, measured, into an index that may hold something already, and check the result.

        Raises:
            CheckFailed: The index is not what the folder says; the run has no time.
            RunFailed: The run ended with an error.
        """
        run = measure(
            tool.command(corpus.root, index), environment=tool.environment(index), watch_memory=watch_memory
        )
        with tool.search(index) as search:
            try:
                check(corpus.tokens, search, stale=stale)
            except CheckFailed as error:
                raise CheckFailed(f"{tool.name}: {error}") from error
        return run

    def in_turn(
        self, jobs: Mapping[str, Callable[[], Measured]], *, rounds: int | None = None
    ) -> dict[str, Rounds]:
        """Run jobs A, B, A, B, ... so that a slow minute of the machine falls on all of them."""
        runs: dict[str, list[Measured]] = {name: [] for name in jobs}
        for _ in range(rounds or self.rounds):
            for name, job in jobs.items():
                runs[name].append(job())
        return {name: Rounds(done) for name, done in runs.items()}

    def floor(self, part: str, corpus: Corpus) -> float:
        """Return the median seconds of a part of the floor, measured inside the job."""

        def once() -> Measured:
            with self.folder() as folder:
                extra = [folder / "floor.db"] if part == "index" else []
                return measured_inside(python_job("benchmarks.floor", part, corpus.root, *extra))

        return self.in_turn({part: once})[part].seconds

    def process(self, part: str, corpus: Corpus) -> float:
        """Return the median seconds of a part of the floor, as a script of its own."""
        command = python_job("benchmarks.floor", part, corpus.root)
        return self.in_turn({part: lambda: measure(command)})[part].seconds

    def clear(self) -> None:
        """Remove what interrupted runs have left; corpora stay."""
        for path in self.cache.glob("run-*"):
            with contextlib.suppress(OSError):
                shutil.rmtree(path)
