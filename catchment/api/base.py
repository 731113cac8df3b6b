"""What went wrong, in words that belong to no face, and what a face is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec import Struct, field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

STATUSES: Mapping[str, int] = {
    "invalid": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "timeout": 408,
    "conflict": 409,
    "too_large": 413,
    "rate_limited": 429,
    "internal": 500,
    "source_failed": 502,
    "unavailable": 503,
}
"""Every code that a problem can have, and the HTTP status that says so; a face may say it otherwise."""


class FieldError(Struct, frozen=True):
    """One part of a request that cannot be used.

    Attributes:
        loc: Where: ``body``, ``query``, ``path`` or ``header``, then names and positions.
        message: What is wrong, without the value: it may be a secret.
        kind: A word for programs, in pydantic's spelling (``missing``, ``value_error``).
    """

    loc: tuple[str | int, ...]
    message: str
    kind: str = "value_error"


class Problem(Struct, frozen=True):
    """Why a request was not carried out.

    Attributes:
        code: One of `STATUSES`.
        message: A sentence for a person.
        fields: What in the request is wrong, where that can be said.
        details: Facts for programs, such as the id of a run that is in the way.
        headers: Headers that belong to the answer, such as ``Retry-After``.
        reason: Our own word for the case where there is one (`CatchmentError.code`).
    """

    code: str
    message: str
    fields: tuple[FieldError, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


class Face:
    """One way to speak: where it lies, and how it says that something went wrong.

    Attributes:
        name: One word, as metrics and documents call it.
        title: The name for people.
        prefixes: Paths that belong to it, with everything below them.
        open_paths: Paths that are answered without a token.
        body_names: What it calls ``config`` and ``credentials`` in bodies, where it has names of its own.
        statuses: Where it says a code with another status than `STATUSES`.
        cors_methods: What pages of other origins may do.
        cors_headers: What they may send along.
        error_schema: Shape of `error_body`, for the OpenAPI document.
    """

    name: ClassVar[str] = "house"
    title: ClassVar[str] = "Catchment"
    prefixes: ClassVar[tuple[str, ...]] = ()
    open_paths: ClassVar[tuple[re.Pattern[str], ...]] = ()
    body_names: ClassVar[Mapping[str, str]] = {}
    statuses: ClassVar[Mapping[str, int]] = {}
    cors_methods: ClassVar[tuple[str, ...]] = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    cors_headers: ClassVar[tuple[str, ...]] = (
        "Accept",
        "Authorization",
        "Content-Type",
        "Idempotency-Key",
        "X-API-Key",
        "X-Request-ID",
        "X-Team-ID",
        "X-ZenSearch-Key",
    )
    error_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "string"}},
    }

    def owns(self, path: str) -> bool:
        """Say whether a path belongs to this face."""
        return any(path == prefix or path.startswith(f"{prefix}/") for prefix in self.prefixes)

    def is_open(self, path: str) -> bool:
        """Say whether a path of this face is answered without a token."""
        return any(pattern.fullmatch(path) for pattern in self.open_paths)

    def place_of(self, field: FieldError) -> tuple[str | int, ...]:
        """Return where a field lies, in this face's own names."""
        if len(field.loc) < 2 or field.loc[0] != "body":
            return field.loc
        return ("body", self.body_names.get(str(field.loc[1]), field.loc[1]), *field.loc[2:])

    def status_of(self, problem: Problem) -> int:
        """Return the status that says this problem."""
        return self.statuses.get(problem.code, STATUSES[problem.code])

    def error_body(self, request: Request, problem: Problem) -> Any:
        """Return the JSON body that says this problem."""
        del request
        return {"error": problem.message}

    def headers_of(self, request: Request, problem: Problem) -> dict[str, str]:
        """Return the headers that say this problem."""
        del request
        if problem.code == "unauthenticated":
            return {"WWW-Authenticate": "Bearer", **problem.headers}
        return dict(problem.headers)

    def render_error(self, request: Request, problem: Problem) -> Response:
        """Answer a request that was not carried out."""
        return JSONResponse(
            self.error_body(request, problem),
            status_code=self.status_of(problem),
            headers=self.headers_of(request, problem),
        )
