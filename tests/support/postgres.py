"""A real PostgreSQL for tests: one server for the session, one database for each test.

A test package takes the fixtures by importing them in its conftest.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, make_url

from catchment.store.engine import open_engine
from catchment.store.migrate import migrate


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a running server; the test is skipped where it has no wheel or does not start."""
    pgserver = pytest.importorskip("pgserver", reason="the package pgserver has no wheel here")
    # A short path: the socket lies in it, and its name may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        try:
            server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        except Exception as error:
            pytest.skip(f"PostgreSQL does not start here: {error}")
        try:
            address = str(server.get_uri())
            _trust_the_machine(address)
            yield address
        finally:
            server.cleanup()


def _trust_the_machine(address: str) -> None:
    """Let the server wait for no disk: nothing has to outlive the machine, and each test makes a database."""
    with psycopg.connect(address, autocommit=True) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name)))
        connection.execute("SELECT pg_reload_conf()")


@contextmanager
def _database(server: str, *, template: str = "template1") -> Iterator[Engine]:
    """Lend an engine on a new database, a copy of another one that nobody uses."""
    name = f"t_{uuid4().hex}"
    outer = open_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    engine = open_engine(make_url(server).set(database=name).render_as_string(hide_password=False))
    with outer.connect() as connection:
        # By its files: page by page through the log, as is the rule, takes five times as long.
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield engine
    finally:
        engine.dispose()
        with outer.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        outer.dispose()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """Name of a database with a new store, which takes longer to make than to copy."""
    with _database(postgres_server) as engine:
        migrate(engine)
        engine.dispose()
        yield str(engine.url.database)


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[Engine]:
    """An engine on an empty database."""
    with _database(postgres_server) as engine:
        yield engine


@pytest.fixture
def postgres_store(postgres_server: str, postgres_template: str) -> Iterator[Engine]:
    """An engine on a new store."""
    with _database(postgres_server, template=postgres_template) as engine:
        yield engine


@pytest.fixture(scope="module")
def postgres_store_of_module(postgres_server: str, postgres_template: str) -> Iterator[Engine]:
    """An engine on a new store that the tests of a module share."""
    with _database(postgres_server, template=postgres_template) as engine:
        yield engine


@dataclass(frozen=True, slots=True)
class Site:
    """A server as a source: with a log that can be followed, on a socket and on a port of this machine.

    Attributes:
        socket: Folder of the socket; whoever comes over it is believed.
        port: On 127.0.0.1, where a password is asked for.
        has_contrib: Whether the contrib modules are there.
    """

    socket: str
    port: int
    has_contrib: bool

    def connect(self, database: str = "postgres", **settings: Any) -> psycopg.Connection[tuple[Any, ...]]:
        """Sign in as the superuser, each statement its own transaction."""
        settings = {"user": "postgres", "autocommit": True, **settings}
        return psycopg.connect(host=self.socket, port=self.port, dbname=database, **settings)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Lend the name of an empty database; it goes with the server, which is faster than dropping each."""
        name = f"s_{uuid4().hex}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            try:
                yield name
            finally:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
                )
                connection.execute(
                    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                    "WHERE database = %s AND NOT active",
                    [name],
                )


def _binaries() -> Path:
    """The installed server, else the one in the wheel; the test is skipped where there is neither."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if installed:
        return installed[-1].parent
    found = shutil.which("pg_ctl")
    if found and Path(found).resolve().with_name("initdb").exists():
        return Path(found).resolve().parent
    pgserver = pytest.importorskip("pgserver", reason="there is no PostgreSQL here, nor a wheel of it")
    return Path(pgserver.__file__).parent / "pginstall" / "bin"


def _account() -> dict[str, Any]:
    """Whom to run the server as: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "pgserver", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    return {}


@pytest.fixture(scope="session")
def postgres_site() -> Iterator[Site]:
    """A server whose log can be followed; the test is skipped where none can be started."""
    binaries, account = _binaries(), _account()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        if account:
            os.chown(folder, account["user"], account["group"])
        data = f"{folder}/data"
        options = (
            f"-k {folder} -p {port} -c listen_addresses=127.0.0.1 -c wal_level=logical -c fsync=off "
            "-c max_replication_slots=40 -c max_connections=80 -c autovacuum=off"
        )

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [binaries / program, "-D", data, *arguments],
                check=True,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=120,
                **account,
            )

        try:
            run(
                "initdb",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "-N",
            )
            run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"PostgreSQL does not start here: {error}")
        try:
            has_contrib = any(binaries.parent.rglob("test_decoding.so"))
            yield Site(folder, port, has_contrib)
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
