"""The parent of the local stack: starts server, worker and API, watches them, and takes everything down.

``python -P -m catchment.local.supervisor`` is the background form, `catchment.local.stack.run_stack` the
other.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TypeVar

from catchment.core.errors import CatchmentError, Unavailable
from catchment.local import drain, pool, state
from catchment.local.children import Child, ChildSpec, Gate, Lifeline
from catchment.local.environment import child_environment, server_environment, worker_environment
from catchment.local.hooks import Hooks, find_hooks
from catchment.local.http import HttpApi
from catchment.local.lifeline import GATE, SOCKET
from catchment.local.paths import prepare, sign_in, tail
from catchment.local.ports import open_port
from catchment.local.settings import StackSettings
from catchment.services.prefect_client import LIVE_STATES, PrefectClient

_LOOK_SECONDS = 0.1
_STOP_SECONDS = 6.0
_HURRIED_STOP_SECONDS = 1.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

logger = logging.getLogger(__name__)

T = TypeVar("T")


class _Stopped(Exception):
    """A signal came before the stack was ready."""


class Supervisor:
    """One life of a stack; `run` returns the exit code."""

    def __init__(self, home: Path, *, background: bool, say: Callable[[str], None], hooks: Hooks) -> None:
        self._home = home
        self._background = background
        self._say = say
        self._hooks = hooks
        self._settings = StackSettings()
        self._lifeline = Lifeline()
        self._gate = Gate()
        self._children: list[Child] = []
        self._signals = 0
        self._stopping = threading.Event()
        self._started_at = time.time()
        self._auth = ""
        self._port = 0
        self._client: PrefectClient | None = None
        self._http = HttpApi(home)

    # The outline.

    def run(self) -> int:
        """Start, watch, stop.

        Returns 0 after a wanted stop, 2 where the start is refused (somebody else runs here, a port is in
        use, `before_start` objects), 1 where a child does not come up.
        """
        try:
            prepare(self._home)
            with state.HomeLock(self._home), self._heeding_signals():
                return self._live()
        except CatchmentError as error:
            self._say(str(error))
            return 1 if isinstance(error, Unavailable) else 2
        finally:
            self._http.close()
            self._gate.close()
            self._lifeline.close()

    def _live(self) -> int:
        state.withdraw(self._home)
        self._auth = sign_in(self._home)
        with self._listening() as listener, self._connected():
            try:
                if self._hooks.before_start:
                    self._hooks.before_start()
                self._start(listener)
                self._watch()
            except _Stopped:
                self._say("Stopped before the stack was ready.")
            finally:
                self._take_down()
        return 0

    # Start.

    def _start(self, listener: socket.socket) -> None:
        client = self._need_client()
        self._say("Starting Prefect ...")
        http = self._start_http() if self._http.is_wanted() else None
        server, worker = self._launch(self._server(listener)), self._launch(self._worker())
        self._wait_for(server)
        pool.furnish(client, self._home)
        self._close_old_runs()
        drain.reopen_intake(client, self._home)
        self._gate.open()
        self._wait_for(worker)
        if http is not None:
            self._wait_for(http)
        self._publish()
        self._say(f"Ready. Prefect's pages: {self._ui_url}")
        if not self._background:  # the log of a background stack is no place for a secret
            self._say(f"Sign in there with: {self._auth}")
            if http is not None:
                self._say(f"The HTTP API: {self._http.address} (its pages: {self._http.address}/docs)")
            self._attempt(self._hooks.on_ready)

    def _server(self, listener: socket.socket) -> ChildSpec:
        settings = server_environment(
            port=self._port, auth=self._auth, retention_days=self._settings.retention_days
        )
        handle = listener.fileno()
        return ChildSpec(
            name="server",
            module="catchment.local.server",
            environment={**self._environment(), **settings, SOCKET: str(handle)},
            pass_fds=(handle,),
            is_ready=self._need_client().is_healthy,
        )

    def _worker(self) -> ChildSpec:
        """Describe the worker: it imports while the server starts, and polls when the gate opens."""
        limit = str(self._settings.worker_limit)
        asks = worker_environment(poll_seconds=self._settings.worker_poll_seconds)
        return ChildSpec(
            name="worker",
            module="catchment.local.worker",
            arguments=("--pool", pool.POOL, "--name", pool.WORKER_NAME, "--limit", limit),
            environment={**self._environment(), **asks, GATE: str(self._gate.reader)},
            pass_fds=(self._gate.reader,),
            is_ready=self._worker_polls,
            before_restart=lambda: pool.close_leftovers(self._need_client()),
        )

    def _launch(self, spec: ChildSpec) -> Child:
        child = Child(spec, home=self._home, lifeline=self._lifeline, log_bytes=self._settings.log_bytes)
        self._children.append(child)
        child.start()
        return child

    def _start_http(self) -> Child:
        """Start the HTTP API; it needs neither server nor worker to come up, so nobody waits for it yet."""
        return self._launch(self._http.spec(self._environment()))

    def _wait_for(self, child: Child) -> None:
        """Wait until a child is ready.

        Raises Unavailable with the end of its log when it dies first or takes too long.
        """
        spec = child.spec
        give_up_at = time.monotonic() + self._settings.ready_seconds
        while not spec.is_ready():
            if self._stopping.wait(_LOOK_SECONDS):
                raise _Stopped
            if not child.is_alive or time.monotonic() > give_up_at:
                log = self._home / "logs" / f"{spec.name}.log"
                raise Unavailable(f"The {spec.name} does not come up. End of {log}:\n{tail(log)}")

    def _worker_polls(self) -> bool:
        """Say whether the worker has signed in since this start."""
        for worker in self._need_client().workers(pool.POOL):
            beat = worker.get("last_heartbeat_time")
            if worker["name"] == pool.WORKER_NAME and beat and worker.get("status") == "ONLINE":
                return datetime.fromisoformat(beat).timestamp() > self._started_at
        return False

    def _close_old_runs(self) -> None:
        closed = pool.close_leftovers(self._need_client())
        skipped = pool.skip_missed(self._need_client())
        if closed:
            self._say(f"Closed {closed} run(s) that an earlier stack left unfinished.")
        if skipped:
            self._say(f"Skipped {skipped} missed scheduled run(s); the newest of each schedule follows now.")

    def _publish(self) -> None:
        state.publish(
            self._home,
            state.StackState(
                api_url=self._need_client().api_url,
                ui_url=self._ui_url,
                auth=self._auth,
                supervisor_pid=os.getpid(),
                pids={child.spec.name: child.pid for child in self._children},
                boot_id=state.boot_id(),
                started_at=self._started_at,
                background=self._background,
                http_url=self._http.address if self._http_child is not None else "",
            ),
        )

    # Watch.

    def _watch(self) -> None:
        """Keep the children alive until a signal comes, or a background stack has been idle for long."""
        upkeep = threading.Thread(target=self._keep_up, name="upkeep", daemon=True)
        upkeep.start()
        last_use = time.time()
        next_look = 0.0
        while not self._stopping.wait(_LOOK_SECONDS):
            self._revive()
            if self._http_child is None and self._http.is_wanted():
                self._attempt(self._add_http)
            if self._background and time.monotonic() >= next_look:
                next_look = time.monotonic() + min(self._settings.sweep_seconds, 15.0)
                last_use = max(last_use, self._last_use())
                if time.time() - last_use > self._settings.idle_minutes * 60:
                    self._say("Stopping: nothing to do.")
                    break
        self._stopping.set()
        upkeep.join(_STOP_SECONDS)

    def _keep_up(self) -> None:
        """Sweep at once and then at every interval; whatever goes wrong is logged and tried again."""
        while self._hooks.sweep is not None:
            try:
                self._hooks.sweep()
            except Exception as error:
                _report("Upkeep failed and is tried again soon", error)
            if self._stopping.wait(self._settings.sweep_seconds):
                return

    def _add_http(self) -> None:
        """Start the HTTP API in a stack that ran without it, because somebody asked for it."""
        try:
            child = self._start_http()
        except CatchmentError:
            self._http.forget()  # or it would be tried ten times a second
            raise
        self._wait_for(child)
        self._publish()

    def _revive(self) -> None:
        for child in self._children:
            name = child.spec.name
            if child.pid and not child.is_alive:
                pause = child.bury()
                self._say(f"The {name} has died; it starts again in {pause:g} s (see logs/{name}.log).")
            try:
                if child.restart_if_due():
                    self._publish()
            except CatchmentError as error:
                logger.warning("The %s cannot start yet: %s", name, error)

    def _last_use(self) -> float:
        """Return when the stack was last needed, in POSIX seconds: now, while runs are due or at work."""
        # An active schedule always has runs planned ahead, so planned runs stand for schedules too.
        states = ["SCHEDULED", *LIVE_STATES]
        try:
            if self._need_client().count_flow_runs(states=states):
                return time.time()
            if self._hooks.idle is not None and not self._hooks.idle():
                return time.time()
        except Exception as error:
            _report("Cannot tell whether the stack is idle, so it stays", error)
            return time.time()
        used = self._home / "run" / "used"
        return used.stat().st_mtime if used.exists() else self._started_at

    # Stop.

    def _take_down(self) -> None:
        """Drain, then stop the children in reverse order. Nothing survives, whatever goes wrong before."""
        self._stopping.set()
        was_ready = state.read_state(self._home) is not None
        state.withdraw(self._home)
        # Nothing new is to arrive while the running syncs end.
        if self._http_child is not None:
            self._http_child.stop(seconds=self._patience)
        self._http.close()
        try:
            if was_ready:
                self._drain()
        finally:
            for child in reversed(self._children):
                if child.spec.name == "server":
                    # The worker is gone by now: a pool resumed earlier would hand it one more run.
                    self._reopen(was_ready)
                child.stop(seconds=self._patience)
            self._say("Stopped.")

    def _drain(self) -> None:
        """Let the running flows end by themselves; a step that fails leaves the others to do their part."""
        client = self._need_client()
        if self._server_lives():
            self._attempt(lambda: drain.stop_intake(client, self._home))
        # Also without Prefect: a run reads its row at least once a second and stops by itself.
        self._attempt(self._hooks.on_drain)
        if not self._server_lives():
            self._say("Prefect's server is down: runs get a moment to stop by themselves.")
            time.sleep(0 if self._is_hurried() else _STOP_SECONDS)
            return
        if asked := self._attempt(lambda: drain.cancel_running(client)):
            self._say(f"Waiting for {asked} run(s) to end. Press Ctrl-C again to stop at once.")
        seconds = self._settings.drain_seconds
        if left := self._attempt(
            lambda: drain.wait_until_idle(client, seconds=seconds, is_hurried=self._is_hurried)
        ):
            self._say(f"{left} run(s) did not end in time and are killed; they go on at the next start.")

    def _attempt(self, step: Callable[[], T] | None) -> T | None:
        """Take one step of the way down; a failure, or a server that is gone, costs only this step."""
        if step is None:
            return None
        try:
            return step()
        except Exception as error:
            _report("A step of the shutdown failed", error)
            return None

    def _reopen(self, was_ready: bool) -> None:
        if was_ready and self._server_lives():
            client = self._need_client()
            self._attempt(lambda: pool.close_leftovers(client))
            self._attempt(lambda: drain.reopen_intake(client, self._home))

    def _server_lives(self) -> bool:
        return any(child.spec.name == "server" and child.is_alive for child in self._children)

    @property
    def _http_child(self) -> Child | None:
        return next((child for child in self._children if child.spec.name == HttpApi.NAME), None)

    @property
    def _patience(self) -> float:
        return _HURRIED_STOP_SECONDS if self._is_hurried() else _STOP_SECONDS

    def _is_hurried(self) -> bool:
        return self._signals > 1

    # Means.

    @property
    def _ui_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def _environment(self) -> dict[str, str]:
        return child_environment(self._home, api_url=self._need_client().api_url, auth=self._auth)

    def _need_client(self) -> PrefectClient:
        assert self._client is not None, "no connection outside _live"
        return self._client

    @contextmanager
    def _connected(self) -> Iterator[None]:
        with PrefectClient(f"{self._ui_url}/api", self._auth) as self._client:
            yield

    @contextmanager
    def _listening(self) -> Iterator[socket.socket]:
        """Open the server's port.

        Raises ConfigRejected when the port that the settings ask for is in use.
        """
        with open_port(self._home, self._settings.server_port) as listener:
            self._port = listener.getsockname()[1]
            yield listener

    @contextmanager
    def _heeding_signals(self) -> Iterator[None]:
        """Turn the first signal into a drain and the second into haste; afterwards all is as before."""
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._signals += 1
        self._stopping.set()


def _report(what: str, error: Exception) -> None:
    """Log a failure that is survived: in a sentence where we know it, with its traceback where we do not."""
    unknown = None if isinstance(error, CatchmentError) else error
    logger.error("%s: %s", what, error, exc_info=unknown)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the background form for the home of the settings."""
    from catchment.core.home import home_settings

    del arguments
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    home = home_settings().root
    supervisor = Supervisor(home, background=True, say=logger.info, hooks=find_hooks(home))
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
