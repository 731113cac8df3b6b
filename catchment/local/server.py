"""The server process: Prefect's API, pages and services, on a socket that the supervisor has opened.

The socket stays open while the server restarts, so clients wait a moment instead of being refused, and no
other program can take the port in between.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

from catchment.core import startup
from catchment.local.lifeline import SOCKET, follow_supervisor

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction

_GRACE_SECONDS = 3
"""Open pages hold event streams that never end by themselves."""


def main() -> None:
    """Serve until the supervisor says stop or is gone."""
    startup.starting()
    follow_supervisor()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    listener = socket.socket(fileno=int(os.environ.pop(SOCKET)))

    import uvicorn
    from prefect.server.api.server import create_app

    config = uvicorn.Config(
        app=create_app(final=True),
        access_log=False,  # the worker alone would write three lines a second
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    startup.started()
    with _immediate_transactions():
        uvicorn.Server(config).run(sockets=[listener])


def _immediate_transactions() -> AbstractContextManager[object]:
    """Begin SQLite's write transactions IMMEDIATE, through the seam that Prefect has for this.

    A transaction that begins DEFERRED, reads, and then writes fails at once when another writer was quicker,
    whatever the busy timeout: the API then answers 503 even when it is idle (2 to 9 in 14 runs; none this
    way), and Prefect's client sleeps for two seconds.
    """
    from prefect.server.database.configurations import AioSqliteConfiguration
    from prefect.server.database.dependencies import temporary_database_config
    from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL

    class ImmediateSqlite(AioSqliteConfiguration):
        @asynccontextmanager
        async def begin_transaction(
            self, session: AsyncSession, with_for_update: bool = False
        ) -> AsyncGenerator[AsyncSessionTransaction, None]:
            del with_for_update
            async with super().begin_transaction(session, with_for_update=True) as transaction:
                yield transaction

    url = str(PREFECT_API_DATABASE_CONNECTION_URL.value())
    if not url.startswith("sqlite"):
        return nullcontext()
    return temporary_database_config(ImmediateSqlite(connection_url=url))


if __name__ == "__main__":
    main()
