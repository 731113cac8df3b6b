"""What keeps a process from outliving its parent, whatever kills the parent, and from going ahead of it.

The supervisor holds the writing end of a pipe and never writes. Each child reads; the read ends only when the
supervisor is gone, be it by kill -9, and the child's whole process group dies with it. Flow processes inherit
no descriptor from Prefect's worker, so they watch who their parent is. A gate is a pipe of the same kind; its
writing end is closed when a child may go on. Standard library only.
"""

from __future__ import annotations

import os
import select
import signal
import threading

LIFELINE = "CATCHMENT_LIFELINE_FD"
SOCKET = "CATCHMENT_SERVER_SOCKET_FD"
WORKER = "CATCHMENT_WORKER_PID"
GATE = "CATCHMENT_GATE_FD"

_LOOK_SECONDS = 0.5
"""How often a flow process looks whether its worker lives, where the kernel does not tell."""


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
    _wait_for_end(worker)
    if os.getpgid(0) == worker:
        kill_group(worker)
    os._exit(137)  # as after kill -9: no clean-up that would speak to a server that is gone


def _wait_for_end(worker: int) -> None:
    """Wait until the parent has ended, and not a moment longer than can be helped.

    What reads the output of a flow ends with the worker. Whatever a run then writes to its log ends the run
    as if it were at fault, unless the process is gone before.
    """
    try:
        watched = [os.pidfd_open(worker)]
    except (OSError, AttributeError):  # an older kernel, or none of Linux
        watched = []
    told: list[int] = []
    while os.getppid() == worker and not told:  # else the number may be another process's by now
        told, _, _ = select.select(watched, [], [], _LOOK_SECONDS)
