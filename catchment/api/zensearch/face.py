"""How the ZenSearch face wraps what it says, also when something went wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from catchment.api.base import Face, FieldError, Problem
from catchment.api.requests import request_id
from catchment.core.clock import SystemClock, iso

CODES = {
    "invalid": "invalid_request",
    "unauthenticated": "unauthorized",
    "too_large": "payload_too_large",
    "rate_limited": "rate_limit_exceeded",
    "internal": "internal_error",
}
"""`error.code` where it differs from our own word."""
_PLACES = ("body", "query", "path", "header")


def envelope(request: Request, data: Any, **meta: Any) -> dict[str, Any]:
    """Wrap what a request is answered with; `meta` takes what lists add, such as ``total``."""
    now = iso(SystemClock().now())
    return {"data": data, "meta": {"requestId": request_id(request), "timestamp": now, **meta}}


_ERROR_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["error", "meta"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "details": {"type": "object"},
                "retryAfter": {"type": "integer"},
            },
        },
        "meta": {"type": "object", "properties": {"requestId": {"type": "string"}}},
    },
}


class ZenSearchFace(Face):
    """See the module."""

    name = "zensearch"
    title = "ZenSearch"
    prefixes = ("/api/v1", "/webhooks", "/v1/webhooks")
    open_paths = (re.compile(r"/webhooks/.+"), re.compile(r"/api/v1/oauth/callback/[^/]+"))
    error_schema = _ERROR_SCHEMA

    def error_body(self, request: Request, problem: Problem) -> Any:
        """Return the JSON body that says this problem."""
        code = CODES.get(problem.code, problem.code)
        error: dict[str, Any] = {"code": code, "message": problem.message}
        details = dict(problem.details)
        if problem.fields:
            details = {"field": dotted(problem.fields[0]), **details}
        if details:
            error["details"] = details
        if problem.code == "rate_limited":
            error["retryAfter"] = int(problem.headers.get("Retry-After", "1"))
        return {"error": error, "meta": {"requestId": request_id(request)}}


def dotted(field: FieldError) -> str:
    """Write where a field lies: ``config.bucket``."""
    loc = field.loc[1:] if field.loc and field.loc[0] in _PLACES else field.loc
    return ".".join(str(part) for part in loc) or str(next(iter(field.loc), "body"))


FACE = ZenSearchFace()
