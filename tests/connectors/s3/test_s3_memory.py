"""Memory over many runs that read a bucket: a process that syncs again and again grows no further.

The syncs happen in a process of their own, since only there the resident memory is theirs alone.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from connectors.s3 import S3
from tests.support.s3 import rclone

RUNS = 20
WARM = 8
"""Runs after which everything that is imported or cached once is there."""
OBJECTS, CHANGED = (3000, 1000) if os.environ.get("CATCHMENT_SOAK") == "1" else (300, 60)
LARGE_BYTES = 12 * 1024 * 1024
MOST_GROWTH = 1.10
SECONDS = 1800


def fill(bucket: Path, run: int) -> None:
    """Write the objects of a run: some small ones, and a large one that no parser looks far into."""
    for number in range(OBJECTS if run == 0 else CHANGED):
        (bucket / f"{number:04}.txt").write_text(f"token{run:02}x{number:04} at the weir\n" * 50)
    (bucket / "large.bin").write_bytes(bytes([0, 255, run]) * (LARGE_BYTES // 3))


def resident_bytes() -> int:
    """Measure this process once the C library has given back what is free."""
    gc.collect()
    with suppress(OSError, AttributeError):  # glibc alone has it
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return psutil.Process().memory_info().rss


def syncs(home: Path, bucket: Path, url: str) -> Iterator[tuple[int, int]]:
    """Sync again and again; yield what each run fetched, and the resident bytes after it."""
    from catchment.kit import registry
    from tests.support.plain import PlainHouse

    registry.provider = lambda _slug: S3  # type: ignore[assignment]
    house = PlainHouse(home)
    house.add("s3", {"bucket": bucket.name, "endpoint": url, "anonymous": True})
    for run in range(RUNS):
        fill(bucket, run)
        row = house.sync()
        assert row.state == "SUCCEEDED", row
        # An idle connection keeps its page cache, and how many have one depends on how threads met.
        house.engine.dispose()
        yield row.fetched, resident_bytes()


def test_twenty_runs_need_no_more_memory_than_eight(tmp_path: Path) -> None:
    """Acceptance 22: after run 20 it is within a tenth of that after run 8, and no spool file stays."""
    home, bucket = tmp_path / "home", tmp_path / "served" / "bucket"
    home.mkdir()
    bucket.mkdir(parents=True)
    with rclone(bucket.parent, signed=False) as url:
        done = subprocess.run(
            [sys.executable, "-m", "tests.connectors.s3.test_s3_memory", str(home), str(bucket), url],
            cwd=Path(__file__).parents[3],
            # With an arena for each thread, what is free but kept differs by half between equal runs.
            env={**os.environ, "MALLOC_ARENA_MAX": "1"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [fetched for fetched, _ in told] == [OBJECTS + 1] + [CHANGED + 1] * (RUNS - 1)
    resident = [size for _, size in told]
    assert resident[-1] < MOST_GROWTH * resident[WARM - 1], [size // 1024 // 1024 for size in resident]
    assert [path for path in (home / "spool").rglob("*") if path.is_file()] == []


if __name__ == "__main__":
    for both in syncs(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]):
        print(json.dumps(both), flush=True)
