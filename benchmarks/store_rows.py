"""The rows about PostgreSQL as the store: an empty one and a filled one, against COPY with the index last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from benchmarks.bench import Bench, Rounds, measured_inside
from benchmarks.corpora import Corpus
from benchmarks.figures import GOALS, details, ratio, seconds
from benchmarks.measure import Measured, python_job
from benchmarks.remote_tools import store_product, store_script
from benchmarks.report import Result
from benchmarks.servers import Database, database, postgres_is_missing, postgres_server
from benchmarks.tools import Tool

PRODUCT = store_product
SCRIPT = store_script


def store(bench: Bench) -> Iterator[Result]:
    """First sync of text files into an empty store."""
    if reason := postgres_is_missing():
        yield Result("store", "first sync into PostgreSQL", remarks=reason)
        return
    corpus = bench.w1(bench.sizes.base)
    what = f"first sync into PostgreSQL, {len(corpus.tokens):,} files"
    with postgres_server() as server:
        yield from _against_copy(bench, "store", what, server, corpus)
        bare = bench.in_turn({"load": partial(_bare_load, server, corpus)})["load"]
    yield Result(
        "store",
        f"bare COPY, to_tsvector and GIN of chunks that lie ready, {len(corpus.tokens):,} files",
        seconds(bare),
        remarks=f"measured inside; {details(bare)}",
    )


def store_filled(bench: Bench) -> Iterator[Result]:
    """The first sync of a second connector, into a store that holds another corpus of the same size."""
    if reason := postgres_is_missing():
        yield Result("store-filled", "first sync into a filled PostgreSQL", remarks=reason)
        return
    first, second = bench.w1(bench.sizes.base, seed=2), bench.w1(bench.sizes.base)
    what = f"first sync into a PostgreSQL that holds as much, {len(second.tokens):,} files"
    with postgres_server() as server, _filled(bench, server, first) as template:
        yield from _against_copy(bench, "store-filled", what, server, second, template=template)


def _against_copy(
    bench: Bench, row: str, what: str, server: Database, corpus: Corpus, *, template: Database | None = None
) -> Iterator[Result]:
    """Compare with the script, which always loads an empty database."""
    ours, script = PRODUCT(server), SCRIPT(server)
    jobs: dict[str, Callable[[], Measured]] = {}
    if not ours.missing():
        jobs[ours.name] = partial(_load, bench, server, PRODUCT, corpus, template)
    jobs[script.name] = partial(_load, bench, server, SCRIPT, corpus, None)
    done = bench.in_turn(jobs)
    if reason := ours.missing():
        theirs = done[script.name]
        yield Result(row, what, against=f"{seconds(theirs)} script", remarks=f"{reason}; {details(theirs)}")
        return
    result: Rounds = done[ours.name]
    yield ratio(row, what, result, done[script.name], goal=GOALS[row])


def _load(
    bench: Bench,
    server: Database,
    make: Callable[[Database], Tool],
    corpus: Corpus,
    template: Database | None,
) -> Measured:
    with database(server, template=template) as lent, bench.folder() as home:
        return bench.sync(make(lent), corpus, home)


@contextmanager
def _filled(bench: Bench, server: Database, corpus: Corpus) -> Iterator[Database | None]:
    """Lend a database that the product has loaded with a corpus of another connector."""
    if PRODUCT(server).missing():
        yield None
        return
    with database(server) as lent, bench.folder() as home:
        bench.sync(PRODUCT(lent, name="earlier"), corpus, home)
        yield lent


def _bare_load(server: Database, corpus: Corpus) -> Measured:
    with database(server) as lent:
        return measured_inside(python_job("benchmarks.remote_floor", "load", lent.url, corpus.root))
