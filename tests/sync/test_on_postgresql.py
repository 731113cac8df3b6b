"""Runs with the store on PostgreSQL: the same promises, and several processes at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Connection, Engine, make_url
from sqlalchemy import event as listening

from catchment.core.clock import SetClock
from catchment.store.engine import WRITE, open_engine, outside, reading, writing
from catchment.store.postgres_index import NAME, build
from tests.support.model import Syncing, examples, machine
from tests.support.postgres import postgres, postgres_server
from tests.support.scripted import SLUG, World
from tests.support.vault import Vault
from tests.sync.conftest import Register

__all__ = ["machine", "postgres", "postgres_server"]
ROOT = Path(__file__).parents[2]


def address(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


@pytest.fixture
def house(tmp_path: Path, postgres: Engine, clock: SetClock, register: Register) -> Iterator[Vault]:
    """A store on PostgreSQL with one connector, `docs`, to the scripted source."""
    vault = Vault(tmp_path, clock=clock, store_url=address(postgres))
    vault.add(SLUG, {})
    yield vault
    vault.engine.dispose()


class OnPostgresql(Syncing):
    """The model's machine, each example on a database of its own."""

    server: str

    def make_house(self, sizes: dict[str, Any]) -> Vault:
        """Make a store of this example's own."""
        self.name = f"t_{uuid4().hex}"
        self.administer(f"CREATE DATABASE {self.name}")
        url = make_url(self.server).set(database=self.name).render_as_string(hide_password=False)
        return Vault(self.folder, clock=self.clock, store_url=url, cursor_seconds=0, **sizes)

    def leave_house(self) -> None:
        """Let go of the store."""
        super().leave_house()
        self.administer(f"DROP DATABASE {self.name} WITH (FORCE)")

    def administer(self, statement: str) -> None:
        """Do something to the server."""
        engine = open_engine(self.server)
        with outside(engine) as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()


def test_whatever_happens_a_quiet_run_makes_the_index_equal_to_the_source(
    machine: type[Syncing], postgres_server: str
) -> None:
    """Nothing lost, nothing deleted without proof, nothing silent, nothing twice: here, too."""
    OnPostgresql.server = postgres_server
    run_state_machine_as_test(OnPostgresql, settings=examples(12, 500))


class TestTheIndexOverTheWords:
    def is_there(self, engine: Engine) -> bool | None:
        with reading(engine) as connection:
            return connection.exec_driver_sql(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", (NAME,)
            ).scalar_one_or_none()

    def test_comes_at_the_end_of_the_first_load(self, house: Vault, world: World) -> None:
        """It is not there while the first documents come, nor built for an empty store."""
        house.sync()
        assert self.is_there(house.engine) is None
        seen: list[bool | None] = []
        for number in range(5):
            world.put(f"k{number}", f"word{number}")

        def look(_connection: Connection) -> None:
            if threading.current_thread().name == "index":
                seen.append(self.is_there(house.engine))

        listening.listen(house.engine, "commit", look)
        house.sync()
        assert set(seen) == {None}
        assert self.is_there(house.engine) is True
        assert [hit.key for hit in house.search("word3")] == ["k3"]

    def test_is_not_needed_for_finding(self, house: Vault, world: World) -> None:
        """Before it is built, a search reads every chunk and finds the same."""
        world.put("k", "gauge")
        house.sync()
        with outside(house.engine) as connection:
            connection.exec_driver_sql(f"DROP INDEX {NAME}")
        assert [hit.key for hit in house.search("gauge")] == ["k"]

    def test_that_was_broken_off_is_built_again_by_the_next_run(self, house: Vault, world: World) -> None:
        """What a crash leaves of it is of no use, and is replaced."""
        world.put("k", "gauge")
        house.sync()
        with outside(house.engine) as connection:
            connection.exec_driver_sql(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)", (NAME,)
            )
        assert self.is_there(house.engine) is False
        house.sync()
        assert self.is_there(house.engine) is True

    def test_is_built_by_one_process_only(self, house: Vault, world: World) -> None:
        """The others neither wait for it nor fail."""
        world.put("k", "gauge")
        house.sync()
        with outside(house.engine) as connection:
            connection.exec_driver_sql(f"DROP INDEX {NAME}")
            connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext(%s))", (NAME,))
            assert house.sync().state == "SUCCEEDED"
            assert self.is_there(house.engine) is None
            build(connection)
        assert self.is_there(house.engine) is True


def test_a_key_that_no_index_takes_costs_no_batch(house: Vault, world: World) -> None:
    """It is indexed with its neighbours, under a shorter name, and unchanged the next time."""
    rng = random.Random(1)
    for name in ("one", "two"):
        # Nothing that repeats: the server would squeeze it.
        long = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(6000))
        world.put(f"{name}/{long}.txt", f"gauge {name}")
    world.put("good", "gauge")
    row = house.sync()
    assert (row.state, row.indexed) == ("SUCCEEDED", 3)
    assert len({hit.key for hit in house.search("gauge")}) == 3
    assert house.sync().skipped == 3


class TestALostConnection:
    def test_ends_the_run_with_a_code_of_its_own_and_the_next_goes_on(
        self, house: Vault, world: World
    ) -> None:
        """The server ends the session in the middle of a batch: nothing half, nothing lost."""
        for number in range(20):
            world.put(f"k{number}", f"word{number}")
        other = open_engine(address(house.engine))
        left = [3]

        def cut(connection: Connection) -> None:
            if connection.get_execution_options().get(WRITE) and threading.current_thread().name == "index":
                left[0] -= 1
                if left[0] == 0:
                    number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
                    with outside(other) as killer:
                        killer.exec_driver_sql("SELECT pg_terminate_backend(%s, 5000)", (number,))

        house.tune(first_batch_items=4, batch_items=4, page_items=4)
        listening.listen(house.engine, "commit", cut)
        row = house.sync()
        assert (row.state, row.error_code) == ("FAILED", "store_unavailable")
        assert "CATCHMENT_DATABASE_URL" in (row.error_message or "")
        house.check_index()
        assert house.sync().state == "SUCCEEDED"
        assert len(house.shown()) == 20
        house.check_index()
        other.dispose()


# -- processes ----------------------------------------------------------------------------------


class Crowd:
    """A store on PostgreSQL, folders as sources, and processes that sync them."""

    def __init__(self, tmp_path: Path, engine: Engine) -> None:
        self.tmp_path = tmp_path
        self.vault = Vault(tmp_path, clock=SetClock(), store_url=address(engine))
        self.started: list[subprocess.Popen[str]] = []

    def folder(self, name: str, files: int) -> None:
        """Make a folder of small files with a connector to it; file 7 of `docs` holds ``docs7x``."""
        root = self.tmp_path / name
        root.mkdir()
        for number in range(files):
            (root / f"{number:03d}.txt").write_text(f"{name}{number}x and {name}\n" + "more words\n" * 200)
        self.vault.add("folder", {"path": str(root)}, name=name)

    def start(self, name: str, pause: str = "") -> subprocess.Popen[str]:
        """Start a sync."""
        command = [sys.executable, "-P", "-m", "tests.support.plain_process"]
        given = [str(self.tmp_path / f"home-{name}"), address(self.vault.engine), name, pause]
        process = subprocess.Popen(
            [*command, *given],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.started.append(process)
        return process

    @staticmethod
    def line(process: subprocess.Popen[str]) -> dict[str, Any]:
        """Wait for the next line of a process."""
        assert process.stdout is not None
        told = process.stdout.readline()
        assert told, f"the process ended with {process.wait()}"
        return dict(json.loads(told))

    def check(self, name: str, files: int) -> None:
        """Every file of a folder is found by its own word, once."""
        for number in range(files):
            hits = self.vault.search(f"{name}{number}x")
            assert [hit.key for hit in hits] == [f"{number:03d}.txt"], (name, number)
        self.vault.check_index()

    def end(self) -> None:
        """Leave no process behind."""
        for process in self.started:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        self.vault.engine.dispose()


@pytest.fixture
def crowd(tmp_path: Path, postgres: Engine) -> Iterator[Crowd]:
    made = Crowd(tmp_path, postgres)
    yield made
    made.end()


class TestTwoProcesses:
    def test_load_one_store_at_once_while_people_search(self, crowd: Crowd) -> None:
        """Each brings its own folder, neither waits for the other's end, and no search fails."""
        for name in ("north", "south"):
            crowd.folder(name, 120)
        done = threading.Event()
        wrong: list[BaseException] = []

        def search() -> None:
            while not done.is_set():
                try:
                    for query in ("north", "south words", '"more words"', "north7x"):
                        found = crowd.vault.search(query, limit=20)
                        assert len({hit.document_id for hit in found}) == len(found)
                except BaseException as error:
                    wrong.append(error)
                    return

        threads = [threading.Thread(target=search) for _ in range(2)]
        for thread in threads:
            thread.start()
        processes = [crowd.start(name) for name in ("north", "south")]
        told = [crowd.line(process) for process in processes]
        done.set()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert [(one["state"], one["indexed"]) for one in told] == [("SUCCEEDED", 120)] * 2, told
        for name in ("north", "south"):
            crowd.check(name, 120)

    def test_that_want_the_same_connector_do_not_both_get_it(self, crowd: Crowd) -> None:
        """The claim is the only lock, on this engine, too."""
        crowd.folder("docs", 10)
        first = crowd.start("docs", "commit:2")
        assert crowd.line(first) == {"at": "pause"}
        second = crowd.vault.claim("docs")
        assert "is active" in getattr(second, "why", "")

    @pytest.mark.parametrize("where", ["commit:1", "commit:3", "commit:6", "build", "building"])
    def test_one_of_which_is_killed_leaves_what_the_next_run_completes(
        self, crowd: Crowd, where: str
    ) -> None:
        """Whether it dies in a batch, before the index is built or meanwhile: nothing is lost or doubled."""
        crowd.folder("docs", 40)
        process = crowd.start("docs", where)
        assert crowd.line(process) == {"at": "pause"}
        process.send_signal(signal.SIGKILL)
        process.wait()
        crowd.vault.silence()
        told = crowd.line(crowd.start("docs"))
        assert told["state"] == "SUCCEEDED", told
        crowd.check("docs", 40)
        assert len(crowd.vault.texts()) == 40
        with reading(crowd.vault.engine) as connection:
            valid = connection.exec_driver_sql(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", (NAME,)
            ).scalar_one()
        assert valid

    def test_one_of_which_is_stopped_within_a_batch_is_replaced_and_writes_nothing_more(
        self, crowd: Crowd
    ) -> None:
        """Its transaction is taken from it, and its locks with it; when it wakes up, it stops by itself."""
        crowd.folder("docs", 40)
        asleep = crowd.start("docs", "sleep:2")
        assert crowd.line(asleep) == {"at": "stop"}
        # Waits until the server has ended the sleeper's transaction, which holds the row.
        with writing(crowd.vault.engine) as connection:
            connection.exec_driver_sql("UPDATE runs SET lease_at = lease_at - 100")
        told = crowd.line(crowd.start("docs"))
        assert (told["state"], told["indexed"]) == ("SUCCEEDED", 40 - 8), told
        before = crowd.vault.dump()
        asleep.send_signal(signal.SIGCONT)
        assert crowd.line(asleep) == {"lost": "lease_lost"}
        assert crowd.vault.dump() == before
        crowd.check("docs", 40)
