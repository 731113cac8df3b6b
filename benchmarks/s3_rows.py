"""The rows about the source S3: a server on this machine, and the script that one would tune by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from math import ceil

from benchmarks.bench import Bench, Rounds, measured_inside
from benchmarks.corpora import Corpus
from benchmarks.counting import counting_proxy
from benchmarks.figures import GOALS, START_SECONDS, against_script, details, memory_results, seconds
from benchmarks.measure import python_job
from benchmarks.remote_tools import s3_product, s3_script
from benchmarks.report import Result
from benchmarks.servers import Bucket, s3_is_missing, s3_server

_KEYS_A_PAGE = 1_000
PRODUCT = s3_product
SCRIPT = s3_script


def s3(bench: Bench) -> Iterator[Result]:
    """First sync of a bucket."""
    if reason := s3_is_missing():
        yield Result("s3", "first sync of a bucket", remarks=reason)
        return
    corpus = bench.w1(bench.sizes.base)
    what = f"first sync, {len(corpus.tokens):,} objects of a bucket"
    with s3_server(corpus.root) as bucket:
        yield from against_script(bench, "s3", what, corpus, ours=PRODUCT(bucket), script=SCRIPT(bucket))


def s3_unchanged(bench: Bench) -> Iterator[Result]:
    """A sync of a bucket with nothing to do: its seconds, and its requests at the wire."""
    what = "nothing changed, a bucket"
    corpus = bench.w1(bench.sizes.base)
    if reason := s3_is_missing():
        yield Result("s3-unchanged", what, remarks=reason)
        return
    with s3_server(corpus.root) as bucket:
        for make in (PRODUCT, SCRIPT):
            tool = make(bucket)
            if reason := tool.missing():
                yield Result("s3-unchanged", what, remarks=reason)
                continue
            again, requests = _repeated(bench, bucket, corpus, ours=make is PRODUCT)
            yield _of_seconds(bench, bucket, f"{what}, {tool.name}", again, ours=make is PRODUCT)
            yield _of_requests(f"{what}, {tool.name}", requests, len(corpus.tokens), ours=make is PRODUCT)


def _repeated(bench: Bench, bucket: Bucket, corpus: Corpus, *, ours: bool) -> tuple[Rounds, Counter[str]]:
    """Sync once, again in each round, and once more with the requests counted."""
    make = PRODUCT if ours else SCRIPT
    tool = make(bucket)
    with bench.folder() as index:
        bench.sync(tool, corpus, index)
        rounds = bench.in_turn({tool.name: lambda: bench.sync(tool, corpus, index)})[tool.name]
    with bench.folder() as index, counting_proxy(bucket.endpoint) as (endpoint, requests):
        # The address is part of the connector's settings: the counted runs have an index of their own.
        counted = make(replace(bucket, endpoint=endpoint))
        bench.sync(counted, corpus, index)
        requests.clear()
        bench.sync(counted, corpus, index)
        return rounds, requests


def _of_seconds(bench: Bench, bucket: Bucket, what: str, again: Rounds, *, ours: bool) -> Result:
    raw = floor(bench, "list", bucket)
    allowed = raw + START_SECONDS
    return Result(
        "s3-unchanged",
        what,
        seconds(again),
        f"{allowed:.2f} s allowed",
        again.seconds / allowed,
        GOALS["s3-unchanged"] if ours else None,
        f"allowed: {START_SECONDS} s + bare LIST of {raw:.2f} s (with boto3 "
        f"{floor(bench, 'list-boto3', bucket):.2f} s); {details(again)}",
    )


def _of_requests(what: str, requests: Counter[str], objects: int, *, ours: bool) -> Result:
    """Compare all requests with the pages of the list: a GET or HEAD is one too many."""
    pages = ceil(objects / _KEYS_A_PAGE)
    count = requests.total()
    return Result(
        "s3-unchanged",
        f"requests, {what}",
        " + ".join(f"{number} {kind}" for kind, number in sorted(requests.items())),
        f"{pages} LIST",
        count / pages,
        1.0 if ours else None,
        "counted by a proxy, in a run that is not timed",
        must=1.0 if ours else None,
    )


def memory_s3(bench: Bench) -> Iterator[Result]:
    """Highest memory of the process tree in a first sync of a small and a large bucket."""
    what = "peak of the process tree"
    if reason := s3_is_missing():
        yield Result("memory-s3", what, remarks=reason)
        return
    peaks: dict[tuple[str, int], int] = {}
    sizes = [bench.sizes.base, bench.sizes.large]
    for objects in sizes:
        corpus = bench.w1(objects)
        with s3_server(corpus.root) as bucket:
            tool = PRODUCT(bucket)
            if reason := tool.missing():
                yield Result("memory-s3", what, remarks=reason)
                return
            done = bench.first_syncs([tool], corpus, rounds=1, watch_memory=True)
        peaks[tool.name, objects] = done[tool.name].runs[0].peak_bytes
    yield from memory_results("memory-s3", peaks, sizes=sizes, ours=tool.name, noun="objects")


def s3_floor(bench: Bench) -> Iterator[Result]:
    """What the server and the wire need for a bucket."""
    what = "LIST and GET of a bucket"
    if reason := s3_is_missing():
        yield Result("floor", what, remarks=reason)
        return
    corpus = bench.w1(bench.sizes.base)
    with s3_server(corpus.root) as bucket:
        raw, boto3, get = (floor(bench, part, bucket) for part in ("list", "list-boto3", "get"))
    yield Result(
        "floor",
        f"{what}, {len(corpus.tokens):,} objects, {corpus.bytes / 1e6:.0f} MB",
        f"{get:.2f} s",
        remarks=f"obstore, 16 at a time, measured inside; LIST alone {raw:.2f} s, with boto3 {boto3:.2f} s",
    )


def floor(bench: Bench, part: str, bucket: Bucket) -> float:
    """Return the median seconds of a part of the floor."""
    command = python_job("benchmarks.remote_floor", part, bucket.endpoint, bucket.name)
    return bench.in_turn({part: partial(measured_inside, command)})[part].seconds
