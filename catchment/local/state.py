"""Who runs the stack of a home: the lock that one supervisor holds, and the state it publishes."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from msgspec import Struct
from msgspec.structs import asdict

from catchment.core.errors import Conflict
from catchment.local.paths import write_private

_LOCK_TRIES_SECONDS = 1.0


class StackState(Struct, frozen=True):
    """A stack that is ready.

    `auth` is ``user:password``, `started_at` is POSIX seconds, `pids` names the children. `http_url` is the
    address of our own HTTP API; empty where it does not run.
    """

    api_url: str
    ui_url: str
    auth: str
    supervisor_pid: int
    pids: dict[str, int]
    boot_id: str
    started_at: float
    background: bool
    http_url: str = ""


@cache
def boot_id() -> str:
    """Name this boot of the machine, so that a state file of an earlier one is not believed."""
    linux = Path("/proc/sys/kernel/random/boot_id")
    if linux.exists():
        return linux.read_text(encoding="ascii").strip()
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return str(int(psutil.boot_time()))


class HomeLock:
    """The one supervisor of a home. Holds until `release` or the end of the process, however it ends."""

    def __init__(self, home: Path) -> None:
        self._path = home / "run" / "lock"
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the lock and leave this process's id in it.

        Raises Conflict when another supervisor holds it.
        """
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        give_up_at = time.monotonic() + _LOCK_TRIES_SECONDS
        while not _locks(handle, fcntl.LOCK_EX):
            # `holder` of some other process may be looking at this very moment; that takes microseconds.
            if time.monotonic() > give_up_at:
                os.close(handle)
                pid = _recorded(self._path).get("pid", "unknown")
                raise Conflict(
                    f"Catchment already runs for {self._path.parent.parent} (process {pid}).",
                    remedy="Stop it with `catchment down`, or choose another CATCHMENT_HOME.",
                )
            time.sleep(0.02)
        self._handle = handle
        started = psutil.Process().create_time()
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "started": started}).encode(), 0)

    def release(self) -> None:
        """Let another supervisor begin."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> HomeLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_held(home: Path) -> bool:
    """Say whether a supervisor of this home lives."""
    try:
        handle = os.open(home / "run" / "lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _locks(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def holder(home: Path) -> psutil.Process | None:
    """Return the living supervisor's process.

    None when none lives, and in the instant between a supervisor's lock and its name in it.
    """
    if not is_held(home):
        return None
    recorded = _recorded(home / "run" / "lock")
    try:
        process = psutil.Process(int(recorded["pid"]))
        # The same id with another birthday is somebody else's process: never signal it.
        same = abs(process.create_time() - float(recorded["started"])) < 1.0
    except (KeyError, psutil.NoSuchProcess):
        return None
    return process if same else None


def publish(home: Path, state: StackState) -> None:
    """Make the stack known, to its owner alone."""
    write_private(home / "run" / "stack.json", json.dumps(asdict(state), indent=1))


def withdraw(home: Path) -> None:
    """Make the stack unknown: no new work may find it."""
    (home / "run" / "stack.json").unlink(missing_ok=True)


def read_state(home: Path) -> StackState | None:
    """Return the stack that is ready in this home, or None.

    A state file alone proves nothing: its supervisor must live, in this boot, and hold the lock.
    """
    try:
        state = StackState(**_recorded(home / "run" / "stack.json"))
    except TypeError:
        return None
    if state.boot_id != boot_id() or not psutil.pid_exists(state.supervisor_pid) or not is_held(home):
        return None
    return state


def _locks(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _recorded(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
