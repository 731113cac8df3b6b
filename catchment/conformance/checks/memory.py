"""That memory does not follow the size of the source, nor of one file."""

from __future__ import annotations

import gc
import hashlib
import sys
import time
import tracemalloc
from collections.abc import Generator
from contextlib import closing
from functools import partial

from catchment.conformance.abilities import Ability
from catchment.conformance.check import check
from catchment.conformance.stage import Stage
from catchment.conformance.world import Setup
from catchment.core.items import Item
from catchment.kit.connector import Kind
from catchment.kit.registry import AnyConnector

FEW, MANY = 100, 10_000
PAGE = FEW
"""The page at hand counts in both, so that it falls out of the comparison."""
BLOCKS_PER_ITEM = 4
"""What a listing may keep of each thing that it has named: its id, to know it again, and not the thing."""
MANY_SECONDS = 120.0
BIG_BYTES = 200 * 1024 * 1024
BIG_LIMIT_BYTES = 16 * 1024 * 1024
READ_BYTES = 256 * 1024
_LOOKS = 4
_MOMENT_SECONDS = 0.005
_NOT_OURS = ("*/catchment/simulators/*", "*/tracemalloc.py", "*/http/server.py")
"""What stands for the vendor in this process."""


@check("memory-flat-over-items", f"Naming {MANY:,} things takes no more memory than naming {FEW}.")
def over_items(stage: Stage) -> None:
    """Measured as the blocks that the interpreter holds while a listing is read and dropped."""
    stage.pages_of(PAGE)
    stage.limit_seconds = max(stage.limit_seconds, MANY_SECONDS)
    held: list[int] = []
    for begin, count in ((0, FEW), (FEW, MANY)):
        stage.world.many(count - begin, begin)
        stage.world.settle()
        held.append(stage.within(partial(_held_by_listing, stage.source(), count)))
    per_item = (held[1] - held[0]) / (MANY - FEW)
    stage.expect(
        per_item <= BLOCKS_PER_ITEM, f"a listing keeps {per_item:.1f} blocks of memory of each thing"
    )


def _held_by_listing(source: AnyConnector, count: int) -> int:
    """Return the most blocks that were held at some moments of a listing of so many things."""
    gc.collect()
    gc.freeze()  # what was there before is not gone through again at every look
    try:
        with closing(_named(source)) as first:
            next(first)  # the vendor may put its things in order once
        before, most = _blocks(), 0
        for number, _ in enumerate(_named(source)):
            if number % (count // _LOOKS) == 0:
                most = max(most, _blocks() - before)
        return max(most, _blocks() - before)
    finally:
        gc.unfreeze()


def _blocks() -> int:
    """Return how many small pieces of memory are in use; asking costs nothing, unlike tracing each."""
    least = sys.maxsize
    for _ in range(_LOOKS):
        gc.collect()
        least = min(least, sys.getallocatedblocks())
        time.sleep(_MOMENT_SECONDS)  # the vendor's threads let go of the page that they have just sent
    return least


def _named(source: AnyConnector) -> Generator[object, None, None]:
    for scope in source.scopes():
        yield from source.changes(scope, None) if source.kind is Kind.FEED else source.listing(scope)


@check(
    "memory-flat-over-bytes",
    f"Reading one file of {BIG_BYTES // 2**20} MiB takes the memory of a small one.",
    Ability.BIG,
)
def over_bytes(stage: Stage) -> None:
    """Measured as what is held while its body is read piece by piece, without what stands for the vendor."""
    stage.world.big(BIG_BYTES)
    stage.world.settle()
    stage.limit_seconds = max(stage.limit_seconds, MANY_SECONDS)
    config = {**stage.world.config(), "max_file_bytes": 2 * BIG_BYTES}
    source = stage.source(Setup(config))
    items = [item for item in stage.everything(source) if item.refusal is None]
    stage.expect(items, "it is not named")
    # What it lies in may be an item, too.
    size, most = max(stage.within(lambda: [_held_by_reading(source, item) for item in items]))
    stage.expect(size >= BIG_BYTES, f"its body has {size} bytes only")
    stage.expect(most <= BIG_LIMIT_BYTES, f"{most // 2**20} MiB are held while it is read")


def _held_by_reading(source: AnyConnector, item: Item) -> tuple[int, int]:
    """Return the length of a body, and the most that was held while it was read."""
    tracemalloc.start(12)
    try:
        digest, size, most = hashlib.sha256(), 0, 0
        with source.fetch(item).stream() as stream:
            most = _held_now()
            while piece := stream.read(READ_BYTES):
                size += len(piece)
                digest.update(piece)
                if size % (BIG_BYTES // _LOOKS) < READ_BYTES:
                    most = max(most, _held_now())
        return size, most
    finally:
        tracemalloc.stop()


def _held_now() -> int:
    """Return the bytes held by all but the vendor, or a few more that are too few to matter."""
    with_vendor, _ = tracemalloc.get_traced_memory()
    if with_vendor <= BIG_LIMIT_BYTES:
        # To tell the vendor's from ours takes seconds, and together they keep the limit.
        return with_vendor
    filters = [tracemalloc.Filter(False, pattern, all_frames=True) for pattern in _NOT_OURS]
    snapshot = tracemalloc.take_snapshot().filter_traces(filters)
    return sum(trace.size for trace in snapshot.traces)
