"""Memory over many runs: a process that syncs again and again grows no further, and leaves no spool file.

The syncs happen in a process of their own (``python -m tests.journey.test_memory HOME SOURCE``), since
only there the resident memory is theirs alone. Parsers are its children and end with their run.
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

from catchment.core.settings import ParseSettings

RUNS = 20
WARM = 5
"""Runs after which everything that is imported or cached once is there."""
FILES = 300
CHANGED = 40
LARGE_BYTES = 20 * 1024 * 1024
MOST_GROWTH = 1.10
SECONDS = 400


def write(source: Path, number: int, run: int) -> None:
    """Write a file whose text is new in every run."""
    folder = source / f"f{number // 50}"
    folder.mkdir(parents=True, exist_ok=True)
    line = f"token{run:02}x{number:03} the gauge at the weir was read again\n"
    (folder / f"f{number:03}.txt").write_text(line * 50)


def write_large(source: Path, run: int) -> None:
    """Write the large file, new in every run from its first line to its last."""
    line = f"large{run:02} the gauge at the weir was read again and stood higher than before\n"
    (source / "large.txt").write_text(line * (LARGE_BYTES // len(line)))


def resident_bytes() -> int:
    """Measure this process once the C library has given back what is free."""
    gc.collect()
    with suppress(OSError, AttributeError):  # glibc alone has it
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return psutil.Process().memory_info().rss


def syncs(home: Path, source: Path) -> Iterator[tuple[dict[str, int], int]]:
    """Sync again and again; yield the counters of each run, and the resident bytes after it."""
    from tests.support.plain import PlainHouse
    from tests.support.vault import counts

    house = PlainHouse(home, parse=ParseSettings(max_characters=LARGE_BYTES))
    house.add("folder", {"path": str(source)})
    for run in range(RUNS):
        changed = range(FILES) if run == 0 else range(run * 10, run * 10 + CHANGED)
        for number in changed:
            write(source, number, run)
        write_large(source, run)
        row = house.sync()
        assert row.state == "SUCCEEDED", row
        assert [hit.key for hit in house.search(f"large{run:02}")] == ["large.txt"]
        # An idle connection keeps its page cache, and how many have one depends on how threads met.
        house.engine.dispose()
        yield counts(row), resident_bytes()


def test_twenty_runs_need_no_more_memory_than_five(tmp_path: Path) -> None:
    """Resident memory after run 20 is within a tenth of that after run 5; no spool file is left.

    Acceptance 22. Each run reads 40 changed files and one of 20 MB.
    """
    home, source = tmp_path / "home", tmp_path / "source"
    source.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.journey.test_memory", str(home), str(source)],
        cwd=Path(__file__).parents[2],
        # With an arena for each thread, what is free but kept differs by half between equal runs.
        env={**os.environ, "MALLOC_ARENA_MAX": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == RUNS
    assert told[0]["counts"]["indexed"] == FILES + 1
    assert {run["counts"]["indexed"] for run in told[1:]} == {CHANGED + 1}, "runs did other than meant"
    resident = [run["resident"] for run in told]
    assert resident[-1] < MOST_GROWTH * resident[WARM - 1], [size // 1024 // 1024 for size in resident]
    assert [path for path in (home / "spool").rglob("*") if path.is_file()] == []
    assert list((home / "spool").iterdir()) == []


if __name__ == "__main__":
    for counted, size in syncs(Path(sys.argv[1]), Path(sys.argv[2])):
        print(json.dumps({"counts": counted, "resident": size}), flush=True)
