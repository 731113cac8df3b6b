"""What every face reads of a request: its id, the address it came to, who asks."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from catchment.core.errors import Unauthenticated
from catchment.core.settings import ApiSettings
from catchment.services.access import Caller
from catchment.services.context import Context

READS = ThreadPoolExecutor(2, thread_name_prefix="reads")
"""Threads for reads that many clients repeat and that only ask the store. More take the interpreter from each
other: 99 of 100 reads of a job's status by sixteen clients wait 16 ms with two, and 29 ms with sixteen."""
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


def request_id(request: Request) -> str:
    """Return the id of a request, as the answer's ``X-Request-ID`` says it."""
    return str(request.scope.get("state", {}).get("request_id", ""))


def settings(request: Request) -> ApiSettings:
    """Return the settings of the API."""
    found: ApiSettings = request.app.state.settings
    return found


def base_url(request: Request) -> str:
    """Return the address that the client knows us by, without a slash at the end.

    A ``Host`` that is no host name is not repeated.
    """
    public = settings(request).public_url
    if public:
        return public.rstrip("/")
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        server = request.scope.get("server") or ("localhost", None)
        host = f"{server[0]}:{server[1]}" if server[1] else server[0]
    return f"{request.scope.get('scheme', 'http')}://{host}"


def context(request: Request) -> Context:
    """Return what services need."""
    found: Context = request.app.state.context
    return found


def caller(request: Request) -> Caller:
    """Return who asks.

    Raises:
        Unauthenticated: On a path that is open to all, nobody said who asks.
    """
    found: Caller | None = request.scope.get("state", {}).get("caller")
    if found is None:
        raise Unauthenticated("Authentication is needed.")
    return found


# Plain functions would each be carried to a thread and back, which takes longer than what they do.
async def _caller(request: Request) -> Caller:
    return caller(request)


async def _context(request: Request) -> Context:
    return context(request)


CallerOf = Annotated[Caller, Depends(_caller)]
"""Parameter of a handler: who asks."""
ContextOf = Annotated[Context, Depends(_context)]
"""Parameter of a handler: what services need."""
