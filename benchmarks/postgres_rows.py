"""The rows about the source PostgreSQL: a server on this machine, and a script with a server-side cursor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from benchmarks.bench import Bench, measured_inside
from benchmarks.check import CheckFailed
from benchmarks.corpora import Corpus
from benchmarks.figures import against_script, details, memory_results, seconds
from benchmarks.measure import python_job
from benchmarks.remote_tools import postgresql_product, postgresql_script
from benchmarks.report import Result
from benchmarks.servers import Database, postgres_is_missing, postgres_server
from benchmarks.table import fill

PRODUCT = postgresql_product
SCRIPT = postgresql_script


def postgresql(bench: Bench) -> Iterator[Result]:
    """First sync of a table, and one with nothing to do."""
    if reason := postgres_is_missing():
        yield Result("postgresql", "first sync of a table", remarks=reason)
        return
    what = f"first sync, {bench.sizes.rows:,} rows of a table"
    with _table(bench, bench.sizes.rows) as (table, corpus):
        ours, script = PRODUCT(table), SCRIPT(table)
        yield from against_script(bench, "postgresql", what, corpus, ours=ours, script=script)
        if not ours.missing():
            yield _unchanged(bench, table, corpus)


def _unchanged(bench: Bench, table: Database, corpus: Corpus) -> Result:
    """Sync with nothing to do; bodies that are read all the same are a defect, however quick it was."""
    tool = PRODUCT(table)
    with bench.folder() as index:
        bench.sync(tool, corpus, index)
        again = bench.in_turn({tool.name: lambda: bench.sync(tool, corpus, index)})[tool.name]
    read = sum(int(run.output.get("fetched", 0)) for run in again.runs)
    if read:
        raise CheckFailed(f"{read} bodies were read though nothing had changed")
    scan, hashes = floor(bench, "scan", table), floor(bench, "hashes", table)
    return Result(
        "postgresql",
        f"nothing changed, {len(corpus.tokens):,} rows, {tool.name}",
        seconds(again),
        f"{scan:.2f} s count(*)",
        again.seconds / scan,
        remarks=f"0 bodies read; key and hash of every row, read bare: {hashes:.2f} s; {details(again)}",
    )


def memory_postgresql(bench: Bench) -> Iterator[Result]:
    """Highest memory of the process tree in a first sync of a small and a large table."""
    what = "peak of the process tree"
    if reason := postgres_is_missing():
        yield Result("memory-postgresql", what, remarks=reason)
        return
    peaks: dict[tuple[str, int], int] = {}
    sizes = [bench.sizes.base, bench.sizes.large]
    for rows in sizes:
        with _table(bench, rows) as (table, corpus):
            tool = PRODUCT(table)
            if reason := tool.missing():
                yield Result("memory-postgresql", what, remarks=reason)
                return
            done = bench.first_syncs([tool], corpus, rounds=1, watch_memory=True)
        peaks[tool.name, rows] = done[tool.name].runs[0].peak_bytes
    yield from memory_results("memory-postgresql", peaks, sizes=sizes, ours=tool.name, noun="rows")


def postgresql_floor(bench: Bench) -> Iterator[Result]:
    """What the server needs to give a table away."""
    if reason := postgres_is_missing():
        yield Result("floor", "COPY out of PostgreSQL", remarks=reason)
        return
    with _table(bench, bench.sizes.rows) as (table, corpus):
        copied, hashes, scan = (floor(bench, part, table) for part in ("copy", "hashes", "scan"))
    yield Result(
        "floor",
        f"COPY out of PostgreSQL, {len(corpus.tokens):,} rows",
        f"{copied:.2f} s",
        remarks=f"binary, as Python objects, measured inside; key and hash of every row {hashes:.2f} s, "
        f"count(*) {scan:.2f} s",
    )


def floor(bench: Bench, part: str, table: Database) -> float:
    """Return the median seconds of a part of the floor."""
    command = python_job("benchmarks.remote_floor", part, table.url)
    return bench.in_turn({part: partial(measured_inside, command)})[part].seconds


@contextmanager
def _table(bench: Bench, rows: int) -> Iterator[tuple[Database, Corpus]]:
    """Lend a server with a filled table, and what must be found of it; it has no folder."""
    with postgres_server() as server:
        yield server, Corpus(bench.cache, fill(server.url, rows))
