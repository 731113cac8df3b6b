"""The row about pushes: sixteen clients send documents in batches of fifty."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.api_tools import BARE, PRODUCT, ApiTool
from benchmarks.bench import Bench, Rounds
from benchmarks.check import CheckFailed, check
from benchmarks.clients import BATCH, CLIENTS, is_text
from benchmarks.corpora import Corpus
from benchmarks.figures import GOALS, MUSTS, details, milliseconds, percentile
from benchmarks.measure import Measured
from benchmarks.report import Result

_PUSH = "/api/sync/documents"


def push(bench: Bench) -> Iterator[Result]:
    """Push every text of a corpus into an empty store, against a bare endpoint that does the same inserts."""
    corpus = bench.w1(bench.sizes.base)
    texts = {path: token for path, token in corpus.tokens.items() if is_text(path)}
    tools = [tool for tool in (PRODUCT, BARE) if not tool.missing()]
    done = bench.in_turn({tool.name: partial(_pushed, bench, tool, corpus, texts) for tool in tools})
    theirs = done[BARE.name]
    what = f"{len(texts):,} texts by {CLIENTS} clients, {BATCH} in a push"
    if reason := PRODUCT.missing():
        yield Result("push", what, against=_rate(theirs, len(texts)), remarks=reason)
        return
    ours = done[PRODUCT.name]
    yield Result(
        "push",
        what,
        _rate(ours, len(texts)),
        f"{_rate(theirs, len(texts))} {BARE.name}",
        ours.seconds / theirs.seconds,
        GOALS["push"],
        "seconds for the same documents; processor time of the server "
        f"{ours.cpu_seconds / theirs.cpu_seconds:.2f} x; "
        f"{details(ours)}; bare {details(theirs)}",
        must=MUSTS["push"],
    )
    for percent in (50, 95, 99):
        yield _waiting(percent, ours, theirs)


def _pushed(bench: Bench, tool: ApiTool, corpus: Corpus, texts: dict[str, str]) -> Measured:
    with bench.folder() as folder:
        with tool.serve(folder) as (api, connector):
            run = api.clients("push", _PUSH, connector, corpus.root)
        with tool.search(folder) as search:
            try:
                check(texts, search)
            except CheckFailed as error:
                raise CheckFailed(f"{tool.name}: {error}") from error
    return run


def _rate(rounds: Rounds, documents: int) -> str:
    return f"{documents / rounds.seconds:,.0f} documents/s"


def _waiting(percent: int, ours: Rounds, theirs: Rounds) -> Result:
    """Compare how long a client waits for its answer; the 95th percentile is promised."""
    mine, other = (percentile(milliseconds(rounds), percent) for rounds in (ours, theirs))
    promised = percent == 95
    return Result(
        "push",
        f"p{percent} of a push",
        f"{mine:.0f} ms",
        f"{other:.0f} ms {BARE.name}",
        mine / other,
        GOALS["push-p95"] if promised else None,
        "all rounds together",
        must=MUSTS["push-p95"] if promised else None,
    )
