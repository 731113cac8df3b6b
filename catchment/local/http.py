"""The HTTP API's place in the stack: its port, its process, and who wants it.

A stack has it when somebody asked for it, before its start or later: ``catchment up`` does. One that a
command started in the background goes without, which spares 80 MB.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from catchment.core.settings import api_settings
from catchment.local.children import ChildSpec
from catchment.local.lifeline import SOCKET
from catchment.local.ports import Door, address_of, open_port

USUAL_PORT = 8377
SETTING = "CATCHMENT_API_PORT"
_PROBE_SECONDS = 2.0


class HttpApi:
    """One stack's HTTP API; the port is opened when the process is first described."""

    NAME = "api"

    def __init__(self, home: Path) -> None:
        self._home = home
        self._listener: socket.socket | None = None

    @property
    def address(self) -> str:
        """Where it is reached from this machine; empty before the port is open."""
        return address_of(self._listener) if self._listener is not None else ""

    def spec(self, environment: Mapping[str, str]) -> ChildSpec:
        """Open the port and say how to start the process.

        Raises ConfigRejected when the port that the settings ask for is in use.
        """
        if self._listener is None:
            settings = api_settings()
            door = Door(SETTING, "http-port", host=settings.host, usual=USUAL_PORT)
            self._listener = open_port(self._home, settings.port, door)
        handle = self._listener.fileno()
        return ChildSpec(
            name=self.NAME,
            module="catchment.api.serve",
            environment={**environment, SOCKET: str(handle)},
            pass_fds=(handle,),
            is_ready=self._answers,
        )

    def _answers(self) -> bool:
        with suppress(httpx.HTTPError):
            address = f"{self.address}/health"
            return httpx.get(address, timeout=_PROBE_SECONDS, trust_env=False).status_code == 200
        return False

    def close(self) -> None:
        """Let go of the port, so that clients are refused instead of waiting; nobody wants it any more."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self.forget()

    def forget(self) -> None:
        """Take it that nobody wants it."""
        _mark(self._home).unlink(missing_ok=True)

    def is_wanted(self) -> bool:
        """Say whether somebody asked for it."""
        return _mark(self._home).exists()


def want(home: Path) -> None:
    """Ask the stack of this home, now or when it starts, to have the HTTP API."""
    _mark(home).touch(mode=0o600)


def _mark(home: Path) -> Path:
    return home / "run" / "http-wanted"
