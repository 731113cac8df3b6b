"""How errors become problems: ours, those of the framework, and those of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from fastapi.exceptions import RequestValidationError
from msgspec.structs import replace
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from catchment.api.base import STATUSES, FieldError, Problem
from catchment.api.faces import face_of_scope
from catchment.core.errors import (
    CatchmentError,
    ConfigRejected,
    Conflict,
    DiskFull,
    Forbidden,
    NotFound,
    OutOfScope,
    SourceError,
    Unauthenticated,
    Unavailable,
    UsageError,
)

RETRY_AFTER_SECONDS = 5
_CODES: Sequence[tuple[type[CatchmentError], str]] = (
    (NotFound, "not_found"),
    (Conflict, "conflict"),
    (Unauthenticated, "unauthenticated"),
    (Forbidden, "forbidden"),
    (Unavailable, "unavailable"),
    (DiskFull, "unavailable"),
    (ConfigRejected, "invalid"),
    (OutOfScope, "invalid"),
    (SourceError, "source_failed"),
    (UsageError, "invalid"),
)
"""The first class that fits decides; what fits none is a bug."""
_OF_STATUS = {status: code for code, status in STATUSES.items()} | {422: "invalid", 415: "invalid"}
_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
INTERNAL = Problem("internal", "Something went wrong on our side.")


class Refused(HTTPException):
    """A request that ends here with this problem; may be raised wherever a request is read or handled."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(STATUSES[problem.code], problem.message)
        self.problem = problem


def invalid(
    message: str, *loc: str | int, kind: str = "value_error", details: Mapping[str, Any] | None = None
) -> Refused:
    """Return the error for a part of the request that cannot be used.

    Args:
        message: What is wrong, without the value.
        *loc: Where: ``body``, ``query``, ``path`` or ``header``, then names.
        kind: A word for programs, in pydantic's spelling.
        details: Facts for programs.
    """
    fields = (FieldError(loc, message, kind),) if loc else ()
    return Refused(Problem("invalid", message, fields=fields, details=details or {}))


def problem_of(error: Exception) -> Problem:
    """Say in words that belong to no face what an error means; a bug gives `INTERNAL`."""
    if isinstance(error, Refused):
        return error.problem
    if isinstance(error, RequestValidationError):
        return _of_validation(error)
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, CatchmentError):
        return _of_ours(error)
    if isinstance(error, DataError):
        # Bound values only: something in the request that this database cannot hold.
        return Problem("invalid", "The request holds a value that cannot be stored.")
    if isinstance(error, OperationalError | PoolTimeout):
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return Problem("unavailable", "The store is busy or away. Try again.", headers=headers)
    return INTERNAL


def _of_ours(error: CatchmentError) -> Problem:
    code = next((word for kind, word in _CODES if isinstance(error, kind)), None)
    if code is None:
        return INTERNAL
    wait = getattr(error, "retry_after_seconds", RETRY_AFTER_SECONDS if code == "unavailable" else None)
    return Problem(
        code,
        error.message,
        fields=_fields(error),
        details=getattr(error, "details", {}),
        headers={"Retry-After": str(max(1, ceil(wait)))} if wait is not None else {},
        reason=error.code,
    )


def _fields(error: CatchmentError) -> tuple[FieldError, ...]:
    if isinstance(error, ConfigRejected) and error.setting:
        return (FieldError(("body", error.part, *error.setting.split(".")), error.message),)
    return ()


def _of_http(error: HTTPException) -> Problem:
    code = _OF_STATUS.get(error.status_code, "invalid" if error.status_code < 500 else "internal")
    message = "There is nothing here." if error.status_code == 404 else str(error.detail)
    return Problem(code, message, headers=error.headers or {})


def _of_validation(error: RequestValidationError) -> Problem:
    """Tell where and what, never the value: it may be a secret in the wrong place."""
    fields = tuple(FieldError(tuple(one["loc"]), _message(one), str(one["type"])) for one in error.errors())
    if not fields:
        return Problem("invalid", "The request cannot be used.")
    first = fields[0]
    where = ".".join(str(part) for part in first.loc[1:]) or str(first.loc[0])
    return Problem("invalid", f"{where}: {first.message}", fields=fields)


def _message(one: Mapping[str, Any]) -> str:
    # The one message of pydantic's own that repeats the value; those of a ValueError were written by us.
    if one["type"] == "union_tag_invalid":
        return "Input should be one of the known kinds"
    return str(one["msg"])


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer an error in the words of the face that was asked."""
    problem = problem_of(error)
    if problem.code == "method_not_allowed" and (allowed := _methods_of(request)):
        problem = replace(problem, headers={**problem.headers, "Allow": ", ".join(allowed)})
    return face_of_scope(request.scope).render_error(request, problem)


def _methods_of(request: Request) -> list[str]:
    """Return what a path can be asked for: the framework names the methods of its first route only.

    Where a name and a parameter fit one place, the route that comes first means the name: an id is never it.
    """
    fitting = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    routes = [route for route in fitting if _path_of(route) == _path_of(fitting[0])]
    tried = ((method, {**request.scope, "method": method}) for method in _METHODS)
    return [
        method for method, scope in tried if any(route.matches(scope)[0] is Match.FULL for route in routes)
    ]


def _path_of(route: Any) -> str | None:
    # A router that was added whole has no path of its own.
    return getattr(route, "path", None)
