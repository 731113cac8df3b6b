"""Where clients learn how to sign in: RFC 9728 and RFC 8414 metadata, open to all."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from catchment.api.limits import FaceRoute
from catchment.api.requests import base_url

router = APIRouter(tags=["trove"], route_class=FaceRoute)
SCOPES = ("profile", "email", "offline_access")


@router.get("/.well-known/oauth-protected-resource")
def protected_resource(request: Request) -> dict[str, Any]:
    """Describe this API as a protected resource (RFC 9728)."""
    base = base_url(request)
    return {
        "resource": base,
        "authorization_servers": [base],
        "scopes_supported": list(SCOPES),
        "bearer_methods_supported": ["header"],
    }


@router.get("/.well-known/oauth-authorization-server")
def authorization_server(request: Request) -> dict[str, Any]:
    """Describe the issuer of tokens (RFC 8414): they are made by its operator, and no grant is offered."""
    return {
        "issuer": base_url(request),
        "scopes_supported": list(SCOPES),
        "response_types_supported": [],
        "grant_types_supported": [],
        "service_documentation": f"{base_url(request)}/docs",
    }
