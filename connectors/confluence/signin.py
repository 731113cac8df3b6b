"""The ways to sign in, and where each of them is taken."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping

from catchment.core.errors import AuthRejected, ConfigRejected, SourceError
from catchment.kit import Session, oauth
from catchment.kit.governor import Governor
from catchment.kit.http import Anonymous, Bearer, Http, SignIn, Verdict
from connectors.confluence.config import ConfluenceCredentials

SLUG = "confluence"
_AGAIN = "Sign in again, so that Atlassian hands out new tokens."


def basic(email: str, token: str) -> SignIn:
    """Return the sign-in of an account with an API token."""
    return Bearer(base64.b64encode(f"{email}:{token}".encode()).decode(), scheme="Basic")


class Renewing:
    """The tokens of an app, renewed when the access token has ended.

    A refresh token is good once: the new one is kept before the access token that came with it is used.
    Many threads may find the token ended; the first renews it for all.
    """

    def __init__(self, credentials: ConfluenceCredentials, session: Session) -> None:
        self._credentials = credentials
        self._session = session
        self._lock = threading.Lock()
        self._sent = threading.local()

    @property
    def account(self) -> str:
        """What the vendor counts requests by: the app, and without one the sign-in."""
        client = oauth.client_of(self._session, SLUG)
        return (
            (client.client_id if client is not None else "")
            or _clear(self._credentials.refresh_token)
            or self._access()
        )

    def headers(self) -> Mapping[str, str]:
        """Return the Authorization header."""
        with self._lock:
            token = self._access()
        self._sent.token = token
        return {"Authorization": f"Bearer {token}"}

    def renew(self) -> bool:
        """Get other tokens, unless another thread has just done so.

        Raises:
            AuthRejected: The refresh token is refused.
            SourceDown: Atlassian's sign-in does not answer.
        """
        with self._lock:
            if getattr(self._sent, "token", None) != self._access():
                return True
            refresh = _clear(self._credentials.refresh_token)
            client = oauth.client_of(self._session, SLUG)
            if not refresh or client is None:
                return False
            told = self._ask(client, refresh)
            self._credentials = self._credentials.model_copy(
                update={
                    name: _secret(told[name]) for name in ("access_token", "refresh_token") if told.get(name)
                }
            )
            self._session.save_credentials(self._credentials)
            return True

    def _ask(self, client: oauth.Client, refresh: str) -> Mapping[str, str]:
        # One try: an answer that got lost has used the token up, and asking again would tell nothing else.
        http = Http(
            client.vendor.token_url,
            self._session,
            sign_in=Anonymous(),
            governor=Governor(),
            judge=_judge,
            attempts=1,
        )
        sent = {
            "grant_type": "refresh_token",
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "refresh_token": refresh,
        }
        try:
            told = http.json_of("POST", "", json=sent)
        finally:
            http.close()
        if not isinstance(told, dict) or not isinstance(told.get("access_token"), str):
            raise AuthRejected("Atlassian's sign-in hands out no token.", remedy=_AGAIN)
        return {name: value for name, value in told.items() if isinstance(value, str)}

    def _access(self) -> str:
        return _clear(self._credentials.access_token)


def _judge(response: object) -> Verdict:
    """Read any refusal of the token endpoint as the end of the sign-in."""
    status = getattr(response, "status_code", 500)
    if 400 <= status < 500 and status != 429:
        return AuthRejected("Atlassian no longer takes the refresh token of this sign-in.", remedy=_AGAIN)
    return None


def _clear(secret: object) -> str:
    return (
        str(secret.get_secret_value()) if secret is not None and hasattr(secret, "get_secret_value") else ""
    )


def _secret(value: str) -> object:
    from pydantic import SecretStr

    return SecretStr(value)


def cloud_id(http: Http, origin: str) -> str:
    """Return the id under which the gateway knows a site.

    Raises:
        ConfigRejected: The sign-in is not for this site.
        SourceError: The gateway does not say.
    """
    sites = http.get_json("/oauth/token/accessible-resources")
    if not isinstance(sites, list):
        raise SourceError("The gateway does not say which sites the sign-in is for.")
    named = {str(site.get("url", "")).rstrip("/").lower(): site for site in sites if isinstance(site, dict)}
    found = named.get(origin.lower())
    if found is None:
        others = ", ".join(sorted(url for url in named if url)) or "no site"
        raise ConfigRejected(
            f"The sign-in is not for {origin}; it is for {others}.",
            setting="instance_url",
            remedy="Give the address of one of these sites, or sign in again and choose this one.",
        )
    return str(found["id"])
