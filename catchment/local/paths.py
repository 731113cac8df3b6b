"""Where the local stack keeps its files: one folder per home, so that two homes never meet.

<home>/run/lock         held by the supervisor while it lives, with its process id
<home>/run/stack.json   address, sign-in and process ids while the stack is ready
<home>/run/auth         sign-in of this home's Prefect, made once
<home>/run/authority    the one certificate that Prefect's clients read; plain HTTP needs none
<home>/run/port         port of last time, so that a bookmark of the UI stays good
<home>/run/http-port    the same of our own HTTP API
<home>/run/http-wanted  there while somebody wants the stack to have the HTTP API
<home>/run/used         touched by every command that needs the stack
<home>/run/draining     there while a shutdown has paused the work pool
<home>/prefect/         Prefect's own home: database, profiles
<home>/logs/            one log per process
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_OLD_LOGS = 3


def prepare(home: Path) -> None:
    """Make the folders of the stack, readable by their owner alone: they hold secrets."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (home / "run", home / "prefect", home / "logs"):
        folder.mkdir(mode=0o700, exist_ok=True)
    path = authority(home)
    if not path.exists():
        write_private(path, _first_authority())


def authority(home: Path) -> Path:
    """Return where the certificate lies that Prefect's clients read where nothing is encrypted.

    By itself each of them reads those of all authorities in the world when it is made, whatever its address:
    0.03 to 0.05 s of the processor, seven times in a flow process. A file without any would be refused.
    """
    return home / "run" / "authority"


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 0600 in one step: a reader sees the old text or the new, never half."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def sign_in(home: Path) -> str:
    """Return ``user:password`` of this home's Prefect; made at the first call."""
    path = home / "run" / "auth"
    try:
        known = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        known = ""
    if known:
        return known
    made = f"catchment:{secrets.token_urlsafe(24)}"
    write_private(path, made)
    return made


def _first_authority() -> str:
    import certifi

    end = "-----END CERTIFICATE-----\n"
    return certifi.contents().partition(end)[0] + end


def open_log(home: Path, name: str, *, largest_bytes: int) -> int:
    """Open a log for appending and return its descriptor; one that has grown too large is put aside first."""
    path = home / "logs" / f"{name}.log"
    if path.exists() and path.stat().st_size > largest_bytes:
        for number in range(_OLD_LOGS, 0, -1):
            older = path if number == 1 else path.with_suffix(f".log.{number - 1}")
            if older.exists():
                older.replace(path.with_suffix(f".log.{number}"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def tail(path: Path, lines: int = 12) -> str:
    """Return the last lines of a log, or nothing where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
