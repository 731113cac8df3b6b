"""The token in requests, and how it is renewed when Notion refuses it."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import SecretStr

from catchment.kit import AuthRejected, Session
from catchment.kit.governor import Governor
from catchment.kit.http import Bearer, Http
from catchment.kit.oauth import Client, client_of
from connectors.notion.credentials import NotionCredentials

SLUG = "notion"
_REFUSALS = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})


class SignedIn:
    """A token, and another one when it ends; for many threads at once.

    Notion does not say when a token of OAuth ends, so it is renewed when it is refused. A refresh token is
    good once: the new one is saved before anything is asked with its access token.
    """

    def __init__(self, credentials: NotionCredentials, session: Session, base_url: str) -> None:
        self._credentials = credentials
        self._session = session
        self._base_url = base_url
        self._lock = threading.Lock()
        self._used = threading.local()

    def headers(self) -> Mapping[str, str]:
        """Return the Authorization header.

        Raises:
            AuthRejected: There is nothing to sign in with.
        """
        self._used.token = token = self._credentials.token()
        return {"Authorization": f"Bearer {token}"}

    def renew(self) -> bool:
        """Get another token, unless another thread has done so meanwhile; say whether there is one.

        Raises:
            AuthRejected: Notion refuses to renew it.
            SourceError: Notion does not answer.
        """
        with self._lock:
            given = self._credentials
            if given.token() != getattr(self._used, "token", None):
                return True
            client = client_of(self._session, SLUG)
            if given.integration_token or given.refresh_token is None or client is None:
                return False
            answer = self._ask(given.refresh_token.get_secret_value(), client)
            renewed = answer.get("refresh_token")
            self._credentials = NotionCredentials(
                access_token=SecretStr(str(answer["access_token"])),
                refresh_token=SecretStr(str(renewed)) if renewed else given.refresh_token,
            )
            self._session.save_credentials(self._credentials)
            return True

    def _ask(self, refresh_token: str, client: Client) -> Mapping[str, Any]:
        # A refresh token is good once, so that the request must not be repeated.
        http = Http(
            self._base_url,
            self._session,
            sign_in=Bearer(_basic(client), scheme="Basic"),
            governor=Governor(),
            setting="base_url",
            attempts=1,
        )
        try:
            answer = http.request(
                "POST",
                "/v1/oauth/token",
                accept=_REFUSALS,
                reads_json=True,
                json={"grant_type": "refresh_token", "refresh_token": refresh_token},
            )
        finally:
            http.close()
        told = answer.json() if answer.is_success else None
        if not isinstance(told, dict) or not told.get("access_token"):
            raise AuthRejected("Notion does not renew the sign-in.", remedy="Sign in again.")
        return told


def _basic(client: Client) -> str:
    return base64.b64encode(f"{client.client_id}:{client.client_secret}".encode()).decode()
