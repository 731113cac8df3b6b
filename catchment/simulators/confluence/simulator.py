"""The simulator: which face of the site a request means, who asks, and how often they may."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime

from catchment.simulators.confluence import classic, cloud
from catchment.simulators.confluence.cloud import Asked
from catchment.simulators.confluence.signin import API_TOKEN, CLOUD_ID, EMAIL, SignIns, Viewer
from catchment.simulators.confluence.world import World
from catchment.simulators.server import Simulator
from catchment.simulators.wire import Reply, Request

_GATEWAY = re.compile(r"/ex/confluence/([^/]+)(/wiki/.*)")
_MEDIA = re.compile(r"/media/(\d+)/(\d+)")
Route = Callable[[Asked], Reply]


class Confluence(Simulator):
    """One site. Its people and content are `world`, its tokens `sign_ins`.

    Attributes:
        lag_seconds: How far the search index is behind.
        time_zone: Zone in which dates of queries are read.
        webhook_secret: What deliveries are signed with.
    """

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.world = World(self._now)
        self.sign_ins = SignIns(self._now)
        self.lag_seconds = 0.0
        self.time_zone = "UTC"
        self.webhook_secret = "the-webhook-secret-of-the-simulator"  # noqa: S105 - for the simulator alone
        self._limit: tuple[int, float] | None = None
        self._window = (0.0, 0)

    @classmethod
    def demo(cls, seed: int = 0) -> Confluence:
        """Return a site with a few hundred pages, posts, comments and attachments."""
        from catchment.simulators.confluence.demo import fill

        made = cls(seed=seed)
        fill(made, seed)
        return made

    def how_to_connect(self, url: str) -> str:
        """Return what to type to sync from this site."""
        given = json.dumps({"email": EMAIL, "api_token": API_TOKEN})
        lines = (
            f"catchment connector add confluence --name site --set instanceUrl={url}",
            f"echo '{given}' | catchment connector credentials site --stdin",
            "catchment sync site",
        )
        return "\n".join(lines)

    def limit_requests(self, count: int | None, *, seconds: float = 60.0) -> None:
        """Allow so many requests in each window of so many seconds; None allows all."""
        self._limit = (count, seconds) if count is not None else None
        self._window = (0.0, 0)

    def answer(self, request: Request) -> Reply:
        """Answer as the site, the gateway, the sign-in or the file store would."""
        path = request.path
        if path == "/oauth/token":
            return self.sign_ins.exchange(request)
        if media := _MEDIA.fullmatch(path):
            return self._media(request, int(media[1]), int(media[2]))
        if path == "/oauth/token/accessible-resources":
            viewer = self.sign_ins.at_gateway(request)
            return self.sign_ins.sites(viewer, request.base_url) if viewer else _unauthorized()
        if gateway := _GATEWAY.fullmatch(path):
            if gateway[1] != CLOUD_ID:
                return Reply(404, {"code": 404, "message": "No message available"})
            return self._signed(request, gateway[2], self.sign_ins.at_gateway(request), gateway=True)
        if path.startswith("/wiki/"):
            return self._signed(request, path, self.sign_ins.at_site(request))
        if path.startswith(("/rest/api/", "/download/")):
            return self._data_center(request)
        return Reply(404, b"<html><body>Page not found</body></html>", {"Content-Type": "text/html"})

    def delivery(self, event: str, id: int, *, secret: str | None = None) -> tuple[dict[str, str], bytes]:
        """Return headers and body of a webhook, as Data Center sends and signs it."""
        kind = event.partition("_")[0]
        body = json.dumps(
            {
                "timestamp": int(self.clock.now() * 1000),
                "event": event,
                "userKey": "ff8080817b0a1c2d",
                kind: {"id": id},
            }
        ).encode()
        key = (self.webhook_secret if secret is None else secret).encode()
        signature = hmac.new(key, body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature": f"sha256={signature}"}
        return headers, body

    def cloud_delivery(
        self, event: str, id: int, *, path: str = "/confluence", secret: str | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Return first line, headers and body of a webhook, as Cloud sends it to an app and signs it.

        The name of the event stands in the address alone, as the app's descriptor put it there.
        """
        kind, now = event.partition("_")[0], self.clock.now()
        body = json.dumps(
            {
                "userAccountId": "5b10a2844c20165700ede21g",
                "accountType": "customer",
                "timestamp": int(now * 1000),
                kind: {"id": id, "title": "A title", "spaceKey": "ENG", "version": 2},
            }
        ).encode()
        qsh = hashlib.sha256(f"POST&{path}&event={event}".encode()).hexdigest()
        claims = {"iss": "client-key", "iat": int(now), "exp": int(now) + 180, "qsh": qsh}
        signed = ".".join(
            _web64(json.dumps(each).encode()) for each in ({"typ": "JWT", "alg": "HS256"}, claims)
        )
        key = (self.webhook_secret if secret is None else secret).encode()
        word = f"{signed}.{_web64(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"
        headers = {
            ":method": "POST",
            ":path": f"/hooks/17{path}?event={event}",
            "Content-Type": "application/json",
            "Authorization": f"JWT {word}",
        }
        return headers, body

    def _now(self) -> float:
        return self.clock.now()

    def _signed(self, request: Request, path: str, viewer: Viewer | None, *, gateway: bool = False) -> Reply:
        """Answer an address of Cloud."""
        if viewer is None:
            return _unauthorized() if gateway else _refused_at_site()
        if (busy := self._busy()) is not None:
            return busy
        asked = Asked(request, path, viewer, self.world, f"{request.base_url}/wiki")
        if path.startswith("/wiki/api/v2/"):
            return cloud.answer(asked)
        return classic.answer_cloud(asked)

    def _data_center(self, request: Request) -> Reply:
        viewer = self.sign_ins.at_data_center(request)
        if viewer is None:
            told = "Client must be authenticated to access this resource."
            return Reply(401, {"message": told, "status-code": 401})
        if (busy := self._busy()) is not None:
            return busy
        asked = Asked(request, request.path, viewer, self.world, request.base_url)
        return classic.answer_data_center(asked, self)

    def _busy(self) -> Reply | None:
        if self._limit is None:
            return None
        (most, seconds), now = self._limit, self.clock.now()
        began = now - now % seconds
        count = self._window[1] if self._window[0] == began else 0
        if count < most:
            self._window = (began, count + 1)
            return None
        end = began + seconds
        headers = {
            "Retry-After": str(max(math.ceil(end - now), 1)),
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%MZ"),
            "RateLimit-Reason": "confluence-quota-tenant-based",
        }
        return Reply(429, {"code": 429, "message": "Rate limit exceeded"}, headers)

    def _media(self, request: Request, id: int, version: int) -> Reply:
        """Serve a file by its signed address; whoever sends a credential along is refused."""
        if "authorization" in request.headers or request.query.get("token") != media_token(id, version):
            return Reply(403, {"error": {"code": "JwtAuthoriser:AuthorisationError"}})
        one = self.world.contents.get(id)
        if one is None:
            return Reply(404, {"error": {"code": "ResourceNotFound"}})
        return Reply(200, one.data, {"Content-Type": one.media_type})


def _web64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def media_token(id: int, version: int) -> str:
    """Return the signature of the address of a file."""
    return hashlib.sha256(f"media {id} {version}".encode()).hexdigest()[:24]


def _unauthorized() -> Reply:
    return Reply(401, {"code": 401, "message": "Unauthorized"})


def _refused_at_site() -> Reply:
    return Reply(
        401,
        b"Basic authentication with passwords is deprecated.",
        {
            "Content-Type": "text/plain",
            "X-Seraph-Loginreason": "AUTHENTICATED_FAILED",
            "WWW-Authenticate": 'OAuth realm="simulated"',
        },
    )
