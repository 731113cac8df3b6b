"""The rows about a whole flow run, on a stack that runs already: its seconds and its memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import catchment_adapter
from benchmarks.bench import Bench, Rounds
from benchmarks.corpora import Corpus
from benchmarks.figures import ALLOWED_MB, GOALS, MUSTS, details, memory_results, seconds
from benchmarks.measure import Measured, Peak, measure, python_job
from benchmarks.report import Result
from benchmarks.tools import COMMAND, PLAIN


def prefect(bench: Bench) -> Iterator[Result]:
    """A whole flow run against an empty flow and a sync without Prefect."""
    what = f"whole flow run, {bench.sizes.middle:,} files"
    if reason := PLAIN.missing() or COMMAND.missing():
        yield Result("prefect", what, remarks=reason)
        return
    corpus = bench.w1(bench.sizes.middle)
    empty: list[Measured] = []
    jobs = {
        PLAIN.name: lambda: bench.first_sync(PLAIN, corpus),
        COMMAND.name: lambda: _after_an_empty_flow(bench, corpus, empty),
    }
    done = bench.in_turn(jobs)
    whole, plain, nothing = done[COMMAND.name], done[PLAIN.name], Rounds(empty)
    yield Result(
        "prefect",
        what,
        seconds(whole),
        f"{nothing.seconds:.2f} s empty flow + {plain.seconds:.2f} s without Prefect",
        whole.seconds / (nothing.seconds + plain.seconds),
        GOALS["prefect"],
        f"the stack runs already; the empty flow is measured inside its caller; {details(whole)}",
    )


def memory_flow(bench: Bench) -> Iterator[Result]:
    """Highest memory of a flow's process tree in a first sync, small and large."""
    what = "peak of the process tree of a flow"
    if reason := COMMAND.missing():
        yield Result("memory-flow", what, remarks=reason)
        return
    sizes = [bench.sizes.base, bench.sizes.large]
    peaks = {(COMMAND.name, files): _peak(bench, bench.w1(files)) for files in sizes}
    yield from memory_results("memory-flow", peaks, sizes=sizes, ours=COMMAND.name, noun="files")
    megabytes = peaks[COMMAND.name, sizes[0]] / 1e6
    yield Result(
        "memory-flow",
        f"{what}, {sizes[0]:,} files",
        f"{megabytes:.0f} MB",
        f"{ALLOWED_MB} MB allowed",
        megabytes / ALLOWED_MB,
        GOALS["memory-flow-peak"],
        "Prefect and the parsers are in it; the stack's server and worker, which wait for runs, are not",
        must=MUSTS["memory-flow-peak"],
    )


def _after_an_empty_flow(bench: Bench, corpus: Corpus, empty: list[Measured]) -> Measured:
    """Run the empty flow, then the sync that counts."""
    with _stack(bench) as home:
        nothing = measure(python_job("benchmarks.prefect_cost", home))
        empty.append(Measured(float(nothing.output["seconds"]), nothing.cpu_seconds))
        return bench.sync(COMMAND, corpus, home)


def _peak(bench: Bench, corpus: Corpus) -> int:
    """Return the highest memory of what the worker starts for a sync: the flow, and what the flow starts."""
    with _stack(bench) as home, Peak(catchment_adapter.worker_of(home), itself=False) as peak:
        bench.sync(COMMAND, corpus, home)
    return peak.bytes


@contextmanager
def _stack(bench: Bench) -> Iterator[Path]:
    """Run a stack that a first small sync has started, and lend its home."""
    with bench.folder() as home, bench.folder() as small:
        (small / "first.txt").write_text("The first run starts the stack.", encoding="utf-8")
        surroundings = COMMAND.environment(home)
        try:
            measure(COMMAND.command(small, home), environment=surroundings)
            yield home
        finally:
            measure(catchment_adapter.command("down"), environment=surroundings)
