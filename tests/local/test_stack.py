"""A whole stack: start, work, sign-in, isolation, and every way to end it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest

from catchment.core.errors import Unavailable
from catchment.local.stack import StackState, child_environment, ensure_stack, read_state, stop_stack
from catchment.services.prefect_client import PrefectClient, PrefectRefused
from tests.support.prefect_database import lay
from tests.support.stack import (
    alive,
    connect,
    deploy,
    family_of,
    silent,
    start_run,
    start_stack,
    wait_for,
    wait_for_state,
)

pytestmark = pytest.mark.prefect

FOREIGN = {
    "PREFECT_API_URL": "http://127.0.0.1:9/api",
    "prefect_profile": "foreign",
    "PREFECT_LOGGING_LEVEL": "X",
}
NICENESS = 17


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack") / "home"


@pytest.fixture(scope="module")
def stack(home: Path) -> Iterator[StackState]:
    # Foreign settings are there for the whole module: everything below must work in spite of them.
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**FOREIGN, "CATCHMENT_STACK_WORKER_NICENESS": str(NICENESS)}.items():
            patch.setenv(name, value)
        with start_stack(home) as state:
            yield state


@pytest.fixture(scope="module")
def prefect(stack: StackState) -> Iterator[PrefectClient]:
    with connect(stack) as client:
        yield client


class TestUp:
    def test_the_worker_stands_behind_who_waits_for_answers(self, stack: StackState) -> None:
        """By as much as its setting says, and with it every run; the others stay where they are."""
        assert psutil.Process(stack.pids["worker"]).nice() == NICENESS
        assert psutil.Process(stack.pids["server"]).nice() < NICENESS

    def test_a_schedule_gets_its_runs(self, prefect: PrefectClient) -> None:
        """A deployment with a schedule has Scheduled runs ten seconds later: the scheduler works."""
        every_hour = {"schedule": {"interval": 3600, "timezone": "UTC"}, "active": True}
        deployment = deploy(prefect, "quick", schedules=[every_hour])

        def planned() -> list[str]:
            runs = prefect.flow_runs(states=["SCHEDULED"])
            return [run["id"] for run in runs if run["deployment_id"] == deployment]

        wait_for(planned, seconds=10, what="a planned run")
        prefect.request("DELETE", f"/deployments/{deployment}")

    def test_a_run_works_in_the_home_with_a_bare_main_module(
        self, stack: StackState, prefect: PrefectClient, home: Path, tmp_path: Path
    ) -> None:
        """A flow process has this interpreter, the home as directory, -P, and children without the engine."""
        run = start_run(prefect, deploy(prefect, "report"), path=str(tmp_path / "seen.json"))
        wait_for_state(prefect, run, "COMPLETED")
        seen = json.loads((tmp_path / "seen.json").read_text())
        assert seen["executable"] == sys.executable
        assert Path(seen["directory"]) == home.resolve()
        assert seen["safe_path"]
        assert not seen["child_has_engine"]

        environment = seen["environment"]
        assert environment["PREFECT_API_URL"] == stack.api_url
        assert environment["PREFECT_HOME"] == str(home / "prefect")
        assert environment["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"
        assert "prefect_profile" not in environment
        assert "PREFECT_LOGGING_LEVEL" not in environment
        assert "PYTHONDONTWRITEBYTECODE" not in environment

    def test_a_second_call_finds_the_running_stack(self, stack: StackState, home: Path) -> None:
        """A command that needs the stack uses the one that is there, and leaves a trace of that use."""
        (home / "run" / "used").unlink()
        assert ensure_stack(home, say=silent) == stack
        assert (home / "run" / "used").exists()

    def test_a_second_supervisor_is_refused(self, stack: StackState, home: Path) -> None:
        """Two supervisors of one home cannot be: the second ends with exit code 2 and says who is there."""
        second = _supervisor(home)
        output, _ = second.communicate(timeout=30)
        assert second.returncode == 2
        assert f"process {stack.supervisor_pid}" in output
        assert read_state(home) == stack

    def test_the_pool_and_the_automation_are_made_once(self, prefect: PrefectClient) -> None:
        """The stack's own things in Prefect exist exactly once, however often it has started."""
        names = [found["name"] for found in prefect.find("/automations/filter")]
        assert names.count("catchment: close zombie runs") == 1
        pool = prefect.work_pool("catchment")
        assert pool is not None
        assert pool["type"] == "process"
        assert not pool["is_paused"]

    def test_files_with_secrets_are_readable_by_their_owner_alone(
        self, stack: StackState, home: Path
    ) -> None:
        """Sign-in, state and logs carry mode 0600 in folders of mode 0700, and no log holds the sign-in."""
        for name in ("run/auth", "run/stack.json", "logs/server.log"):
            assert (home / name).stat().st_mode & 0o777 == 0o600, name
        for folder in ("run", "prefect", "logs"):
            assert (home / folder).stat().st_mode & 0o777 == 0o700, folder
        password = stack.auth.partition(":")[2]
        for log in (home / "logs").iterdir():
            assert password not in log.read_text(), log


class TestBusy:
    def test_writes_at_the_same_time_are_not_refused(self, stack: StackState, prefect: PrefectClient) -> None:
        """Many clients that read and write at once see no 503: the server's transactions are IMMEDIATE."""
        flow = prefect.request("POST", "/flows/", {"name": "quick"})["id"]
        user, _, password = stack.auth.partition(":")

        def write(number: int) -> list[int]:
            statuses = []
            with httpx.Client(base_url=stack.api_url, auth=(user, password), timeout=30) as raw:
                for _ in range(8):
                    made = raw.post("/flow_runs/", json={"flow_id": flow, "name": f"busy-{number}"})
                    statuses.append(made.status_code)
                    for state in ("RUNNING", "COMPLETED") if made.is_success else ():
                        path = f"/flow_runs/{made.json()['id']}/set_state"
                        statuses.append(raw.post(path, json={"state": {"type": state}}).status_code)
            return statuses

        with ThreadPoolExecutor(6) as clients:
            answers = [status for seen in clients.map(write, range(6)) for status in seen]
        assert set(answers) == {201}


class TestSignIn:
    def test_a_stranger_cannot_read_the_secrets_of_blocks(
        self, stack: StackState, prefect: PrefectClient
    ) -> None:
        """The theft: reading block documents with their secrets needs the sign-in."""
        kind = prefect.request("GET", "/block_types/slug/secret")
        schemas = {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}}
        schema = prefect.request("POST", "/block_schemas/filter", schemas)[0]
        made = prefect.request(
            "POST",
            "/block_documents/",
            {
                "name": f"theft-{uuid4().hex[:8]}",
                "block_type_id": kind["id"],
                "block_schema_id": schema["id"],
                "data": {"value": "the-jewel"},
            },
        )
        path = f"/block_documents/{made['id']}?include_secrets=true"
        assert "the-jewel" in json.dumps(
            prefect.request("GET", path)
        )  # the owner can: there is something to steal

        for stranger in (PrefectClient(stack.api_url), PrefectClient(stack.api_url, "catchment:guess")):
            with stranger, pytest.raises(PrefectRefused) as refused:
                stranger.request("GET", path)
            assert refused.value.status == 401
            assert "the-jewel" not in refused.value.detail

    def test_a_foreign_page_gets_no_grant(self, stack: StackState) -> None:
        """A page of another origin is not allowed to read answers; the stack's own page is."""
        asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        address = f"{stack.api_url}/block_documents/filter"
        foreign = httpx.options(address, headers={"Origin": "https://evil.example", **asks})
        own = httpx.options(address, headers={"Origin": stack.ui_url, **asks})
        assert "access-control-allow-origin" not in foreign.headers
        assert own.headers["access-control-allow-origin"] == stack.ui_url


class TestTwoHomes:
    def test_two_homes_run_side_by_side(self, stack: StackState, home: Path, tmp_path: Path) -> None:
        """Another home has its own server, sign-in and database; stopping it leaves this one alone."""
        lay(tmp_path / "other")
        with start_stack(tmp_path / "other") as other:
            assert other.api_url != stack.api_url
            assert other.auth != stack.auth
            with PrefectClient(other.api_url, stack.auth) as intruder, pytest.raises(PrefectRefused):
                intruder.work_pool("catchment")
            with connect(other) as there:
                assert list(there.find("/deployments/filter")) == []
            family = family_of(other)
        assert not alive(family)
        assert read_state(tmp_path / "other") is None
        assert read_state(home) == stack


class TestWorkerDies:
    def test_a_killed_worker_takes_its_flows_along_and_is_replaced(
        self, stack: StackState, prefect: PrefectClient, home: Path, tmp_path: Path
    ) -> None:
        """After kill -9 of the worker its flow stops, the run is closed as Crashed, and new runs work."""
        run = start_run(prefect, deploy(prefect, "linger"), folder=str(tmp_path))
        wait_for((tmp_path / "beat").exists, seconds=30, what="the flow")
        flow = _flow_process(stack, tmp_path)
        os.kill(stack.pids["worker"], signal.SIGKILL)
        wait_for(lambda: not alive([flow]), seconds=10, what="the end of the flow process")
        wait_for_state(prefect, run, "CRASHED")
        wait_for_state(prefect, start_run(prefect, deploy(prefect, "quick")), "COMPLETED")
        renewed = read_state(home)
        assert renewed is not None
        assert renewed.pids["worker"] != stack.pids["worker"]


class TestServerDies:
    def test_a_killed_server_is_replaced_on_the_same_port(self, prefect: PrefectClient, home: Path) -> None:
        """After kill -9 of the server a new one takes over, and the worker goes on with new runs."""
        before = read_state(home)
        assert before is not None
        os.kill(before.pids["server"], signal.SIGKILL)

        def replaced() -> StackState | None:
            now = read_state(home)
            return now if now is not None and now.pids["server"] != before.pids["server"] else None

        after = wait_for(replaced, seconds=20, what="a new server")
        assert after.api_url == before.api_url
        wait_for(prefect.is_healthy, seconds=30, what="the new server's health")
        run = start_run(prefect, deploy(prefect, "quick"))
        wait_for_state(prefect, run, "COMPLETED", seconds=60)


class TestDown:
    """These stop the module's home and start it again: they stand last and use `home` alone."""

    def test_down_lets_a_running_flow_clean_up(self, stack: StackState, home: Path, tmp_path: Path) -> None:
        """Stopping cancels a flow, waits for its clean-up, leaves no process; up resumes the pool."""
        with connect(stack) as prefect:
            run = start_run(prefect, deploy(prefect, "linger"), folder=str(tmp_path))
            wait_for((tmp_path / "beat").exists, seconds=30, what="the flow")
        family = family_of(stack)
        assert stop_stack(home, say=silent)
        assert (tmp_path / "farewell").read_text() == "done"
        assert not alive(family)
        assert read_state(home) is None
        assert not stop_stack(home, say=silent)

        again = ensure_stack(home, say=silent)
        assert again.api_url == stack.api_url  # a bookmark of the pages stays good
        with connect(again) as prefect:
            found = prefect.flow_run(run)
            assert found is not None
            assert found["state_type"] == "CANCELLED"
            assert found["state"]["message"] != "Stopped with the stack."  # it ended before its worker
            wait_for_state(prefect, start_run(prefect, deploy(prefect, "quick")), "COMPLETED")

    def test_kill_minus_nine_of_the_supervisor_leaves_no_process(self, home: Path, tmp_path: Path) -> None:
        """When the supervisor is killed, server, worker and the running flow are gone within seconds."""
        state = ensure_stack(home, say=silent)
        with connect(state) as prefect:
            run = start_run(prefect, deploy(prefect, "linger"), folder=str(tmp_path))
            wait_for((tmp_path / "beat").exists, seconds=30, what="the flow")
            family = family_of(state)
            assert len(family) >= 4
            os.kill(state.supervisor_pid, signal.SIGKILL)
        wait_for(lambda: not alive(family), seconds=5, what="the end of every process")
        assert read_state(home) is None

        with connect(ensure_stack(home, say=silent)) as prefect:
            found = prefect.flow_run(run)
            assert found is not None
            assert found["state_type"] == "CRASHED"

    def test_kill_minus_nine_of_both_parents_stops_the_flow(self, home: Path, tmp_path: Path) -> None:
        """A flow whose worker and supervisor were both killed does not work on."""
        state = ensure_stack(home, say=silent)
        with connect(state) as prefect:
            start_run(prefect, deploy(prefect, "linger"), folder=str(tmp_path))
            wait_for((tmp_path / "beat").exists, seconds=30, what="the flow")
        family = family_of(state)
        # Stopped first, so that neither can react to the other's death.
        for pid in (state.supervisor_pid, state.pids["worker"]):
            os.kill(pid, signal.SIGSTOP)
        for pid in (state.pids["worker"], state.supervisor_pid):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not alive(family), seconds=5, what="the end of every process")
        assert not (tmp_path / "farewell").exists()


class TestRefusedStart:
    def test_a_port_in_use_is_named_with_its_setting(self, tmp_path: Path) -> None:
        """A requested port that is taken ends the start with exit code 2 and names the setting."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            refused = _supervisor(tmp_path, CATCHMENT_STACK_SERVER_PORT=port)
            output, _ = refused.communicate(timeout=30)
        assert refused.returncode == 2
        assert f"Port {port} of CATCHMENT_STACK_SERVER_PORT cannot be used" in output
        assert "Traceback" not in output

    def test_a_failed_background_start_shows_the_end_of_its_log(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A command whose stack does not come up says why and where the log is."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            monkeypatch.setenv("CATCHMENT_STACK_SERVER_PORT", str(taken.getsockname()[1]))
            with pytest.raises(Unavailable) as failed:
                ensure_stack(tmp_path, say=silent)
        assert "CATCHMENT_STACK_SERVER_PORT" in failed.value.message
        assert str(tmp_path / "logs" / "supervisor.log") in failed.value.message


class TestForeground:
    def test_one_signal_during_start_stops_everything(self, tmp_path: Path) -> None:
        """Ctrl-C before the stack is ready ends the start without leaving a process."""
        supervisor = _supervisor(tmp_path)
        wait_for((tmp_path / "logs" / "server.log").exists, seconds=30, what="the server's start")
        family = psutil.Process(supervisor.pid).children(recursive=True)
        assert family
        supervisor.send_signal(signal.SIGINT)
        output, _ = supervisor.communicate(timeout=30)
        assert supervisor.returncode == 0
        assert "Stopped before the stack was ready." in output
        assert not alive(family)

    def test_hooks_are_called_and_ctrl_c_drains(self, tmp_path: Path) -> None:
        """The sweep survives its own errors, `on_drain` is called, and SIGINT works where it was ignored."""
        script = """if True:
            import signal, sys
            from pathlib import Path
            from catchment.local.stack import run_stack

            signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in the background of a shell script
            home, calls = Path(sys.argv[1]), []

            def sweep():
                calls.append("sweep")
                (home / f"sweep-{len(calls)}").touch()
                if len(calls) == 1:
                    raise RuntimeError("first sweep fails")

            sys.exit(run_stack(
                home, background=False, say=print, sweep=sweep,
                before_start=lambda: (home / "before").touch(),
                on_drain=lambda: (home / "drain").touch(),
            ))
        """
        lay(tmp_path)
        environment = {**child_environment(tmp_path), "CATCHMENT_STACK_SWEEP_SECONDS": "0.2"}
        supervisor = subprocess.Popen(
            [sys.executable, "-u", "-c", script, str(tmp_path)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        wait_for((tmp_path / "sweep-2").exists, seconds=60, what="the second sweep")
        state = read_state(tmp_path)
        assert state is not None
        family = family_of(state)
        supervisor.send_signal(signal.SIGINT)
        output, _ = supervisor.communicate(timeout=60)
        assert supervisor.returncode == 0
        assert "first sweep fails" in output
        assert state.auth in output  # the person at the terminal needs it to sign in
        assert (tmp_path / "before").exists()
        assert (tmp_path / "drain").exists()
        assert not alive(family)

    def test_an_idle_background_stack_stops_by_itself(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A background stack without runs, schedules or use ends after its idle time."""
        lay(tmp_path)
        monkeypatch.setenv("CATCHMENT_STACK_IDLE_MINUTES", "0.001")
        state = ensure_stack(tmp_path, say=silent)
        family = family_of(state)
        wait_for(lambda: not alive(family), seconds=60, what="the end of the idle stack")
        assert "Stopping: nothing to do." in (tmp_path / "logs" / "supervisor.log").read_text()


def _supervisor(home: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "catchment.local.supervisor"],
        env={**child_environment(home), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _flow_process(state: StackState, folder: Path) -> psutil.Process:
    pid = int((folder / "beat").read_text().split()[0])
    return next(process for process in family_of(state) if process.pid == pid)
