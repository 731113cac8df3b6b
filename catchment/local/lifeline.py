"""What keeps a process from outliving its parent, whatever kills the parent, and from going ahead of it.

The supervisor holds the writing end of a pipe and never writes. Each child reads; the read ends only when the
supervisor is gone, be it by kill -9, and the child's whole process group dies with it. Flow processes inherit
no descriptor from Prefect's worker, so they watch who their parent is. A gate is a pipe of the same kind; its
writing end is closed when a child may go on. Standard library only.
"""

from __future__ import annotations

import os
import signal
import threading
import time

LIFELINE = "CATCHMENT_LIFELINE_FD"
SOCKET = "CATCHMENT_SERVER_SOCKET_FD"
WORKER = "CATCHMENT_WORKER_PID"
GATE = "CATCHMENT_GATE_FD"

_LOOK_SECONDS = 0.5


def follow_supervisor() -> None:
    """End this process and its group when the supervisor ends; for leaders of their own group."""
    handle = os.environ.pop(LIFELINE, "")
    if handle:
        os.set_inheritable(int(handle), False)
        threading.Thread(target=_die_at_end, args=(int(handle),), name="lifeline", daemon=True).start()


def wait_at_gate() -> None:
    """Wait until the supervisor lets this process go on; one that was given no gate goes on at once."""
    handle = os.environ.pop(GATE, "")
    if handle:
        _read_to_end(int(handle))
        os.close(int(handle))


def follow_worker() -> None:
    """End this flow process, and its siblings and children, when its worker ends; else do nothing.

    Only a worker of the local stack leaves its id in the environment.
    """
    worker = os.environ.pop(WORKER, "")
    if worker:
        threading.Thread(target=_watch, args=(int(worker),), name="lifeline", daemon=True).start()


def kill_group(group: int) -> None:
    """Kill a process group; one that is gone already is fine."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return


def _read_to_end(handle: int) -> None:
    while os.read(handle, 1):
        pass


def _die_at_end(handle: int) -> None:
    _read_to_end(handle)
    kill_group(os.getpgid(0))


def _watch(worker: int) -> None:
    while os.getppid() == worker:
        time.sleep(_LOOK_SECONDS)
    if os.getpgid(0) == worker:
        kill_group(worker)
    os._exit(137)  # as after kill -9: no clean-up that would speak to a server that is gone
