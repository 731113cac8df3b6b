"""How the Trove face says that something went wrong: in REST, in GraphQL and in JSON-RPC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from catchment.api.base import Face, Problem
from catchment.api.requests import base_url

GRAPHQL_CODES = {
    "unauthenticated": "UNAUTHENTICATED",
    "invalid": "BAD_USER_INPUT",
    "too_large": "BAD_USER_INPUT",
    "forbidden": "FORBIDDEN",
    "not_found": "NOT_FOUND",
    "conflict": "CONFLICT",
    "rate_limited": "RATE_LIMITED",
    "source_failed": "SOURCE_FAILED",
    "unavailable": "UNAVAILABLE",
}
"""`extensions.code` of a problem; what is not here is INTERNAL."""
_RPC_CODES = {"invalid": -32600, "not_found": -32601, "method_not_allowed": -32600}
_RPC_INTERNAL = -32603
_ERROR_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["error", "errors", "documentsIndexed", "documentsSkipped"],
    "properties": {
        "error": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"external_id": {"type": ["string", "null"]}, "error": {"type": "string"}},
            },
        },
        "documentsIndexed": {"type": "integer"},
        "documentsSkipped": {"type": "integer"},
    },
}


class TroveFace(Face):
    """See the module."""

    name = "trove"
    title = "Trove"
    prefixes = ("/graphql", "/api/sync", "/.well-known", "/mcp")
    open_paths = (re.compile(r"/\.well-known/oauth-[a-z-]+"),)
    cors_methods = ("GET", "POST", "DELETE", "OPTIONS")
    cors_headers = ("Authorization", "Content-Type", "MCP-Protocol-Version", "MCP-Session-Id", "Accept")
    error_schema = _ERROR_SCHEMA

    def error_body(self, request: Request, problem: Problem) -> Any:
        """Return the JSON body that says this problem.

        The REST form is as rich as that of success: clients look at its ``errors`` without a look at the
        status.
        """
        path = request.scope["path"]
        if path == "/graphql":
            return {"data": None, "errors": [self.graphql_error(problem)]}
        if path.startswith("/mcp"):
            code = _RPC_CODES.get(problem.code, _RPC_INTERNAL)
            return {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": problem.message}}
        named = "Unauthorized" if problem.code == "unauthenticated" else problem.message
        told = [{"external_id": None, "error": problem.message}]
        return {"error": named, "errors": told, "documentsIndexed": 0, "documentsSkipped": 0}

    def graphql_error(self, problem: Problem) -> dict[str, Any]:
        """Return a problem as an element of GraphQL's ``errors``."""
        code = GRAPHQL_CODES.get(problem.code, "INTERNAL")
        return {"message": problem.message, "extensions": {"code": code, **problem.details}}

    def render_error(self, request: Request, problem: Problem) -> Response:
        """Answer; a GraphQL client learns from the body, not from the status, that a part of us is away."""
        answer = super().render_error(request, problem)
        if request.scope["path"] == "/graphql" and problem.code == "unavailable":
            answer.status_code = 200
        return answer

    def headers_of(self, request: Request, problem: Problem) -> dict[str, str]:
        """Tell where to find out how to sign in, too."""
        if problem.code != "unauthenticated":
            return super().headers_of(request, problem)
        metadata = f"{base_url(request)}/.well-known/oauth-protected-resource"
        return {**problem.headers, "WWW-Authenticate": f'Bearer resource_metadata="{metadata}"'}


FACE = TroveFace()
