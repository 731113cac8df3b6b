"""One pace for each sign-in: what a vendor asks of one request holds for all that use the same credential.

Vendors count by credential, and two runs, or a run and a preview, may share one. So the moment until which a
vendor wants to be left alone is kept in a small file of the installation, by a hash of the credential, and is
looked at before every request.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from catchment.core.home import home_settings
from catchment.kit.session import Session

FOLDER = "pace"
_LOOK_AGAIN_SECONDS = 60.0
"""A long wait is looked at again so often: somebody else may have been told of a longer one."""


class Governor:
    """Holds requests back while a vendor wants to be left alone; for threads and processes together.

    Args:
        path: File that says until when; None keeps it in this object alone.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._until = 0.0
        self._reason = ""
        self._seen: int | None = None

    def hold(self, session: Session, seconds: float, reason: str) -> None:
        """Let nobody ask for so long; a shorter time than is held already changes nothing."""
        with self._lock:
            self._read()
            until = session.clock.now() + max(seconds, 0.0)
            if until <= self._until:
                return
            self._until, self._reason = until, reason
            self._write()

    def rest(self, session: Session) -> float:
        """Return the seconds until requests are welcome; 0 where they are now."""
        with self._lock:
            self._read()
            return max(0.0, self._until - session.clock.now())

    def wait(self, session: Session) -> None:
        """Wait until requests are welcome, visibly, and at most as long as the run may go on.

        Raises:
            RunCancelled: The run was asked to stop meanwhile.
        """
        while True:
            session.check_stop()
            with self._lock:
                self._read()
                rest, reason = self._until - session.clock.now(), self._reason
            if rest <= 0:
                return
            session.wait(min(rest, _LOOK_AGAIN_SECONDS), reason)

    def _read(self) -> None:
        if self._path is None:
            return
        try:
            stamp = self._path.stat().st_mtime_ns
        except OSError:
            return
        if stamp == self._seen:
            return
        self._seen = stamp
        with suppress(OSError, ValueError):
            until, _, reason = self._path.read_text("utf-8").partition(" ")
            if float(until) > self._until:
                self._until, self._reason = float(until), reason

    def _write(self) -> None:
        if self._path is None:
            return
        # A pace that cannot be shared is still kept by this process.
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = self._path.with_name(f"{self._path.name}.{os.getpid()}.{threading.get_ident()}")
            draft.write_text(f"{self._until} {self._reason}", "utf-8")
            draft.replace(self._path)


_governors: dict[str, Governor] = {}
_lock = threading.Lock()
_shares_files = True


def governor_for(provider: str, credential: str) -> Governor:
    """Return the one governor of a credential, in this process.

    Args:
        provider: Slug of the provider; vendors do not share their limits.
        credential: What the vendor counts by: a token, an account, an installation. Only a hash is kept.
    """
    name = hashlib.sha256(f"{provider}\0{credential}".encode()).hexdigest()[:32]
    with _lock:
        if name not in _governors:
            path = home_settings().root / FOLDER / name if _shares_files else None
            _governors[name] = Governor(path)
        return _governors[name]


@contextmanager
def paces_of_its_own() -> Iterator[None]:
    """Share no pace with anybody while the block lasts, and leave none behind: for trying connectors."""
    global _governors, _shares_files  # noqa: PLW0603 - the paces of a process are one thing
    with _lock:
        before, _governors = (_governors, _shares_files), {}
        _shares_files = False
    try:
        yield
    finally:
        with _lock:
            _governors, _shares_files = before
