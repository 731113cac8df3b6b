"""Which credentials a request carries, and the middleware that lets nobody else in.

A request is known before its body is read and before its shape is judged: a stranger learns nothing, and
costs nothing. On the open paths of a face who asks is told where it is known, and not asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from catchment.api import ids
from catchment.api.errors import answer_error
from catchment.api.faces import HOUSE, face_of_scope
from catchment.api.rates import Rates
from catchment.core.errors import Forbidden, Unauthenticated
from catchment.core.settings import ApiSettings
from catchment.services.known_callers import KnownCallers

COOKIE = "__session"
KEY_HEADERS = ("x-zensearch-key", "x-api-key")
TEAM_HEADER = "x-team-id"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Shown:
    """The credentials that decide, of those that a request carries."""

    def __init__(self, headers: Headers) -> None:
        """Look at the headers; ``Authorization`` decides wherever it is there, good or bad."""
        self.secret: str | None = None
        self.is_cookie = False
        if (authorization := headers.get("authorization")) is not None:
            scheme, _, rest = authorization.partition(" ")
            self.secret = rest.strip() if scheme.lower() == "bearer" else ""
            return
        for name in KEY_HEADERS:
            if (key := headers.get(name)) is not None:
                self.secret = key.strip()
                return
        self.secret = _cookie(headers)
        self.is_cookie = self.secret is not None


def _cookie(headers: Headers) -> str | None:
    for line in headers.getlist("cookie"):
        try:
            found = SimpleCookie(line).get(COOKIE)
        except CookieError:
            continue
        if found is not None:
            return found.value
    return None


def shown_by(request: Request, *, origins: Sequence[str] = ()) -> tuple[str, str | None]:
    """Return the token that a request shows, and the id of the tenant that it names, if it names one.

    Args:
        request: Only its headers are read.
        origins: Pages whose requests may be signed in by the cookie, beside our own.

    Raises:
        Unauthenticated: It carries no credentials.
        Forbidden: It names a team that the caller does not belong to, or comes from a foreign page.
    """
    shown = Shown(request.headers)
    if shown.secret is None:
        raise Unauthenticated("Authentication is needed.")
    if shown.is_cookie:
        _refuse_foreign_page(request, origins)
    team = request.headers.get(TEAM_HEADER)
    tenant_id = ids.parse("tenant", team) if team else None
    if team and tenant_id is None:
        raise Forbidden("You do not belong to this team.")
    return shown.secret, tenant_id


def _refuse_foreign_page(request: Request, origins: Sequence[str]) -> None:
    """A browser sends the cookie along whatever page asks; only ours and named ones may change things."""
    origin = request.headers.get("origin")
    if request.method in _SAFE_METHODS or origin is None or origin in origins:
        return
    if urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden("Pages of another origin must send a token.")


class SignIn:
    """Middleware: who asks is known, or the request ends here. WebSockets are not looked at."""

    def __init__(self, app: ASGIApp, settings: ApiSettings, callers: KnownCallers, rates: Rates) -> None:
        self._app = app
        self._callers = callers
        self._origins = tuple(origin for origin in settings.cors_origins if origin != "*")
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        face = face_of_scope(scope) if scope["type"] == "http" else HOUSE
        if face is HOUSE:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            shown = shown_by(request, origins=self._origins)
            caller = self._callers.known(*shown)
            if caller is None:
                # A look into the store: in a thread, as everything that waits.
                caller = await run_in_threadpool(self._callers.ask, *shown)
        except Exception as error:
            if not (isinstance(error, Unauthenticated | Forbidden) and face.is_open(scope["path"])):
                answer = await answer_error(request, error)
                await answer(scope, receive, send)
                return
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        request.app.state.uses.note(caller.token_id)
        told = self._rates.take(caller.token_id)
        if told is None:
            told = await run_in_threadpool(self._rates.ask, caller.token_id)
        scope["state"]["headers"] = told.headers
        if told.refusal is not None:
            answer = await answer_error(request, told.refusal)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)
