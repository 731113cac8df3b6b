"""Which pages of other origins may read answers: what each face's contract says.

Pages get no credentials along unless their origin is named in the settings: a token has to be sent.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catchment.api.base import Face
from catchment.api.faces import face_of_scope
from catchment.core.settings import ApiSettings

_MAX_AGE_SECONDS = "600"
_EXPOSED = "X-Request-ID, Retry-After, Idempotent-Replayed, MCP-Session-Id, WWW-Authenticate"


class Cors:
    """Middleware that answers the questions of browsers."""

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app = app
        self._any = "*" in settings.cors_origins
        self._named = frozenset(settings.cors_origins) - {"*"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None:
            await self._app(scope, receive, send)
            return
        grants = self._grants(origin)
        if scope["method"] == "OPTIONS" and Headers(scope=scope).get("access-control-request-method"):
            told = Response(status_code=204, headers={**grants, **_allowed(face_of_scope(scope), grants)})
            await told(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in grants.items():
                    if name == "Vary":
                        headers.add_vary_header(value)
                    else:
                        headers[name] = value
                if "Access-Control-Allow-Origin" in grants:
                    headers["Access-Control-Expose-Headers"] = _EXPOSED
            await send(message)

        await self._app(scope, receive, send_on)

    def _grants(self, origin: str) -> dict[str, str]:
        if origin in self._named:
            return {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Credentials": "true",
                "Vary": "Origin",
            }
        if self._any:
            return {"Access-Control-Allow-Origin": "*"}
        return {"Vary": "Origin"}


def _allowed(face: Face, grants: dict[str, str]) -> dict[str, str]:
    if "Access-Control-Allow-Origin" not in grants:
        return {}
    return {
        "Access-Control-Allow-Methods": ", ".join(face.cors_methods),
        "Access-Control-Allow-Headers": ", ".join(face.cors_headers),
        "Access-Control-Max-Age": _MAX_AGE_SECONDS,
    }
