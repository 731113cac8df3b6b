"""How the Aimable face says that something went wrong: a sentence, and a list only for what is invalid."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from catchment.api.base import Face, FieldError, Problem

_ERROR_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {
            "oneOf": [
                {"type": "string"},
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["loc", "msg", "type"],
                        "properties": {
                            "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                            "msg": {"type": "string"},
                            "type": {"type": "string"},
                        },
                    },
                },
            ]
        }
    },
}
_NAMES: Mapping[str, str] = {"config": "scope_config", "credentials": "credential"}
_STATUSES: Mapping[str, int] = {"invalid": 422}


class AimableFace(Face):
    """See the module. It is served under ``/v1`` and, the same, under ``/api-proxy/v1``."""

    name = "aimable"
    title = "Aimable"
    # What else lies under /v1 and belongs to another face is asked first.
    prefixes = ("/v1", "/api-proxy")
    open_paths = (re.compile(r"(/api-proxy)?/v1/connectors/oauth/[^/]+/(authorize|callback)"),)
    body_names = _NAMES
    statuses = _STATUSES
    error_schema = _ERROR_SCHEMA

    def error_body(self, request: Request, problem: Problem) -> Any:
        """Return the JSON body that says this problem."""
        del request
        if problem.code == "unauthenticated":
            return {"detail": "Not authenticated"}
        if problem.code != "invalid":
            return {"detail": problem.message}
        fields = problem.fields or (FieldError(("body",), problem.message),)
        told = [{"loc": list(self.place_of(one)), "msg": one.message, "type": one.kind} for one in fields]
        return {"detail": told}


FACE = AimableFace()
