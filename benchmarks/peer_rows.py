"""The row of the peers: a first sync of a smaller W1 by each that is installed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from benchmarks.bench import Bench, Rounds
from benchmarks.check import CheckFailed, check
from benchmarks.corpora import Corpus
from benchmarks.measure import Measured, RunFailed, measure
from benchmarks.peers import PEERS
from benchmarks.report import Result
from benchmarks.tools import NAIVE, PLAIN


def peers(bench: Bench) -> Iterator[Result]:
    """Each peer once per round; the script and the product beside them on the same folder."""
    corpus = bench.w1(bench.sizes.peers)
    script = bench.first_syncs([NAIVE], corpus)[NAIVE.name]
    what = f"first sync, {len(corpus.tokens):,} files"
    if not PLAIN.missing():
        ours = bench.first_syncs([PLAIN], corpus)[PLAIN.name]
        yield _result(f"{what}, {PLAIN.name}", ours, script, "wall clock around the process")
    installed = measure([bench.peers_python, "-m", "benchmarks.peers", "installed"]).output
    for name in PEERS:
        if name not in installed:
            yield Result("peers", f"{what}, {name}", remarks="not installed")
            continue
        try:
            done = bench.in_turn({name: partial(_once, bench, name, corpus)})[name]
        except (CheckFailed, RunFailed) as error:
            # What a peer loses is its own affair: it has no time, and the table goes on.
            yield Result("peers", f"{what}, {name} {installed[name]}", remarks=f"no time: {error}")
            continue
        yield _result(f"{what}, {name} {installed[name]}", done, script, "measured inside, imports included")


def _once(bench: Bench, name: str, corpus: Corpus) -> Measured:
    with bench.folder() as work:
        run = measure([bench.peers_python, "-m", "benchmarks.peers", name, str(corpus.root), str(work)])
        found: dict[str, list[str]] = defaultdict(list)
        for path, token in json.loads((work / "tokens.json").read_text(encoding="utf-8")):
            found[token].append(path)
    check(corpus.tokens, lambda token: found[token])
    return Measured(float(run.output["seconds"]), run.cpu_seconds)


def _result(what: str, ours: Rounds, script: Rounds, how: str) -> Result:
    return Result(
        "peers",
        what,
        f"{ours.seconds:.2f} s",
        f"{script.seconds:.2f} s script",
        ours.seconds / script.seconds,
        remarks=f"{how}; {ours.spread}, processor {ours.cpu_seconds:.2f} s",
    )
