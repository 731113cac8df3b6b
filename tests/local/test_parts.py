"""The parts of the stack by themselves: lock, state, environment, port, template, order at start."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psutil
import pytest
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from catchment.core.errors import ConfigRejected, Conflict
from catchment.local import drain, paths, pool, state
from catchment.local.children import Child, ChildSpec, Gate, Lifeline
from catchment.local.environment import child_environment, worker_environment
from catchment.local.hooks import Hooks, find_hooks
from catchment.local.lifeline import GATE, wait_at_gate
from catchment.local.ports import open_port
from catchment.local.supervisor import Supervisor
from catchment.services.prefect_client import PrefectClient
from tests.support.loopback import on_loopback
from tests.support.stack import alive, wait_for


@pytest.fixture
def home(tmp_path: Path) -> Path:
    paths.prepare(tmp_path)
    return tmp_path


def ready(home: Path) -> state.StackState:
    """Return a state that this very process could have published."""
    return state.StackState(
        api_url="http://127.0.0.1:1/api",
        ui_url="http://127.0.0.1:1",
        auth="u:p",
        supervisor_pid=os.getpid(),
        pids={"server": 1},
        boot_id=state.boot_id(),
        started_at=1.0,
        background=False,
    )


class TestState:
    def test_a_state_is_believed_while_its_supervisor_holds_the_lock(self, home: Path) -> None:
        """What was published is read back as long as the lock is held, and not a moment longer."""
        with state.HomeLock(home):
            state.publish(home, ready(home))
            assert state.read_state(home) == ready(home)
        assert state.read_state(home) is None

    def test_a_state_of_another_boot_is_not_believed(self, home: Path) -> None:
        """After a power failure the old file names processes that are somebody else's."""
        with state.HomeLock(home):
            state.publish(home, replace(ready(home), boot_id="an-earlier-boot"))
            assert state.read_state(home) is None

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"api_url": "x"}'])
    def test_a_damaged_state_file_is_no_stack(self, home: Path, content: str) -> None:
        """Whatever stands in the file, reading it does not fail."""
        with state.HomeLock(home):
            (home / "run" / "stack.json").write_text(content)
            assert state.read_state(home) is None

    def test_a_home_that_was_never_used_has_no_stack(self, tmp_path: Path) -> None:
        """Asking does not create anything."""
        assert state.read_state(tmp_path / "nowhere") is None
        assert not (tmp_path / "nowhere").exists()


class TestLock:
    def test_a_second_lock_is_refused_with_the_process_of_the_first(self, home: Path) -> None:
        """The refusal names the process and the way out."""
        with state.HomeLock(home), pytest.raises(Conflict) as refused:
            state.HomeLock(home).acquire()
        assert f"process {os.getpid()}" in refused.value.message
        assert "catchment down" in refused.value.remedy

    def test_the_holder_is_found_by_id_and_birthday(self, home: Path) -> None:
        """A recorded id that belongs to another process by now is nobody: it must never get a signal."""
        with state.HomeLock(home):
            found = state.holder(home)
            assert found is not None
            assert found.pid == os.getpid()
            (home / "run" / "lock").write_text(json.dumps({"pid": os.getpid(), "started": 1.0}))
            assert state.holder(home) is None
        assert state.holder(home) is None

    def test_looking_does_not_keep_a_supervisor_from_starting(self, home: Path) -> None:
        """Asking whether the lock is held leaves it free."""
        with state.HomeLock(home):
            assert state.is_held(home)
        assert not state.is_held(home)
        with state.HomeLock(home):
            assert state.is_held(home)


class TestEnvironment:
    def test_foreign_prefect_settings_are_dropped_in_any_spelling(self, home: Path) -> None:
        """Prefect reads its variables in upper and lower case: both go."""
        base = {"PREFECT_API_URL": "x", "prefect_api_key": "y", "Prefect_Profile": "z", "KEPT": "1"}
        made = child_environment(home, api_url="http://here/api", auth="u:p", base=base)
        assert made["PREFECT_API_URL"] == "http://here/api"
        assert made["PREFECT_API_AUTH_STRING"] == "u:p"
        assert made["KEPT"] == "1"
        assert not {"prefect_api_key", "Prefect_Profile"} & set(made)

    def test_a_proxy_is_kept_away_from_the_loopback_address(self, home: Path) -> None:
        """Prefect's own client honours proxies: ours never goes through one."""
        assert child_environment(home, base={"no_proxy": "corp"})["NO_PROXY"] == "corp,127.0.0.1,localhost"

    def test_plain_http_on_this_machine_trusts_one_authority(self, home: Path) -> None:
        """Prefect's clients read the file each time; any other address has the world's, as it came."""
        local = child_environment(home, api_url="http://127.0.0.1:4200/api", base={})
        assert len(ssl.create_default_context(cafile=local["PREFECT_API_SSL_CERT_FILE"]).get_ca_certs()) == 1
        for address in ("https://prefect.example/api", "http://prefect.example:4200/api"):
            assert "PREFECT_API_SSL_CERT_FILE" not in child_environment(home, api_url=address, base={})

    def test_prefects_client_asks_and_reads_nothing_but_what_is_wanted(self, home: Path) -> None:
        """Neither for the version of the same installation, nor for a token; no certificates of the world."""
        asked: list[str] = []

        async def write_down(request: Request) -> JSONResponse:
            asked.append(f"{request.method} {request.url.path}")
            return JSONResponse({"count": 0})

        app = Starlette(routes=[Route("/{path:path}", write_down, methods=["GET", "POST"])])
        code = (
            "import ssl\n"
            "from prefect.context import SyncClientContext\n"
            "load = ssl.SSLContext.load_verify_locations\n"
            "def noted(context, cafile=None, capath=None, cadata=None):\n"
            "    print(cafile)\n"
            "    load(context, cafile, capath, cadata)\n"
            "ssl.SSLContext.load_verify_locations = noted\n"
            "ssl.SSLContext.load_default_certs = lambda context, purpose=None: print('the world')\n"
            "with SyncClientContext() as around:\n"  # as a flow has its client
            "    around.client.request('POST', '/flow_runs/count', json={})\n"
        )
        with on_loopback(app) as address:
            environment = child_environment(home, api_url=f"{address}/api")
            child = subprocess.run(
                [sys.executable, "-c", code],
                env=environment,
                check=True,
                timeout=60,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert asked == ["POST /api/flow_runs/count"]
        assert set(child.stdout.splitlines()) == {str(paths.authority(home))}

    def test_nothing_is_sent_home(self, home: Path) -> None:
        """Telemetry of server and client is off, and bytecode may be written."""
        made = child_environment(home, base={"PYTHONDONTWRITEBYTECODE": "1"})
        assert made["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
        assert made["DO_NOT_TRACK"] == "1"
        assert "PYTHONDONTWRITEBYTECODE" not in made

    def test_the_worker_asks_for_runs_as_often_as_it_is_told(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Prefect's own default is ten seconds."""

        def asked() -> str:
            supervisor = Supervisor(home, background=False, say=print, hooks=Hooks())
            with PrefectClient("http://127.0.0.1:1/api", "") as supervisor._client:
                spec = supervisor._worker()
            supervisor._gate.close()
            supervisor._lifeline.close()
            return spec.environment["PREFECT_WORKER_QUERY_SECONDS"]

        monkeypatch.delenv("CATCHMENT_STACK_WORKER_POLL_SECONDS", raising=False)
        assert asked() == "0.3"
        monkeypatch.setenv("CATCHMENT_STACK_WORKER_POLL_SECONDS", "2.5")
        assert asked() == "2.5"

    def test_runs_do_not_get_the_clients_of_sign_ins(self, home: Path) -> None:
        """They carry out code of third parties, and the API alone needs those."""
        base = {"CATCHMENT_OAUTH_SLACK_CLIENT_SECRET": "jewel", "CATCHMENT_SYNC_FETCHES": "4"}
        made = child_environment(home, base=base) | worker_environment(poll_seconds=1, base=base)
        assert "jewel" not in made.values()
        assert made["CATCHMENT_SYNC_FETCHES"] == "4"
        assert child_environment(home, base=base)["CATCHMENT_OAUTH_SLACK_CLIENT_SECRET"] == "jewel"


class TestPort:
    def test_the_port_of_last_time_is_taken_again(self, home: Path) -> None:
        """A bookmark of Prefect's pages stays good from one start to the next."""
        with open_port(home, 0) as first:
            port = first.getsockname()[1]
        with open_port(home, 0) as again:
            assert again.getsockname()[1] == port

    def test_a_port_of_last_time_that_is_taken_gives_way(self, home: Path) -> None:
        """Without a request any free port will do."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            (home / "run" / "port").write_text(str(taken.getsockname()[1]))
            with open_port(home, 0) as found:
                assert found.getsockname()[1] != taken.getsockname()[1]

    def test_a_requested_port_in_use_is_refused(self, home: Path) -> None:
        """The refusal names the setting."""
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigRejected) as refused:
            open_port(home, taken.getsockname()[1])
        assert refused.value.setting == "CATCHMENT_STACK_SERVER_PORT"

    def test_small_answers_leave_it_at_once(self, home: Path) -> None:
        """A server on it waits for no confirmation before it sends the second part of an answer: 40 ms."""

        async def delays() -> int:
            asked = asyncio.get_running_loop().create_future()
            with open_port(home, 0) as listener:
                server = await asyncio.start_server(lambda _, writer: asked.set_result(writer), sock=listener)
                _, client = await asyncio.open_connection(*listener.getsockname())
                accepted = (await asked).get_extra_info("socket")
                found = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                client.close()
                server.close()
                return int(found)

        assert asyncio.run(delays())


class TestFiles:
    def test_the_sign_in_is_made_once(self, home: Path) -> None:
        """A home keeps its sign-in, and another home has another."""
        first = paths.sign_in(home)
        assert paths.sign_in(home) == first
        assert len(first.partition(":")[2]) >= 32
        (home / "run" / "auth").unlink()
        assert paths.sign_in(home) != first

    def test_a_large_log_is_put_aside(self, home: Path) -> None:
        """Old logs move up by one, three at most; nothing is overwritten before."""
        for text in ("one", "two", "three", "four", "five"):
            os.close(paths.open_log(home, "server", largest_bytes=1))
            (home / "logs" / "server.log").write_text(text)
        kept = sorted(path.name for path in (home / "logs").iterdir())
        assert kept == ["server.log", "server.log.1", "server.log.2", "server.log.3"]
        assert (home / "logs" / "server.log.3").read_text() == "two"


class TestJobTemplate:
    def test_it_has_every_field_of_prefects_own(self, home: Path) -> None:
        """A new field of Prefect's process pool is noticed here."""
        from prefect.workers.process import ProcessWorker

        own, theirs = pool.job_template(home), ProcessWorker.get_default_base_job_template()
        assert own["job_configuration"] == theirs["job_configuration"]
        assert set(own["variables"]["properties"]) == set(theirs["variables"]["properties"])

    def test_a_path_with_spaces_is_one_word(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The interpreter may live under a path with spaces."""
        monkeypatch.setattr("sys.executable", "/my files/python")
        command = pool.job_template(home)["variables"]["properties"]["command"]["default"]
        assert command == "'/my files/python' -P -m catchment.local.engine"


class FakePrefect:
    """Remembers what is asked of Prefect; its runs become what they are set to."""

    def __init__(self, runs: Sequence[dict[str, Any]] = (), *, is_paused: bool = False) -> None:
        self.runs = {run["id"]: run for run in runs}
        self.is_paused = is_paused

    def work_pool(self, name: str) -> dict[str, Any]:
        return {"is_paused": self.is_paused}

    def pause_work_pool(self, name: str, *, paused: bool) -> None:
        self.is_paused = paused

    def flow_runs(self, *, states: Sequence[str], **_: Any) -> list[dict[str, Any]]:
        return [run for run in self.runs.values() if run["state_type"] in states]

    def set_state(self, run_id: str, state: str, **_: Any) -> str:
        self.runs[run_id]["state_type"] = state
        return "ACCEPT"

    def states(self) -> dict[str, str]:
        return {name: run["state_type"] for name, run in self.runs.items()}


class TestOrderAtStart:
    def test_runs_of_an_earlier_life_are_closed(self) -> None:
        """What was working counts as crashed, what was asked to stop as cancelled."""
        prefect = FakePrefect(
            [
                {"id": "working", "state_type": "RUNNING"},
                {"id": "starting", "state_type": "PENDING"},
                {"id": "stopping", "state_type": "CANCELLING"},
                {"id": "planned", "state_type": "SCHEDULED"},
            ]
        )
        assert pool.close_leftovers(prefect) == 3  # type: ignore[arg-type]
        assert prefect.states() == {
            "working": "CRASHED",
            "starting": "CRASHED",
            "stopping": "CANCELLED",
            "planned": "SCHEDULED",
        }

    def test_of_missed_runs_the_newest_of_each_schedule_stays(self) -> None:
        """One sync catches up; what a person asked for is never skipped."""

        def run(name: str, deployment: str | None, *, auto: bool = True) -> dict[str, Any]:
            return {
                "id": name,
                "state_type": "SCHEDULED",
                "deployment_id": deployment,
                "auto_scheduled": auto,
            }

        prefect = FakePrefect(
            [
                run("a-asked", "a", auto=False),
                run("a-new", "a"),
                run("b-new", "b"),
                run("a-old", "a"),
                run("a-asked-before", "a", auto=False),
            ]
        )
        assert pool.skip_missed(prefect) == 1  # type: ignore[arg-type]
        assert [name for name, state in prefect.states().items() if state == "CANCELLED"] == ["a-old"]


class TestIntake:
    def test_a_drained_pool_is_resumed_in_the_next_life(self, home: Path) -> None:
        """A pool that a shutdown paused does not stay paused, even when the shutdown was cut short."""
        prefect = FakePrefect()
        drain.stop_intake(prefect, home)  # type: ignore[arg-type]
        assert prefect.is_paused
        drain.reopen_intake(prefect, home)  # type: ignore[arg-type]
        assert not prefect.is_paused

    def test_a_pool_that_a_person_paused_stays_paused(self, home: Path) -> None:
        """Stop and start change nothing about a person's own pause."""
        prefect = FakePrefect(is_paused=True)
        drain.stop_intake(prefect, home)  # type: ignore[arg-type]
        drain.reopen_intake(prefect, home)  # type: ignore[arg-type]
        assert prefect.is_paused


class TestSupervisor:
    def test_a_start_that_is_objected_to_starts_nothing(self, tmp_path: Path) -> None:
        """When `before_start` raises, its sentence is shown, the exit code is 2 and no child was started."""

        def objects() -> None:
            raise Conflict("The store must be migrated first.")

        said: list[str] = []
        hooks = Hooks(before_start=objects)
        code = Supervisor(tmp_path, background=False, say=said.append, hooks=hooks).run()
        assert code == 2
        assert "The store must be migrated first." in said
        assert list((tmp_path / "logs").iterdir()) == []
        assert not state.is_held(tmp_path)


class TestHooks:
    def test_the_products_hooks_are_found_by_name(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the product defines is called, what it does not define is absent."""
        swept: list[Path] = []

        def hooks(home: Path, connect: Callable[[], object]) -> SimpleNamespace:
            return SimpleNamespace(sweep=lambda: swept.append(home), connect=connect)

        upkeep = ModuleType("catchment.services.upkeep")
        upkeep.__spec__ = ModuleSpec(upkeep.__name__, None)
        upkeep.hooks = hooks  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, upkeep.__name__, upkeep)
        found = find_hooks(home)
        assert found.sweep is not None
        found.sweep()
        assert swept == [home]
        assert found.on_drain is None


class TestGate:
    def test_a_child_waits_until_it_opens_and_its_successors_do_not(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A worker that has its imports behind it polls only when its pool is in order."""
        gate, seen = Gate(), []

        def child() -> None:
            monkeypatch.setenv(GATE, str(os.dup(gate.reader)))
            wait_at_gate()
            seen.append("went on")

        first = threading.Thread(target=child)
        first.start()
        first.join(0.2)
        seen.append("opened")
        gate.open()
        first.join()
        child()
        gate.close()
        assert seen == ["opened", "went on", "went on"]
        assert GATE not in os.environ


_WORKER = """
import os, subprocess, sys
environment = {**os.environ, "CATCHMENT_WORKER_PID": str(os.getpid())}
subprocess.run([sys.executable, "-c", sys.argv[1]], env=environment)
"""
_FLOW = """
import os, time
from catchment.local import lifeline
lifeline._LOOK_SECONDS = 3600
lifeline.follow_worker()
print(os.getpid(), flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the kernel does not tell when a process ends")
def test_a_flow_ends_with_its_worker_and_does_not_look_first() -> None:
    """Between the two, a line of its log would end the run as if it were at fault."""
    command = [sys.executable, "-c", _WORKER, _FLOW]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as worker:
        assert worker.stdout is not None
        flow = psutil.Process(int(worker.stdout.readline()))
        time.sleep(0.2)  # long enough to be waiting
        worker.kill()
        wait_for(lambda: not alive([flow]), seconds=30, what="the end of the flow")


class TestChild:
    def test_a_child_that_keeps_dying_is_restarted_after_longer_and_longer_pauses(self, home: Path) -> None:
        """The pauses double up to half a minute, so that a broken child does not burn the processor."""
        lifeline = Lifeline()
        spec = ChildSpec(name="broken", module="catchment.local.missing", is_ready=lambda: False)
        child = Child(spec, home=home, lifeline=lifeline, log_bytes=1024)
        pauses = []
        for _ in range(9):
            child.start()
            child.wait(10)
            assert not child.is_alive
            pauses.append(child.bury())
            assert not child.restart_if_due()
        lifeline.close()
        assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
        assert "catchment.local.missing" in paths.tail(home / "logs" / "broken.log")
