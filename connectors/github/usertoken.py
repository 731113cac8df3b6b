"""Tokens of a sign-in in the browser: good for eight hours where the app has them end, and renewed before."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from catchment.core.errors import AuthRejected, SourceError
from catchment.kit import Session, oauth
from catchment.kit.governor import Governor
from catchment.kit.http import Anonymous, Http, Verdict
from connectors.github.credentials import GitHubCredentials

if TYPE_CHECKING:
    import httpx

SLUG = "github"
EARLY_SECONDS = 600.0
"""A token that ends this soon is renewed before it is used: a request may wait for minutes on its way."""
_AGAIN = "Sign in again, so that GitHub hands out new tokens."
_log = logging.getLogger(__name__)


class UserSignIn:
    """A token that acts for a person, and another one before it ends; for many threads at once.

    A refresh token is good once, and the token before ends with it: the new ones are saved before they are
    used. GitHub tells when a token ends only as it hands it out: where that is not known, or the clock is
    wrong, the refusal tells.
    """

    def __init__(self, credentials: GitHubCredentials, session: Session) -> None:
        self._credentials = credentials
        self._session = session
        self._lock = threading.Lock()
        self._used = threading.local()
        self._ends = credentials.expires_at

    def headers(self) -> Mapping[str, str]:
        """Return the Authorization header, renewed early."""
        with self._lock:
            if self._ends is not None and self._session.clock.now() >= self._ends - EARLY_SECONDS:
                self._renew_early(self._ends)
            self._used.token = token = self._credentials.bearer
        return {"Authorization": f"Bearer {token}"}

    def renew(self) -> bool:
        """Get other tokens, unless another thread has just done so; say whether there are any.

        Raises:
            AuthRejected: GitHub refuses to renew them.
            SourceError: GitHub's sign-in does not answer.
        """
        with self._lock:
            if self._credentials.bearer != getattr(self._used, "token", None):
                return True
            return self._renew()

    def _renew_early(self, ends: float) -> None:
        """Try it once: should it fail, the token may still be good for minutes: its refusal tells."""
        self._ends = None
        try:
            self._renew()
        except SourceError as error:
            if self._session.clock.now() >= ends:
                raise
            _log.warning("The sign-in at GitHub is not renewed ahead of time: %s", type(error).__name__)

    def _renew(self) -> bool:
        refresh, client = self._credentials.refresh_token, oauth.client_of(self._session, SLUG)
        if refresh is None or not refresh.get_secret_value() or client is None:
            return False
        told = self._ask(client, refresh.get_secret_value())
        now = self._session.clock.now()
        ends = oauth.ends_at(told, now=now)
        # A token that is to live for minutes would be renewed for every request: its refusal tells, then.
        self._ends = ends if ends is not None and ends - now > 2 * EARLY_SECONDS else None
        self._credentials = self._credentials.model_copy(
            update={**_tokens(told, refresh), "expires_at": ends}
        )
        self._session.save_credentials(self._credentials)
        return True

    def _ask(self, client: oauth.Client, refresh: str) -> Mapping[str, Any]:
        # One try: a refresh token whose answer got lost is used up, and asking again would only be refused.
        http = Http(
            client.vendor.token_url,
            self._session,
            sign_in=Anonymous(),
            governor=Governor(),
            judge=_judge,
            headers={"Accept": "application/json"},
            attempts=1,
        )
        sent = {
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "grant_type": "refresh_token",
            "refresh_token": refresh,
        }
        try:
            told = http.json_of("POST", "", data=sent)
        finally:
            http.close()
        # GitHub refuses with a good status, and what it says of the reason may hold a secret.
        if not isinstance(told, dict) or not isinstance(told.get("access_token"), str):
            raise AuthRejected("GitHub does not renew the sign-in.", remedy=_AGAIN)
        return told


def _tokens(told: Mapping[str, Any], refresh: SecretStr) -> Mapping[str, SecretStr]:
    renewed = told.get("refresh_token")
    return {
        "access_token": SecretStr(told["access_token"]),
        "refresh_token": SecretStr(renewed) if isinstance(renewed, str) and renewed else refresh,
    }


def _judge(response: httpx.Response) -> Verdict:
    if 400 <= response.status_code < 500 and response.status_code != 429:
        return AuthRejected("GitHub does not renew the sign-in.", remedy=_AGAIN)
    return None
