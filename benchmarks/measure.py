"""Running one job in a fresh process and taking its time, its processor time and its memory.

Seconds are `time.perf_counter` around the whole process, so the interpreter's start and all imports
count. Jobs that measure themselves (the floor, peers) print `seconds` and say so in their row.
Memory is the sum of the resident sets of the process and all of its descendants, read five times a
second; shared pages count once for each process, so it is an upper bound.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import psutil

_SAMPLE_SECONDS = 0.2
_LAST_LINES = 12


class RunFailed(Exception):
    """The job ended with an error; the message holds the last lines that it wrote."""


@dataclass(frozen=True)
class Measured:
    """One run of a job.

    Attributes:
        seconds: Wall clock around the process.
        cpu_seconds: User and system time of the process and of the descendants it waited for.
        peak_bytes: Highest memory of the process tree seen; 0 where it was not asked for.
        output: The JSON object that the job printed on its last line; empty where it printed none.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int = 0
    output: dict[str, Any] = field(default_factory=dict)


def measure(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    watch_memory: bool = False,
    timeout_seconds: float = 3_600,
) -> Measured:
    """Run a command to its end in a fresh process.

    What earlier runs left to be written is flushed first, so that no run pays for another's writes.

    Raises:
        RunFailed: The command could not start, ended with a code other than 0, or took too long.
    """
    os.sync()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        before, start = _children_cpu(), time.perf_counter()
        try:
            process = subprocess.Popen(command, stdout=out, stderr=err, env=surroundings(environment or {}))
        except OSError as error:
            raise RunFailed(f"{command[0]} does not start: {error}") from error
        with ExitStack() as watch:
            peak = watch.enter_context(Peak(process.pid)) if watch_memory else None
            code = _wait(process, timeout_seconds)
            seconds = time.perf_counter() - start
            cpu = _children_cpu() - before
        written = [_text(stream) for stream in (out, err)]
    if code != 0:
        lines = "\n".join(written).strip().splitlines()[-_LAST_LINES:]
        raise RunFailed(f"{' '.join(command[:4])} ... ended with {code}:\n" + "\n".join(lines))
    return Measured(seconds, cpu, peak.bytes if peak else 0, _last_json(written[0]))


def python_job(module: str, *arguments: object) -> list[str]:
    """Return the command that runs a module of this project in the same interpreter."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def machine() -> str:
    """Return one line about where and when figures were taken."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version} (standard library)"
        f"{_bundled_sqlite()}, {time.strftime('%Y-%m-%d')}"
    )


def load() -> float:
    """Return how many processes wanted a core during the last minute: above 0.5, others work here too."""
    return os.getloadavg()[0]


def _bundled_sqlite() -> str:
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        return ""
    return f" and {dbapi2.sqlite_version} (pysqlite3)"


def surroundings(more: Mapping[str, str]) -> dict[str, str]:
    """Return the caller's environment without what would change how jobs behave, and with `more`.

    Compiled modules are kept, or every start would compile its imports again.
    """
    dropped = ("PREFECT_", "CATCHMENT_", "PYTHONDONTWRITEBYTECODE")
    own = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return own | dict(more)


def _wait(process: subprocess.Popen[bytes], timeout_seconds: float) -> int:
    """Wait for the end of a process.

    `Popen.wait` with a timeout looks every 50 ms, too coarse for a command that takes 200; so the wait has
    none, and a timer kills.
    """
    late = threading.Event()

    def give_up() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(timeout_seconds, give_up)
    timer.start()
    try:
        code = process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        timer.cancel()
    if late.is_set():
        raise RunFailed(f"Still not done after {timeout_seconds:.0f} s.")
    return code


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _text(stream: Any) -> str:
    stream.seek(0)
    return str(stream.read().decode("utf-8", "replace"))


def _last_json(text: str) -> dict[str, Any]:
    for line in reversed(text.strip().splitlines()):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return {}


class Peak:
    """Watches the memory of a process tree from a thread, while the block lasts.

    Args:
        pid: The root of the tree.
        itself: Whether the root counts, too.

    Attributes:
        bytes: The highest sum of resident sets seen so far.
    """

    def __init__(self, pid: int, *, itself: bool = True) -> None:
        self.bytes = 0
        self._root = psutil.Process(pid)
        self._itself = itself
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_SAMPLE_SECONDS):
            self.bytes = max(self.bytes, self._now())

    def _now(self) -> int:
        total = 0
        try:
            family = [*([self._root] if self._itself else []), *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return 0
        for process in family:
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total
