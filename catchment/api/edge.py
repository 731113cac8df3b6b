"""The outermost layer: a request gets its id and its place, an answer its headers, a bug its 500."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catchment.api.base import Problem
from catchment.api.errors import INTERNAL, Refused, answer_error, invalid, problem_of
from catchment.api.faces import FACES, face_of
from catchment.api.metrics import Metrics

log = logging.getLogger("catchment.api")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PROXIED = "/api-proxy"
_AIMABLE = next(face for face in FACES if face.name == "aimable")


class Edge:
    """Middleware around everything else; see the module."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope["state"] = dict(scope.get("state") or {})
        state["request_id"] = _request_id(scope)
        asked = scope["path"]
        scope["path"] = _path(asked)
        face, began, status = face_of(scope["path"]), time.monotonic(), 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = state["request_id"]
                headers.setdefault("X-Content-Type-Options", "nosniff")
                for name, value in _more_headers(state).items():
                    headers[name] = value
            await send(message)

        with self._metrics.in_flight(face.name):
            try:
                await self._guarded(scope, receive, send_on, asked)
            except Exception as error:
                if status:
                    # Half an answer is out: only the end of the connection can still tell.
                    log.exception("request %s failed after its answer began", state["request_id"])
                    raise
                _report(state["request_id"], error)
                answer = await answer_error(Request(scope), error)
                await answer(scope, receive, send_on)
        seconds = time.monotonic() - began
        self._metrics.answered(face.name, scope["method"], status, seconds)
        # Never the query: tokens and states travel in it.
        log.info(
            "%s %s %s %d ms %s",
            scope["method"],
            _CONTROL.sub("?", scope["path"]),
            status,
            seconds * 1000,
            state["request_id"],
            extra={"facts": {"face": face.name, "status": status, "request_id": state["request_id"]}},
        )

    async def _guarded(self, scope: Scope, receive: Receive, send: Send, asked: str) -> None:
        if _CONTROL.search(asked):
            raise Refused(Problem("not_found", "There is nothing here."))
        if b"%00" in scope["query_string"]:
            raise invalid("A parameter holds NUL.", "query", *_holding_nul(scope), kind="string_unicode")
        await self._app(scope, receive, send)


def _holding_nul(scope: Scope) -> list[str]:
    """Return the name of the first parameter that holds NUL, where the name itself can be told."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return [name for name, value in pairs if "\0" in value and name.isprintable()][:1]


def _request_id(scope: Scope) -> str:
    """Take the id that the client gave, if it is a plain word, or make one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given: str = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(given):
                return given
    return f"req_{uuid4().hex}"


def _path(asked: str) -> str:
    """Return the path that routes know: without a slash at the end, and without the proxy's prefix."""
    path = asked[:-1] if len(asked) > 1 and asked.endswith("/") else asked
    if path.startswith(f"{_PROXIED}/v1/"):
        inner = path.removeprefix(_PROXIED)
        # Only Aimable lies there, too: the prefix must not open a second way to another face.
        return inner if face_of(inner) is _AIMABLE else path
    return path


def _more_headers(state: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = state.get("headers", {})
    return found


def _report(request_id: str, error: Exception) -> None:
    if problem_of(error) is INTERNAL:
        log.error("request %s failed", request_id, exc_info=error)
