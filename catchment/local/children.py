"""The processes under the supervisor: each leads its own group, is restarted when it dies, gone when told."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct, field

from catchment.local.lifeline import LIFELINE, kill_group
from catchment.local.paths import open_log

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_STABLE_SECONDS = 60.0
"""After this long alive a death counts as the first again."""


def _nothing() -> None:
    return None


class ChildSpec(Struct, frozen=True):
    """How to start one child.

    `module` is run as ``python -P -m module``; `pass_fds` are open descriptors it inherits; `is_ready` is
    asked until it is true; `before_restart` puts things in order after a death, and may raise to try later.
    """

    name: str
    module: str
    is_ready: Callable[[], bool]
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    before_restart: Callable[[], object] = _nothing


class Lifeline:
    """The pipe whose writing end lives only here: its end of file tells every child that we are gone."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()

    def close(self) -> None:
        """Let go of both ends; children that still read will end."""
        os.close(self.reader)
        self._let_go()

    def _let_go(self) -> None:
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1


class Gate(Lifeline):
    """A pipe at which a child waits after its imports, as long as the writing end is held here."""

    def open(self) -> None:
        """Let the child go on, and every successor of it."""
        self._let_go()


class Child:
    """One process and its successors."""

    def __init__(self, spec: ChildSpec, *, home: Path, lifeline: Lifeline, log_bytes: int) -> None:
        self.spec = spec
        self._home = home
        self._lifeline = lifeline
        self._log_bytes = log_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._deaths = 0
        self._not_before = 0.0

    @property
    def pid(self) -> int:
        """Id of the process, which is also the id of its group; 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def is_alive(self) -> bool:
        """Say whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process; its output goes to ``<home>/logs/<name>.log``."""
        log = open_log(self._home, self.spec.name, largest_bytes=self._log_bytes)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-u", "-m", self.spec.module, *self.spec.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._home,
                env={**self.spec.environment, LIFELINE: str(self._lifeline.reader)},
                pass_fds=(self._lifeline.reader, *self.spec.pass_fds),
                # Ctrl-C must reach the supervisor alone, which drains first.
                start_new_session=True,
            )
        finally:
            os.close(log)
        self._started_at = time.monotonic()

    def wait(self, seconds: float) -> None:
        """Wait for the end of the process. Raises subprocess.TimeoutExpired when it lives on."""
        if self._process is not None:
            self._process.wait(seconds)

    def bury(self) -> float:
        """End what a death left of the group, and return the pause in seconds before the next start."""
        if self._process is not None:
            # Flow processes share the worker's group and must not work on unsupervised.
            kill_group(self._process.pid)
            self._process = None
            lived = time.monotonic() - self._started_at
            self._deaths = 1 if lived > _STABLE_SECONDS else self._deaths + 1
        pause = min(_FIRST_PAUSE_SECONDS * 2.0 ** min(self._deaths - 1, 10), _LONGEST_PAUSE_SECONDS)
        self._not_before = time.monotonic() + pause
        return pause

    def restart_if_due(self) -> bool:
        """Start a successor once the pause is over; say whether it was started.

        Whatever `before_restart` raises is let through, and the next try comes after another pause.
        """
        if self._process is not None or time.monotonic() < self._not_before:
            return False
        self._not_before = time.monotonic() + _LONGEST_PAUSE_SECONDS / 10
        self.spec.before_restart()
        self.start()
        return True

    def stop(self, *, seconds: float) -> None:
        """Ask the process to end, wait, then kill its whole group. Nothing of it survives."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(seconds)
        kill_group(self._process.pid)
        self._process.wait()
        self._process = None
