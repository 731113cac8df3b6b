"""Who asks: tokens, apps and their installations, what each may do, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import jwt

from catchment.core.clock import SetClock
from catchment.simulators.github.bodies import error, iso
from catchment.simulators.github.world import Installation, Token
from catchment.simulators.wire import Reply, Request

if TYPE_CHECKING:
    from jwt.types import Options

WINDOW_SECONDS = 3600
TOKEN_SECONDS = 3600
SIGN_IN_SECONDS = 28_800
LONGEST_JWT_SECONDS = 600
BAD = "Bad credentials"


class Refused(Exception):
    """The request ends here, with this answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def refuse(status: int, message: str, headers: dict[str, str] | None = None, **more: Any) -> Refused:
    """Return a refusal in the vendor's form."""
    return Refused(Reply(status, error(message, status, **more), headers or {}))


class Access:
    """The vendor's door.

    Attributes:
        tokens: By the token itself.
        apps: Public keys (PEM) by the id of an app.
        installations: By id.
        limit: Requests of one token in an hour.
        limit_status: What is answered beyond that: 403, or 429.
        clients: Secrets of the apps that sign people in, by their id.
        grants: Whom a refresh token is for, with the token that came with it.
        point_limit: Points that questions of one token may cost in an hour; a limit of its own.
    """

    def __init__(self, clock: SetClock) -> None:
        self._clock = clock
        self.tokens: dict[str, Token] = {}
        self.apps: dict[str, bytes] = {}
        self.installations: dict[int, Installation] = {}
        self.limit = 5000
        self.limit_status = 403
        self.point_limit = 5000
        self.clients: dict[str, str] = {}
        self.grants: dict[str, tuple[str, str]] = {}
        self._made = 0

    # -- tokens ---------------------------------------------------------------------------------

    def token_of(self, headers: Mapping[str, str]) -> tuple[str, Token]:
        """Return the token of a request.

        Raises:
            Refused: There is none, or it is not good (any more).
        """
        scheme, _, name = headers.get("authorization", "").partition(" ")
        token = self.tokens.get(name.strip()) if scheme.lower() in ("bearer", "token") else None
        if token is None or (token.expires is not None and token.expires <= self._clock.now()):
            raise refuse(401, BAD)
        if token.installation is not None and self.installations[token.installation].suspended:
            raise refuse(403, "This installation has been suspended")
        return name, token

    def count(self, token: Token) -> dict[str, str]:
        """Count a request, and return the headers that tell of it.

        Raises:
            Refused: There were too many.
        """
        self._open_window(token)
        token.used += 1
        left = max(self.limit - token.used, 0)
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Used": str(min(token.used, self.limit)),
            "X-RateLimit-Reset": str(int((token.window or 0) + WINDOW_SECONDS)),
            "X-RateLimit-Resource": "core",
        }
        if token.kind == "classic":
            headers["X-OAuth-Scopes"] = ", ".join(token.scopes)
        if token.used > self.limit:
            raise refuse(self.limit_status, "API rate limit exceeded for user ID 1.", headers)
        return headers

    def count_points(self, token: Token, points: int) -> tuple[dict[str, str], bool]:
        """Count what a question costs; return the headers that tell of it, and whether it was too much."""
        self._open_window(token)
        token.points += points
        headers = {
            "X-RateLimit-Limit": str(self.point_limit),
            "X-RateLimit-Remaining": str(max(self.point_limit - token.points, 0)),
            "X-RateLimit-Used": str(token.points),
            "X-RateLimit-Reset": str(int((token.window or 0) + WINDOW_SECONDS)),
            "X-RateLimit-Resource": "graphql",
        }
        return headers, token.points > self.point_limit

    def _open_window(self, token: Token) -> None:
        now = self._clock.now()
        if token.window is None or now >= token.window + WINDOW_SECONDS:
            token.window, token.used, token.points = now, 0, 0

    @staticmethod
    def require(token: Token, permission: str) -> None:
        """See that a fine-grained token, or an installation, has a permission.

        Raises:
            Refused: It has not.
        """
        if token.permissions is not None and permission not in token.permissions:
            kind = "integration" if token.installation is not None else "personal access token"
            headers = {"X-Accepted-GitHub-Permissions": f"{permission}=read"}
            raise refuse(403, f"Resource not accessible by {kind}", headers)

    # -- sign-ins -------------------------------------------------------------------------------

    def grant(self, login: str) -> tuple[str, str]:
        """Make a token that acts for a person for eight hours, and what renews it once."""
        self._made += 1
        token, refresh = f"ghu_simulated{self._made:06}", f"ghr_simulated{self._made:06}"
        self.tokens[token] = Token(login, kind="user", expires=self._clock.now() + SIGN_IN_SECONDS)
        self.grants[refresh] = (login, token)
        return token, refresh

    def renew(self, request: Request) -> Reply:
        """Exchange a refresh token; a refusal has a good status, and the old tokens end with the new."""
        sent = dict(parse_qsl(request.body.decode()))
        if not sent.get("client_id") or self.clients.get(sent["client_id"]) != sent.get("client_secret"):
            told = _sign_in_error("incorrect_client_credentials")
        elif sent.get("grant_type") != "refresh_token" or sent.get("refresh_token") not in self.grants:
            told = _sign_in_error("bad_refresh_token")
        else:
            login, before = self.grants.pop(sent["refresh_token"])
            self.tokens.pop(before, None)
            token, refresh = self.grant(login)
            told = {
                "access_token": token,
                "expires_in": SIGN_IN_SECONDS,
                "refresh_token": refresh,
                "refresh_token_expires_in": 15_811_200,
                "scope": "",
                "token_type": "bearer",
            }
        if "json" in request.headers.get("accept", ""):
            return Reply(200, told)
        form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return Reply(200, urlencode(told).encode(), form)

    # -- apps -----------------------------------------------------------------------------------

    def app_of(self, headers: Mapping[str, str]) -> str:
        """Return the app whose signature a request bears.

        Raises:
            Refused: The signature, or its time, is not good.
        """
        word = headers.get("authorization", "").partition(" ")[2]
        try:
            told = _signed_by(self.apps, word)
            app, issued, expires = told["iss"], float(told["iat"]), float(told["exp"])
        except (jwt.PyJWTError, ValueError, KeyError, TypeError) as bad:
            raise refuse(401, "A JSON web token could not be decoded") from bad
        now = self._clock.now()
        if expires <= now or expires > now + LONGEST_JWT_SECONDS:
            raise refuse(
                401,
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at"
                " which the assertion expires",
            )
        if issued > now:
            raise refuse(401, "'Issued at' claim ('iat') must be an Integer representing the time")
        return str(app)

    def open_door(self, number: str) -> Reply:
        """Make a token for an installation.

        Raises:
            Refused: There is no such installation, or it is suspended.
        """
        one = self.installations.get(int(number))
        if one is None:
            raise refuse(404, "Not Found")
        if one.suspended:
            raise refuse(403, "This installation has been suspended")
        self._made += 1
        name = f"ghs_simulated{self._made:06}"
        expires = self._clock.now() + TOKEN_SECONDS
        self.tokens[name] = Token(
            f"{one.account}[bot]",
            kind="installation",
            permissions=tuple(one.permissions),
            repositories=frozenset(one.repositories),
            expires=expires,
            installation=one.id,
        )
        told = {
            "token": name,
            "expires_at": iso(expires),
            "permissions": dict(one.permissions),
            "repository_selection": "selected",
        }
        return Reply(201, told)


def _sign_in_error(word: str) -> dict[str, Any]:
    told = {"error": word, "error_description": f"The request was refused: {word}."}
    return {**told, "error_uri": "https://docs.github.com/apps"}


def _signed_by(keys: Mapping[str, bytes], word: str) -> dict[str, Any]:
    """Return what an app says with the key that belongs to it; its times are left to our own clock."""
    claimed = jwt.decode(word, options={"verify_signature": False})
    times: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    return jwt.decode(word, keys[claimed["iss"]], algorithms=["RS256"], options=times)
