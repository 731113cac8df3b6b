"""The process of the HTTP API: a child of the local stack, or by itself under ``catchment api``."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine

from catchment.api.app import create_app
from catchment.api.protocol import BoundedProtocol
from catchment.api.upkeep import Upkeep
from catchment.core import startup
from catchment.core.clock import SystemClock, iso
from catchment.core.errors import CatchmentError, Unavailable
from catchment.core.home import HomeSettings, home_settings
from catchment.core.settings import api_settings
from catchment.local.http import SETTING, USUAL_PORT
from catchment.local.lifeline import SOCKET, follow_supervisor
from catchment.local.ports import Door, address_of, open_port
from catchment.local.state import read_state
from catchment.services import oauth_clients
from catchment.services.context import Context
from catchment.services.prefect_client import PrefectClient
from catchment.store.engine import open_engine
from catchment.store.migrate import require_current

_GRACE_SECONDS = 5
"""Requests that are being answered get so long at the end."""
_KEEP_ALIVE_SECONDS = 30

log = logging.getLogger("catchment.api")


def main() -> int:
    """Serve until told to stop. Returns 2 where the start is refused, 0 after a wanted stop."""
    startup.starting()
    follow_supervisor()
    handle = os.environ.pop(SOCKET, "")
    _prepare_logging()
    home = home_settings()
    try:
        engine = open_engine(home.store_url)
        require_current(engine)
        listener = socket.socket(fileno=int(handle)) if handle else _own_port(home.root)
    except CatchmentError as error:
        print(error, file=sys.stderr)
        return 2
    context = _context(home, engine=engine, is_child=bool(handle))
    _take_over_clients(context)
    app = create_app(context, background=partial(_start_upkeep, context, home.root, sweeps=not handle))
    if not handle:
        print(f"The HTTP API: {address_of(listener)} (Ctrl-C stops it)", file=sys.stderr, flush=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        # The server takes both for its own while it runs, and raises them again at its end.
        signal.signal(number, _heed)
    startup.started()
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        access_log=False,  # the edge writes one line for each request
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _take_over_clients(context: Context) -> None:
    try:
        for slug in oauth_clients.take_over(context):
            log.info("the client of sign-ins to %s was taken over from the environment", slug)
    except CatchmentError as error:
        # Sign-ins in the browser wait for it; everything else works.
        log.warning("the environment's clients of sign-ins were not all taken over: %s", error)


def _own_port(home: Path) -> socket.socket:
    settings = api_settings()
    # The stack's own API may run beside this one, and keeps the port that it remembers.
    return open_port(home, settings.port, Door(SETTING, None, host=settings.host, usual=USUAL_PORT))


def _context(home: HomeSettings, *, engine: Engine, is_child: bool) -> Context:
    if is_child:
        return Context(engine, connect=PrefectClient.from_environment)
    if home.prefect_api_url is not None:
        address, auth = home.prefect_api_url, home.prefect_api_auth or ""
        return Context(engine, connect=lambda: PrefectClient(address, auth))
    return StackContext(engine, connect=_StackWay(home.root).connect)


class _StackWay:
    """The way to a local stack that others start and stop."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._client: PrefectClient | None = None
        self._known = ("", "")

    def connect(self) -> PrefectClient:
        """Return a client of the stack that runs now.

        Raises:
            Unavailable: None runs.
        """
        state = read_state(self._home)
        if state is None:
            raise Unavailable("The local stack does not run.", remedy="Start it: catchment up.")
        if self._client is None or self._known != (state.api_url, state.auth):
            self._client = PrefectClient(state.api_url, state.auth)
            self._known = (state.api_url, state.auth)
        return self._client


class StackContext(Context):
    """Asks for Prefect anew each time: the local stack may have been started again, on another port."""

    @property
    def prefect(self) -> PrefectClient:
        """The connection to Prefect.

        Raises:
            Unavailable: The local stack does not run.
        """
        return self.connect()


def _start_upkeep(context: Context, home: Path, app: FastAPI, *, sweeps: bool) -> Callable[[], None]:
    upkeep = Upkeep(context, app.state.uses, home, sweeps=sweeps)
    upkeep.start()
    return upkeep.stop


def _heed(number: int, frame: FrameType | None) -> None:
    del number, frame


def _prepare_logging() -> None:
    handler = logging.StreamHandler()
    plain = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonLines() if api_settings().log_json else plain)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # The stages of the server, and a line for each of our own requests to Prefect, say nothing.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    """One JSON object a line, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        told = {
            "time": iso(SystemClock().now()),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


if __name__ == "__main__":
    sys.exit(main())
