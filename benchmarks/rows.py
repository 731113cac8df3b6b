"""The rows of the table. Each is a function from the bench to its results and can be run alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from benchmarks import catchment_adapter
from benchmarks.bench import Bench, Rounds
from benchmarks.check import CheckFailed
from benchmarks.corpora import Corpus, change, copy
from benchmarks.figures import (
    GOALS,
    MUSTS,
    START_SECONDS,
    against_script,
    details,
    memory_results,
    ratio,
    seconds,
)
from benchmarks.flow_rows import memory_flow, prefect
from benchmarks.measure import Measured, RunFailed, measure
from benchmarks.peer_rows import peers
from benchmarks.postgres_rows import memory_postgresql, postgresql, postgresql_floor
from benchmarks.push_rows import push
from benchmarks.report import Result
from benchmarks.s3_rows import memory_s3, s3, s3_floor, s3_unchanged
from benchmarks.service_rows import confluence, github, notion, rss
from benchmarks.status_rows import status
from benchmarks.store_rows import store, store_filled
from benchmarks.tools import COMMAND, NAIVE, PLAIN, Tool

Row = Callable[[Bench], Iterator[Result]]

WALKS = 3.0
"""How many times a bare walk a sync with nothing to do may take."""
_STARTS = 5


def run(name: str, bench: Bench) -> list[Result]:
    """Run one row; an error or a failed token check becomes a result that says so.

    Raises:
        KeyError: No row has this name.
    """
    results: list[Result] = []
    try:
        results.extend(
            result if result.goal is None or result.must else replace(result, must=MUSTS.get(name))
            for result in ROWS[name](bench)
        )
    except (CheckFailed, RunFailed) as error:
        results.append(Result(name, "no time", remarks=str(error), failed=True))
    return results


def floor(bench: Bench) -> Iterator[Result]:
    """What the machine needs, and the hand-written script beside it."""
    corpus = bench.w1(bench.sizes.base)
    walk, read, index = (bench.floor(part, corpus) for part in ("walk", "read", "index"))
    script = bench.first_syncs([NAIVE], corpus)[NAIVE.name]
    yield Result(
        "floor",
        f"hand-written script, {len(corpus.tokens):,} files, {corpus.bytes / 1e6:.0f} MB",
        seconds(script),
        f"{read + index:.2f} s read, hash, insert",
        script.seconds / (read + index),
        remarks=f"floor, measured inside: walk and stat {walk:.3f} s, with reading and SHA-256 {read:.2f} s, "
        f"bare FTS5 insert {index:.2f} s; {details(script)}",
    )
    yield from s3_floor(bench)
    yield from postgresql_floor(bench)


def w1(bench: Bench) -> Iterator[Result]:
    """First sync of many text files."""
    corpus = bench.w1(bench.sizes.base)
    what = f"first sync, {len(corpus.tokens):,} txt, md, html"
    yield from against_script(bench, "w1", what, corpus, ours=PLAIN, script=NAIVE)


def w2(bench: Bench) -> Iterator[Result]:
    """First sync of office documents."""
    corpus = bench.w2()
    what = f"first sync, {len(corpus.tokens):,} pdf, docx, xlsx, pptx, html, eml"
    yield from against_script(bench, "w2", what, corpus, ours=PLAIN, script=NAIVE)


def unchanged(bench: Bench) -> Iterator[Result]:
    """A sync with nothing to do, against looking at the files; both are whole processes."""
    corpus = bench.w1(bench.sizes.base)
    walk = bench.process("walk", corpus)
    inside = bench.floor("walk", corpus)
    allowed = START_SECONDS + WALKS * walk
    strictly = START_SECONDS + WALKS * inside
    for tool in (PLAIN, NAIVE):
        what = f"nothing changed, {tool.name}"
        if reason := tool.missing():
            yield Result("unchanged", what, remarks=reason)
            continue
        again = _repeated(bench, tool, corpus)
        yield Result(
            "unchanged",
            what,
            seconds(again),
            f"{allowed:.2f} s allowed",
            again.seconds / allowed,
            GOALS["unchanged"] if tool is PLAIN else None,
            f"allowed: {START_SECONDS} s + {WALKS:g} x walk of {walk:.3f} s; without its interpreter"
            f" {inside:.3f} s, and the ratio {again.seconds / strictly:.2f}; {details(again)}",
        )


def _repeated(bench: Bench, tool: Tool, corpus: Corpus) -> Rounds:
    with bench.folder() as index:
        bench.sync(tool, corpus, index)
        return bench.in_turn({tool.name: lambda: bench.sync(tool, corpus, index)})[tool.name]


def changed(bench: Bench) -> Iterator[Result]:
    """1 % modified, 0.5 % added, 0.5 % deleted, with both tools on the same changes."""
    tools = [tool for tool in (PLAIN, NAIVE) if not tool.missing()]
    with bench.folder() as work:
        corpus = copy(bench.w1(bench.sizes.base), work / "files")
        indexes = {tool.name: work / f"index-{number}" for number, tool in enumerate(tools)}
        first: dict[str, Measured] = {}
        runs: dict[str, list[Measured]] = {tool.name: [] for tool in tools}
        for tool in tools:
            indexes[tool.name].mkdir()
            first[tool.name] = bench.sync(tool, corpus, indexes[tool.name])
        stale: list[str] = []
        for number in range(bench.rounds):
            step = change(corpus, seed=number)
            corpus = step.corpus
            stale += step.stale
            for tool in tools:
                runs[tool.name].append(bench.sync(tool, corpus, indexes[tool.name], stale=stale))
    done = {name: Rounds(some) for name, some in runs.items()}
    yield from _changed_results(done, first)


def _changed_results(done: dict[str, Rounds], first: dict[str, Measured]) -> Iterator[Result]:
    script = done[NAIVE.name]
    for name, rounds in done.items():
        yield Result(
            "changed",
            f"1 % modified, 0.5 % added, 0.5 % deleted, {name}",
            seconds(rounds),
            f"{first[name].seconds:.2f} s its first sync",
            rounds.seconds / first[name].seconds,
            None,
            details(rounds),
        )
    if PLAIN.name in done:
        allowed = script.seconds + START_SECONDS
        yield Result(
            "changed",
            f"the same change, {PLAIN.name}",
            seconds(done[PLAIN.name]),
            f"{allowed:.2f} s script + {START_SECONDS} s",
            done[PLAIN.name].seconds / allowed,
            GOALS["changed"],
            details(done[PLAIN.name]),
        )
    else:
        yield Result("changed", PLAIN.name, remarks=str(PLAIN.missing()))


def memory(bench: Bench) -> Iterator[Result]:
    """Highest memory of the process tree in a first sync, small and large."""
    if reason := PLAIN.missing():
        yield Result("memory", "peak of the process tree", remarks=reason)
        tools, sizes = [NAIVE], [bench.sizes.base]
    else:
        tools, sizes = [PLAIN, NAIVE], [bench.sizes.base, bench.sizes.large]
    peaks: dict[tuple[str, int], int] = {}
    for files in sizes:
        done = bench.first_syncs(tools, bench.w1(files), rounds=1, watch_memory=True)
        peaks |= {(name, files): rounds.runs[0].peak_bytes for name, rounds in done.items()}
    yield from memory_results("memory", peaks, sizes=sizes, ours=PLAIN.name, noun="files")


def growth(bench: Bench) -> Iterator[Result]:
    """Cost of one document in a large folder against a small one."""
    small, large = bench.w1(bench.sizes.base), bench.w1(bench.sizes.large)
    for tool in (PLAIN, NAIVE):
        what = f"cost of a document, {tool.name}, {len(large.tokens):,} files"
        if reason := tool.missing():
            yield Result("growth", what, remarks=reason)
            continue
        jobs = {
            name: partial(bench.first_sync, tool, some) for name, some in (("small", small), ("large", large))
        }
        done = bench.in_turn(jobs)
        each = {
            "small": done["small"].seconds / len(small.tokens),
            "large": done["large"].seconds / len(large.tokens),
        }
        yield Result(
            "growth",
            what,
            f"{each['large'] * 1e6:.0f} us",
            f"{each['small'] * 1e6:.0f} us at {len(small.tokens):,}",
            each["large"] / each["small"],
            GOALS["growth"] if tool is PLAIN else None,
            details(done["large"]),
        )


def imports(bench: Bench) -> Iterator[Result]:
    """How long the command takes to say something, against a bare interpreter."""
    bare = bench.in_turn({"bare": lambda: measure([sys.executable, "-c", "pass"])}, rounds=_STARTS)["bare"]
    reason = PLAIN.missing() or COMMAND.missing()
    for words in (["--help"], ["search", "word"], ["status"]):
        what = "catchment " + " ".join(words)
        if reason:
            yield Result("imports", what, against=f"{seconds(bare)} interpreter", remarks=reason)
            continue
        with bench.folder() as home, bench.folder() as small:
            (small / "first.txt").write_text("One word.", encoding="utf-8")
            measure(PLAIN.command(small, home))
            line, surroundings = catchment_adapter.command(*words), COMMAND.environment(home)
            start = partial(measure, line, environment=surroundings)
            done = bench.in_turn({what: start}, rounds=_STARTS)[what]
        yield ratio("imports", what, done, bare, name="interpreter")


ROWS: dict[str, Row] = {
    "floor": floor,
    "w1": w1,
    "unchanged": unchanged,
    "changed": changed,
    "w2": w2,
    "memory": memory,
    "memory-flow": memory_flow,
    "growth": growth,
    "prefect": prefect,
    "imports": imports,
    "s3": s3,
    "s3-unchanged": s3_unchanged,
    "memory-s3": memory_s3,
    "postgresql": postgresql,
    "memory-postgresql": memory_postgresql,
    "store": store,
    "store-filled": store_filled,
    "push": push,
    "status": status,
    "github": github,
    "confluence": confluence,
    "notion": notion,
    "rss": rss,
    "peers": peers,
}
GROUPS = {"services": ("github", "confluence", "notion", "rss")}
"""Names that stand for several rows."""
