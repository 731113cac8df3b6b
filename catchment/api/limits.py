"""What a request may cost: bytes, files, depth, silence; and characters that no database takes.

Bodies are counted while they arrive, so that one that is too large is never held. JSON is read by
`FaceRoute`, the route class of every router: it refuses what is nested too deeply, what is no JSON (NaN),
and texts with NUL or half a surrogate pair. `LenientRoute` leaves the texts to the handler, which cleans
them with `catchment.sync.cleaning` or refuses a part of the request only.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from math import isinf
from typing import Any, NoReturn

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catchment.api.base import FieldError, Problem
from catchment.api.errors import Refused, answer_error, invalid
from catchment.api.requests import settings
from catchment.core.settings import ApiSettings
from catchment.sync.cleaning import is_fit

UPLOADS = (
    re.compile(r"/api/v1/connectors/[^/]+/files/upload"),
    re.compile(r"/v1/spaces/[^/]+/collections/[^/]+/documents"),
    re.compile(r"/v1/files"),
)
"""Paths that take files."""
PUSH = "/api/sync"
_SMALL_BYTES = 64 * 1024
"""A larger body is read in a thread: all other requests would wait for it."""
_FORM_BYTES = 1024 * 1024
"""Room for what is around the files of an upload."""


def largest_body(path: str, is_multipart: bool, limits: ApiSettings) -> int:
    """Return the most bytes that the body of a request may have."""
    if path == PUSH or path.startswith(f"{PUSH}/"):
        return limits.push_bytes
    if is_multipart and any(upload.fullmatch(path) for upload in UPLOADS):
        return limits.upload_file_bytes * limits.upload_files + _FORM_BYTES
    return limits.json_bytes


def too_large(limit: int) -> Refused:
    """Return the error for a body or a file of more than so many bytes."""
    size = f"{limit // (1024 * 1024)} MiB" if limit >= 1024 * 1024 else f"{limit} bytes"
    return Refused(Problem("too_large", f"More than {size} are not taken.", headers={"Connection": "close"}))


class BodyLimits:
    """Middleware that counts a body while it arrives, and ends one that falls silent."""

    def __init__(self, app: ASGIApp, limits: ApiSettings) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        is_multipart = headers.get(b"content-type", b"").lower().startswith(b"multipart/")
        limit = largest_body(scope["path"], is_multipart, self._limits)
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            answer = await answer_error(Request(scope), too_large(limit))
            await answer(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit, self._limits.body_seconds), send)


def _counted(receive: Receive, limit: int, seconds: float) -> Receive:
    """Let a body pass, chunk by chunk; the framework hands our errors on to the face."""
    seen, is_complete = 0, False

    async def counted() -> Message:
        nonlocal seen, is_complete
        if is_complete:
            # What comes now is the end of the connection; that may take as long as the handler does.
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), seconds)
        except TimeoutError:
            raise Refused(
                Problem("timeout", "The body did not arrive in time.", headers={"Connection": "close"})
            ) from None
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            is_complete = not message.get("more_body", False)
            if seen > limit:
                raise too_large(limit)
        return message

    return counted


class _Json(Request):
    """A request whose JSON is looked through before anybody uses it."""

    takes_any_text = False

    async def json(self) -> Any:
        """Return the body.

        Raises:
            Refused: It is nested too deeply, or a text in it is not fit for a database.
            JSONDecodeError: It is no JSON.
        """
        if not hasattr(self, "_read"):
            raw, depth = await self.body(), settings(self).json_depth
            read = partial(read_json, raw, depth=depth, takes_any_text=self.takes_any_text)
            self._read = await run_in_threadpool(read) if len(raw) > _SMALL_BYTES else read()
        return self._read


class _AnyText(_Json):
    takes_any_text = True


class FaceRoute(APIRoute):
    """The route class of every face: JSON is checked; see the module."""

    request_class: type[_Json] = _Json

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Hand our own kind of request to the handler."""
        handle = super().get_route_handler()

        async def handle_checked(request: Request) -> Response:
            return await handle(self.request_class(request.scope, request.receive))

        return handle_checked


class LenientRoute(FaceRoute):
    """A route whose handler looks at the texts itself; size and depth are still checked."""

    request_class = _AnyText


def read_json(raw: bytes, *, depth: int, takes_any_text: bool = False) -> Any:
    """Read a JSON body.

    Args:
        raw: The bytes.
        depth: Deepest nesting that is taken.
        takes_any_text: Whether texts may hold NUL and halves of surrogate pairs.

    Raises:
        Refused: It is nested too deeply, is no UTF-8, or a text in it is not fit for a database.
        JSONDecodeError: It is no JSON.
    """
    try:
        value = json.loads(
            raw, parse_constant=_refuse_constant, parse_int=_read_integer, parse_float=_read_float
        )
    except RecursionError:
        raise _too_deep(depth) from None
    except UnicodeDecodeError:
        raise invalid("The body is not UTF-8.", "body", 0, kind="json_invalid") from None
    _look_through(value, depth, takes_any_text)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise invalid(f"{name} is no JSON.", "body", 0, kind="json_invalid")


def _read_integer(digits: str) -> int:
    # Python refuses very long ones with an error of its own; no number of ours has more digits.
    if len(digits) > 400:
        raise invalid("A number has too many digits.", "body", 0, kind="json_invalid")
    return int(digits)


def _read_float(text: str) -> float:
    number = float(text)
    if isinf(number):
        # It could be written as JSON no more.
        raise invalid("A number is too large.", "body", 0, kind="json_invalid")
    return number


def _too_deep(depth: int) -> Refused:
    return invalid(f"The body is nested more than {depth} levels deep.", "body", kind="json_invalid")


def _look_through(value: Any, depth: int, takes_any_text: bool) -> None:
    """Look at every part without recursion: the body decides how deep this would go."""
    waiting: list[tuple[Any, int, tuple[str | int, ...]]] = [(value, 1, ("body",))]
    while waiting:
        part, level, loc = waiting.pop()
        if isinstance(part, str):
            if not takes_any_text and not is_fit(part):
                raise _unfit(loc)
            continue
        children: Iterable[tuple[str | int, Any]]
        if isinstance(part, dict):
            if not takes_any_text and not all(map(is_fit, part)):
                raise _unfit(loc)
            children = part.items()
        elif isinstance(part, list):
            children = enumerate(part)
        else:
            continue
        if level > depth:
            raise _too_deep(depth)
        waiting.extend((child, level + 1, (*loc, name)) for name, child in children)


def _unfit(loc: tuple[str | int, ...]) -> Refused:
    message = "A text holds NUL or half of a surrogate pair, which cannot be stored."
    return Refused(Problem("invalid", message, fields=(FieldError(loc, message, "string_unicode"),)))


def check_files(request: Request, files: Sequence[UploadFile]) -> None:
    """Let only as many uploaded files pass as are taken, each of a size that is taken.

    Raises:
        Refused: There is none, there are too many, or one is too large.
    """
    limits = settings(request)
    if not files:
        raise invalid("Field required", "body", "files", kind="missing")
    if len(files) > limits.upload_files:
        raise invalid(f"At most {limits.upload_files} files can be uploaded at once.", "body", "files")
    if any((file.size or 0) > limits.upload_file_bytes for file in files):
        raise too_large(limits.upload_file_bytes)
