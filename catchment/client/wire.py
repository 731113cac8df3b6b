"""Where both clients meet httpx: its settings, a request made of a call, an answer read.

Errors of httpx hold the request, and with it the token. So none of them leaves this package, not even as the
cause of one of ours: a request without an answer is a value, `Cut`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import httpx

from catchment.client.session import is_on_this_machine
from catchment.client.steps import Answer, Call, Cut

CONNECT_SECONDS: Final = 10.0
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (httpx.ConnectTimeout, "no connection in time"),
    (httpx.ConnectError, "no connection"),
    (httpx.PoolTimeout, "too many requests at once"),
    (httpx.TimeoutException, "no answer in time"),
    (httpx.ProxyError, "the proxy refuses"),
    (httpx.ReadError, "the connection was cut"),
    (httpx.WriteError, "the connection was cut"),
    (httpx.RemoteProtocolError, "the connection was cut"),
)


def settings(address: str, token: str, *, timeout: float) -> dict[str, Any]:
    """Return what a client of httpx is made with.

    Args:
        address: Of the server.
        token: Sent with every request, to this address alone: no redirect is followed.
        timeout: Most seconds of silence.
    """
    try:
        agent = f"catchment-client/{version('catchment')}"
    except PackageNotFoundError:
        agent = "catchment-client"
    headers = {"User-Agent": agent, "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return {
        "base_url": address,
        "headers": headers,
        "timeout": httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
        "follow_redirects": False,
        "trust_env": not is_on_this_machine(address),
    }


def arguments(call: Call, opened: ExitStack) -> dict[str, Any]:
    """Return what httpx sends a call with; files are opened for as long as the stack is."""
    given: dict[str, Any] = {"params": {name: one for name, one in call.params.items() if one is not None}}
    headers: dict[str, str] = {}
    if call.key is not None:
        headers["Idempotency-Key"] = call.key
    if call.content is not None:
        headers["Content-Type"] = "application/json"
        given["content"] = call.content
    elif call.body is not None:
        given["json"] = call.body
    elif call.files:
        given["files"] = [
            ("files", (name, opened.enter_context(body.open("rb")) if isinstance(body, Path) else body))
            for name, body in call.files
        ]
    return {**given, "headers": headers}


def answer_of(response: httpx.Response) -> Answer:
    """Return what came."""
    return Answer(response.status_code, _lower(response.headers), response.content)


def cut_by(error: httpx.HTTPError) -> Cut:
    """Say why no answer came; never what was sent."""
    reason = next((told for kind, told in _REASONS if isinstance(error, kind)), type(error).__name__)
    return Cut(reason, was_sent=not isinstance(error, _NOT_SENT))


def _lower(headers: httpx.Headers) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}
