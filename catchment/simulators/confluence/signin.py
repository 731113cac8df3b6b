"""Who is asking: API tokens at the site, sign-ins of apps at the gateway, tokens of Data Center."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

from catchment.simulators.confluence.world import ADMIN
from catchment.simulators.wire import Reply, Request

CLOUD_ID = "11223344-a1b2-4b33-8c44-def123456789"
EMAIL = "ada@example.com"
API_TOKEN = "api-token-of-the-simulator"  # noqa: S105 - for the simulator alone
PERSONAL_TOKEN = "personal-token-of-the-simulator"  # noqa: S105 - for the simulator alone
CLIENT_ID = "client-of-the-simulator"
CLIENT_SECRET = "client-secret-of-the-simulator"  # noqa: S105 - for the simulator alone
ACCESS_SECONDS = 3600.0
GRANULAR = frozenset(
    {
        "read:page:confluence",
        "read:space:confluence",
        "read:attachment:confluence",
        "read:comment:confluence",
        "read:folder:confluence",
        "read:label:confluence",
        "read:user:confluence",
        "read:space.permission:confluence",
    }
)
CLASSIC = frozenset(
    {
        "read:confluence-content.all",
        "read:confluence-groups",
        "readonly:content.attachment:confluence",
    }
)
ALL_SCOPES = GRANULAR | CLASSIC | {"offline_access"}


@dataclass(slots=True)
class Grant:
    """What an app may do for a user, and until when."""

    account: str
    scopes: frozenset[str]
    until: float


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking; `scopes` is None where scopes do not apply."""

    account: str
    scopes: frozenset[str] | None = None


class SignIns:
    """Tokens that are good, and the exchange of refresh tokens."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._count = 0
        self.basic: dict[tuple[str, str], str] = {(EMAIL, API_TOKEN): ADMIN}
        self.personal: dict[str, str] = {PERSONAL_TOKEN: ADMIN}
        self.access: dict[str, Grant] = {}
        self.refresh: dict[str, tuple[str, frozenset[str]]] = {}

    def grant(self, account: str = ADMIN, *, scopes: frozenset[str] = ALL_SCOPES) -> tuple[str, str]:
        """Consent, as a user would in the browser; return access and refresh token."""
        self._count += 1
        access, refresh = f"access-{self._count}", f"refresh-{self._count}"
        self.access[access] = Grant(account, scopes, self._now() + ACCESS_SECONDS)
        if "offline_access" in scopes:
            self.refresh[refresh] = (account, scopes)
        return access, refresh

    def at_site(self, request: Request) -> Viewer | None:
        """Read basic authentication; tokens of apps are not good here."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            email, _, token = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        account = self.basic.get((email, token))
        return Viewer(account) if account is not None else None

    def at_gateway(self, request: Request) -> Viewer | None:
        """Read the token of an app."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        grant = self.access.get(given) if scheme.lower() == "bearer" else None
        if grant is None or grant.until <= self._now():
            return None
        return Viewer(grant.account, grant.scopes)

    def at_data_center(self, request: Request) -> Viewer | None:
        """Read a personal access token."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        account = self.personal.get(given) if scheme.lower() == "bearer" else None
        return Viewer(account) if account is not None else None

    def exchange(self, request: Request) -> Reply:
        """Answer the token endpoint: a refresh token is good once."""
        sent = request.json() or {}
        if (sent.get("client_id"), sent.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Reply(401, {"error": "access_denied", "error_description": "Unauthorized"})
        found = self.refresh.pop(str(sent.get("refresh_token")), None)
        if sent.get("grant_type") != "refresh_token" or found is None:
            told = "Unknown or invalid refresh token."
            return Reply(403, {"error": "invalid_grant", "error_description": told})
        access, refresh = self.grant(found[0], scopes=found[1])
        return Reply(
            200,
            {
                "access_token": access,
                "refresh_token": refresh,
                "expires_in": int(ACCESS_SECONDS),
                "scope": " ".join(sorted(found[1])),
                "token_type": "Bearer",
            },
        )

    def sites(self, viewer: Viewer, site_url: str) -> Reply:
        """List the sites that a token is good for."""
        scopes = sorted((viewer.scopes or frozenset()) - {"offline_access"})
        other = {
            "id": "99999999-0000-4000-8000-000000000000",
            "url": "https://other.example",
            "name": "other",
        }
        mine = {"id": CLOUD_ID, "url": site_url, "name": "simulated", "avatarUrl": f"{site_url}/avatar.png"}
        return Reply(200, [{**other, "scopes": scopes, "avatarUrl": ""}, {**mine, "scopes": scopes}])
