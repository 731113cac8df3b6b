"""The local stack as others use it: is it there, have it there, run it, stop it.

Importing this costs nothing of Prefect: a command that only asks must be quick.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from catchment.core.errors import Unavailable
from catchment.local.environment import child_environment
from catchment.local.paths import open_log, prepare, tail
from catchment.local.settings import StackSettings
from catchment.local.state import StackState, holder, is_held, read_state

__all__ = ["StackState", "child_environment", "ensure_stack", "read_state", "run_stack", "stop_stack"]

_LOOK_SECONDS = 0.1
_STOP_MARGIN_SECONDS = 25.0
"""Beyond the drain: both children may take 6 s each, and the upkeep thread as long."""
_HURRY_SECONDS = 10.0

_started: list[subprocess.Popen[bytes]] = []
"""Supervisors that this process started: kept, so that they are reaped when they end."""


def ensure_stack(home: Path, *, say: Callable[[str], None]) -> StackState:
    """Return the stack of this home, started in the background if none runs.

    Every call counts as use, which keeps a background stack from stopping for idleness. Waits at most
    `StackSettings.ready_seconds` (90 s).

    Raises:
        Unavailable: it did not come up; the message ends with the last lines of its log and where that is.
    """
    prepare(home)
    (home / "run" / "used").touch(mode=0o600)
    found = read_state(home)
    if found is not None:
        return found
    say("Starting the local stack ...")
    settings = StackSettings()
    give_up_at = time.monotonic() + settings.ready_seconds
    process: subprocess.Popen[bytes] | None = None
    while (found := read_state(home)) is None:
        if process is not None and process.poll() is not None and not is_held(home):
            raise _failed(home, "The local stack did not come up.")
        if time.monotonic() > give_up_at:
            raise _failed(home, f"The local stack is not ready after {settings.ready_seconds:g} s.")
        # One that starts, or that is draining, holds the lock: wait for its state or for its end.
        if process is None and not is_held(home):
            process = _start_in_background(home, log_bytes=settings.log_bytes)
        time.sleep(_LOOK_SECONDS)
    return found


def wait_for_http(home: Path) -> StackState:
    """Return the stack once its HTTP API answers; `catchment.local.http.want` asked for it.

    Raises:
        Unavailable: it did not come up; the message ends with the last lines of its log and where that is.
    """
    give_up_at = time.monotonic() + StackSettings().ready_seconds
    while time.monotonic() < give_up_at and is_held(home):
        state = read_state(home)
        if state is not None and state.http_url:
            return state
        time.sleep(_LOOK_SECONDS)
    raise _failed(home, "The HTTP API did not come up.")


def run_stack(
    home: Path,
    *,
    background: bool,
    say: Callable[[str], None],
    sweep: Callable[[], None] | None = None,
    idle: Callable[[], bool] | None = None,
    before_start: Callable[[], None] | None = None,
    on_drain: Callable[[], None] | None = None,
    on_ready: Callable[[], None] | None = None,
) -> int:
    """Be the supervisor of this home until a signal comes, and return the exit code.

    To be called in the main thread, where signals arrive. The first SIGINT, SIGTERM or SIGHUP drains (at
    most 30 s), the second hurries. Exit code 2: refused, nothing was changed; 1: a part did not come up.

    Args:
        home: folder of the installation.
        background: stop by itself after 30 idle minutes.
        say: takes sentences for the person.
        sweep: upkeep, called every 15 s in a thread of its own while the stack is ready.
        idle: False keeps a background stack alive.
        before_start: called under the home's lock before any child starts; may raise to refuse.
        on_drain: called when no further run can begin, before the running ones are cancelled.
        on_ready: called once when a stack in the foreground has told that it is ready.
    """
    from catchment.local.hooks import Hooks
    from catchment.local.supervisor import Supervisor

    hooks = Hooks(sweep=sweep, idle=idle, before_start=before_start, on_drain=on_drain, on_ready=on_ready)
    return Supervisor(home, background=background, say=say, hooks=hooks).run()


def stop_stack(home: Path, *, say: Callable[[str], None]) -> bool:
    """Drain and stop the stack of this home; False when none runs.

    Waits until everything is down; a stack that hangs is hurried, then killed, and its children with it.
    """
    supervisor = holder(home)
    if supervisor is None:
        return False
    say("Stopping the local stack ...")
    patience = StackSettings().drain_seconds + _STOP_MARGIN_SECONDS
    for ask, seconds in (
        (supervisor.terminate, patience),
        (supervisor.terminate, _HURRY_SECONDS),
        (supervisor.kill, _HURRY_SECONDS),
    ):
        try:
            ask()
        except psutil.NoSuchProcess:
            break
        if _is_down(home, supervisor, seconds):
            break
    return True


def _is_down(home: Path, supervisor: psutil.Process, seconds: float) -> bool:
    give_up_at = time.monotonic() + seconds
    while is_held(home) or _is_at_work(supervisor):
        if time.monotonic() > give_up_at:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _is_at_work(process: psutil.Process) -> bool:
    try:
        # Dead, but not yet reaped by the command that started it, is dead enough.
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _start_in_background(home: Path, *, log_bytes: int) -> subprocess.Popen[bytes]:
    _started[:] = [process for process in _started if process.poll() is None]
    log = open_log(home, "supervisor", largest_bytes=log_bytes)
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-u", "-m", "catchment.local.supervisor"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home,
            env=child_environment(home),
            start_new_session=True,
        )
    finally:
        os.close(log)
    _started.append(process)
    return process


def _failed(home: Path, what: str) -> Unavailable:
    log = home / "logs" / "supervisor.log"
    return Unavailable(f"{what} Its log, {log}, ends with:\n{tail(log)}")
