"""Signing in to a vendor in the browser: where each vendor is asked, and what it answers with.

The client that a vendor knows us by is set by the operator: `catchment.services.oauth_clients` keeps it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
from msgspec import Struct, field
from msgspec.structs import replace
from pydantic import Field, SecretStr

from catchment.core.discreet import Discreet
from catchment.core.errors import AuthRejected, SourceDown
from catchment.core.home import OAUTH_CLIENT
from catchment.kit.config import SourceCredentials
from catchment.kit.network import network_settings
from catchment.kit.session import Session

EXCHANGE_SECONDS = 15.0
MOST_ANSWER_BYTES = 256 * 1024
_LONGEST_SECONDS = 100 * 366 * 86_400
_PAGE = r"^https?://[^/\s]+\S*$"


class Vendor(Struct, frozen=True):
    """How one vendor signs people in.

    Attributes:
        authorize_url: Where the browser is sent.
        token_url: Where a code becomes a token.
        scopes: What we ask for.
        separator: Between scopes.
        extra: More parameters of the first request.
        proves_itself: Whether it takes a proof (PKCE) that who asked is who comes back.
        takes_json: Whether its token endpoint wants JSON and the client in the header.
        granted_as: What its access token is called among the credentials of the provider.
    """

    authorize_url: str
    token_url: str
    scopes: tuple[str, ...] = ()
    separator: str = " "
    extra: Mapping[str, str] = field(default_factory=dict)
    proves_itself: bool = False
    takes_json: bool = False
    granted_as: str = "access_token"


_GOOGLE = "https://www.googleapis.com/auth"
_ATLASSIAN = (
    *(
        f"read:{thing}:confluence"
        for thing in ("space", "page", "folder", "attachment", "comment", "label", "user")
    ),
    "read:space.permission:confluence",
    # Version 1 of the API, which still serves files and access lists, knows older scopes only.
    "readonly:content.attachment:confluence",
    "read:confluence-content.all",
    "read:confluence-groups",
)
VENDORS: Mapping[str, Vendor] = {
    "google-drive": Vendor(
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        (f"{_GOOGLE}/drive.readonly", f"{_GOOGLE}/drive.metadata.readonly"),
        # Only a consent that is given anew brings a token that renews itself.
        extra={"access_type": "offline", "prompt": "consent"},
        proves_itself=True,
    ),
    "github": Vendor(
        "https://github.com/login/oauth/authorize",
        "https://github.com/login/oauth/access_token",
        ("repo", "read:org"),
    ),
    "slack": Vendor(
        "https://slack.com/oauth/v2/authorize",
        "https://slack.com/api/oauth.v2.access",
        ("channels:history", "channels:read", "users:read"),
        separator=",",
        granted_as="bot_token",
    ),
    "notion": Vendor(
        "https://api.notion.com/v1/oauth/authorize",
        "https://api.notion.com/v1/oauth/token",
        extra={"owner": "user"},
        takes_json=True,
    ),
    "confluence": Vendor(
        "https://auth.atlassian.com/authorize",
        "https://auth.atlassian.com/oauth/token",
        ("offline_access", *_ATLASSIAN),
        extra={"audience": "api.atlassian.com", "prompt": "consent"},
    ),
    "salesforce": Vendor(
        "https://login.salesforce.com/services/oauth2/authorize",
        "https://login.salesforce.com/services/oauth2/token",
        ("api", "refresh_token"),
        proves_itself=True,
    ),
}


class Client(Discreet, Struct, frozen=True):
    """What a vendor knows us by; the secret is in no repr."""

    unseen = frozenset({"client_secret"})

    vendor: Vendor
    client_id: str
    client_secret: str

    def address(self, state: str, callback_url: str) -> str:
        """Return where to send the browser."""
        vendor = self.vendor
        parameters = {
            "client_id": self.client_id,
            "redirect_uri": callback_url,
            "response_type": "code",
            "state": state,
            **vendor.extra,
        }
        if vendor.scopes:
            parameters["scope"] = vendor.separator.join(vendor.scopes)
        if vendor.proves_itself:
            digest = hashlib.sha256(self._verifier(state).encode()).digest()
            parameters.update(code_challenge=_plain(digest), code_challenge_method="S256")
        return f"{vendor.authorize_url}?{urlencode(parameters)}"

    def exchange(
        self,
        code: str,
        state: str,
        callback_url: str,
        now: float,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> dict[str, str]:
        """Turn a code into credentials, under the names that providers give them.

        Among them is ``expires_at`` (POSIX seconds) where the vendor tells how long the token is good.

        Args:
            code: What the vendor sent the browser back with.
            state: What it was sent there with.
            callback_url: Where it came back to.
            now: POSIX seconds.
            transport: Takes the place of the network.

        Raises:
            AuthRejected: The vendor refuses the code, or us.
            SourceDown: The vendor does not answer, or makes no sense.
        """
        sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback_url}
        if self.vendor.proves_itself:
            sent["code_verifier"] = self._verifier(state)
        answer = self._ask(sent, transport)
        if not isinstance(answer.get("access_token"), str):
            # Some vendors refuse with a 200. What they say may repeat the code, so only their word is told.
            word = str(answer.get("error") or "no token")[:100]
            raise AuthRejected(f"The sign-in was refused: {word}.", remedy="Begin the sign-in again.")
        names = {"access_token": self.vendor.granted_as}
        wanted = ("access_token", "refresh_token", "instance_url")
        granted = {
            names.get(name, name): value
            for name in wanted
            if isinstance(value := answer.get(name), str) and value
        }
        ends = ends_at(answer, now=now)
        return granted if ends is None else {**granted, "expires_at": str(ends)}

    def _ask(self, sent: Mapping[str, str], transport: httpx.BaseTransport | None) -> Mapping[str, Any]:
        network = network_settings(guarded=False)
        client = {"client_id": self.client_id, "client_secret": self.client_secret}
        verify: Any = network.ca_file or True
        with httpx.Client(
            timeout=EXCHANGE_SECONDS, verify=verify, proxy=network.proxy, transport=transport
        ) as http:
            try:
                if self.vendor.takes_json:
                    answer = http.post(
                        self.vendor.token_url, json=dict(sent), auth=(self.client_id, self.client_secret)
                    )
                else:
                    headers = {"Accept": "application/json"}
                    answer = http.post(self.vendor.token_url, data={**client, **sent}, headers=headers)
            except httpx.HTTPError as error:
                raise SourceDown("The vendor's sign-in does not answer.") from error
        try:
            told = answer.json() if len(answer.content) <= MOST_ANSWER_BYTES else None
        except ValueError:
            told = None
        if answer.status_code >= 500 or not isinstance(told, dict):
            raise SourceDown(f"The vendor's sign-in answered {answer.status_code}.")
        return told

    def _verifier(self, state: str) -> str:
        """Return the proof that belongs to a state: nobody has to keep it, and nobody else can make it."""
        return _plain(hmac.digest(self.client_secret.encode(), b"pkce:" + state.encode(), "sha256"))


def ends_at(told: Mapping[str, Any], *, now: float) -> float | None:
    """Return when a token that was just handed out ends, in POSIX seconds; None where that is not told."""
    lives_seconds = told.get("expires_in")
    if isinstance(lives_seconds, int | float) and 0 < lives_seconds < _LONGEST_SECONDS:
        return now + lives_seconds
    return None


def _plain(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class ClientSettings(SourceCredentials):
    """What the operator says about the client that a vendor knows this installation by."""

    client_id: str = Field(min_length=1, title="Client ID")
    client_secret: SecretStr = Field(min_length=1, title="Client secret")
    authorize_url: str | None = Field(
        None, pattern=_PAGE, title="Address of the sign-in page, where the vendor is self-hosted"
    )
    token_url: str | None = Field(
        None, pattern=_PAGE, title="Address that hands out tokens, where the vendor is self-hosted"
    )

    def client(self, slug: str) -> Client:
        """Return the client for a provider that is among `VENDORS`."""
        vendor = VENDORS[slug]
        return Client(
            replace(
                vendor,
                authorize_url=self.authorize_url or vendor.authorize_url,
                token_url=self.token_url or vendor.token_url,
            ),
            self.client_id,
            self.client_secret.get_secret_value(),
        )


def variable(slug: str, name: str) -> str:
    """Return the environment variable of a field of `ClientSettings`, such as its ``client_id``."""
    return f"{OAUTH_CLIENT}{slug.replace('-', '_').upper()}_{name.upper()}"


def from_environment(slug: str, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the fields of a provider's client that the environment gives; an empty value is none."""
    given = {name: environ.get(variable(slug, name)) for name in ClientSettings.model_fields}
    return {name: value for name, value in given.items() if value}


def client_of(session: Session, slug: str) -> Client | None:
    """Return what a vendor knows this installation by: what the operator keeps, else the environment."""
    known = session.oauth_client(slug)
    if known is not None:
        return known
    given = from_environment(slug)
    if "client_id" not in given or "client_secret" not in given:
        return None
    return ClientSettings.model_validate(given).client(slug)
