"""What rows have in common: their limits, how a ratio is told, and comparisons that several of them make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil

from benchmarks.bench import Bench, Rounds
from benchmarks.corpora import Corpus
from benchmarks.report import Result
from benchmarks.tools import Tool

# Highest ratios that are good enough; a row without a goal only informs.
GOALS = {
    "w1": 0.7,
    "w2": 0.25,
    "unchanged": 1.0,
    "changed": 1.3,
    "memory": 1.1,
    "memory-flow": 1.1,
    "memory-flow-peak": 2 / 3,  # 200 MB
    "growth": 1.15,
    "prefect": 1.1,
    "s3": 1.1,
    "s3-unchanged": 1.3,
    "memory-s3": 1.1,
    "postgresql": 0.85,
    "memory-postgresql": 1.1,
    "store": 1.15,
    "store-filled": 1.8,
    "push": 1.0,
    "push-p95": 1.2,
    "status": 1.0,
    "requests": 1.05,
    "services": 1.25,  # 0.8 of the items a second
}
MUSTS = {
    "w1": 1.0,
    "w2": 0.5,
    "unchanged": 1.0,
    "changed": 2.0,
    "memory": 1.25,
    "memory-flow": 1.25,
    "memory-flow-peak": 1.0,
    "growth": 1.3,
    "prefect": 1.25,
    "s3": 1.5,
    "memory-s3": 1.25,
    "postgresql": 1.1,
    "memory-postgresql": 1.25,
    "store": 1.5,
    "store-filled": 2.2,
    "push": 1.25,  # 0.8 of the documents a second
    "push-p95": 1.5,
    "status": 1.0,
    "requests": 1.25,
    "services": 2.0,
}
"""A ratio above its must is a defect; the goal is what we work towards."""
START_SECONDS = 0.3
"""What a sync with nothing to do may take beyond looking at the source."""
ALLOWED_MB = 300
"""What the process tree of a flow may hold in a first sync of 10,000 files."""


def seconds(rounds: Rounds) -> str:
    """Write the median."""
    return f"{rounds.seconds:.2f} s"


def details(rounds: Rounds) -> str:
    """Write the spread and the processor time."""
    return f"{rounds.spread}, processor {rounds.cpu_seconds:.2f} s"


def milliseconds(rounds: Rounds) -> list[float]:
    """Return how long each request of each run waited for its answer."""
    return [wait for run in rounds.runs for wait in run.output["milliseconds"]]


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that so many of a hundred do not exceed."""
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]


def ratio(
    row: str, what: str, ours: Rounds, theirs: Rounds, *, goal: float | None = None, name: str = "script"
) -> Result:
    """Compare two tools by their median seconds."""
    return Result(
        row,
        what,
        seconds(ours),
        f"{seconds(theirs)} {name}",
        ours.seconds / theirs.seconds,
        goal,
        f"processor time {ours.cpu_seconds / theirs.cpu_seconds:.2f} x; {details(ours)}; "
        f"{name} {details(theirs)}",
    )


def against_script(
    bench: Bench, row: str, what: str, corpus: Corpus, *, ours: Tool, script: Tool
) -> Iterator[Result]:
    """First sync by the product and by a script, or by the script alone where the product cannot run."""
    reason = ours.missing()
    done = bench.first_syncs([script] if reason else [ours, script], corpus)
    theirs = done[script.name]
    if reason:
        yield Result(row, what, against=f"{seconds(theirs)} script", remarks=f"{reason}; {details(theirs)}")
        return
    yield ratio(row, what, done[ours.name], theirs, goal=GOALS[row])


def memory_results(
    row: str, peaks: Mapping[tuple[str, int], int], *, sizes: Sequence[int], ours: str, noun: str
) -> Iterator[Result]:
    """Compare the highest memory at the largest size with that at the smallest, for each tool.

    Args:
        row: Name of the row.
        peaks: Tool and size to the bytes.
        sizes: One size, or the smallest first and the largest last.
        ours: The tool that the goal is for.
        noun: What is counted by the sizes.
    """
    for name in dict.fromkeys(tool for tool, _ in peaks):
        low, high = peaks[name, sizes[0]], peaks[name, sizes[-1]]
        yield Result(
            row,
            f"peak of the process tree, {name}, {sizes[-1]:,} {noun}",
            f"{high / 2**20:.0f} MiB",
            f"{low / 2**20:.0f} MiB at {sizes[0]:,}" if len(sizes) > 1 else "",
            high / low if len(sizes) > 1 and low else None,
            GOALS[row] if name == ours else None,
            "one run each; resident sets added up, so shared pages count more than once",
        )
