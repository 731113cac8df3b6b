"""Tokens of a sign-in in the browser, and others when they end."""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import SecretStr

from catchment.core.errors import AuthRejected, SourceError
from catchment.kit import oauth
from catchment.kit.config import SourceCredentials
from catchment.kit.governor import Governor
from catchment.kit.http import Anonymous, Bearer, Http, Verdict
from catchment.kit.session import Session

if TYPE_CHECKING:
    import httpx

CredentialsT = TypeVar("CredentialsT", bound=SourceCredentials)

EARLY_SECONDS = 600.0
"""A token that ends this soon is renewed before it is used: a request may wait for minutes on its way."""
_log = logging.getLogger(__name__)


class Form(Enum):
    """How a vendor wants to be asked for other tokens."""

    FIELDS = auto()
    """As a form, with the client among the fields."""
    JSON = auto()
    """As JSON, with the client among the fields."""
    JSON_BASIC = auto()
    """As JSON, with the client in the Authorization header."""


class RenewedTokens(Generic[CredentialsT]):
    """A token, and another one when it ends; for many threads at once.

    A refresh token is good once, and the token before may end with it: the new ones are saved before they are
    used. Where the vendor tells when a token ends, it is renewed ahead; else, and where a clock is wrong, its
    refusal tells.

    The credentials are a model with the fields ``access_token`` and ``refresh_token``, both secrets, and
    perhaps ``expires_at`` in POSIX seconds.
    """

    def __init__(
        self,
        credentials: CredentialsT,
        session: Session,
        *,
        slug: str,
        vendor: str,
        token_of: Callable[[CredentialsT], str],
        form: Form = Form.FIELDS,
        token_url: str | None = None,
    ) -> None:
        """Begin with the tokens that are kept.

        Args:
            credentials: What is signed in with now.
            session: Of the run; keeps what comes instead.
            slug: Of the provider, whose client this installation is.
            vendor: What people call it.
            token_of: Returns what requests are signed with.
            form: How the vendor wants to be asked.
            token_url: Where, if not where the client says.
        """
        self._credentials = credentials
        self._session = session
        self._slug = slug
        self._vendor = vendor
        self._token_of = token_of
        self._form = form
        self._token_url = token_url
        self._lock = threading.Lock()
        self._used = threading.local()
        self._ends: float | None = getattr(credentials, "expires_at", None)

    def headers(self) -> Mapping[str, str]:
        """Return the Authorization header.

        Raises:
            AuthRejected: There is nothing to sign in with, or what there was has ended.
            SourceError: It has ended, and the vendor's sign-in does not answer.
        """
        with self._lock:
            if self._ends is not None and self._session.clock.now() >= self._ends - EARLY_SECONDS:
                self._renew_early(self._ends)
            self._used.token = token = self._token_of(self._credentials)
        return {"Authorization": f"Bearer {token}"}

    def renew(self) -> bool:
        """Get other tokens, unless another thread has just done so; say whether there are any.

        Raises:
            AuthRejected: The vendor refuses to renew them.
            SourceError: The vendor's sign-in does not answer.
        """
        with self._lock:
            if self._token_of(self._credentials) != getattr(self._used, "token", None):
                return True
            return self._renew()

    def _renew_early(self, ends: float) -> None:
        """Try it once: should it fail, the token may still be good for minutes, and its refusal tells."""
        self._ends = None
        try:
            self._renew()
        except SourceError as error:
            if self._session.clock.now() >= ends:
                raise
            _log.warning(
                "The sign-in at %s is not renewed ahead of time: %s", self._vendor, type(error).__name__
            )

    def _renew(self) -> bool:
        refresh: SecretStr | None = getattr(self._credentials, "refresh_token", None)
        client = oauth.client_of(self._session, self._slug)
        if refresh is None or not refresh.get_secret_value() or client is None:
            return False
        told = self._ask(client, refresh.get_secret_value())
        now = self._session.clock.now()
        ends = oauth.ends_at(told, now=now)
        # A token that is to live for minutes would be renewed for every request: its refusal tells, then.
        self._ends = ends if ends is not None and ends - now > 2 * EARLY_SECONDS else None
        renewed = told.get("refresh_token")
        update: dict[str, Any] = {
            "access_token": SecretStr(told["access_token"]),
            "refresh_token": SecretStr(renewed) if isinstance(renewed, str) and renewed else refresh,
        }
        if "expires_at" in type(self._credentials).model_fields:
            update["expires_at"] = ends
        self._credentials = self._credentials.model_copy(update=update)
        self._session.save_credentials(self._credentials)
        return True

    def _ask(self, client: oauth.Client, refresh: str) -> Mapping[str, Any]:
        named = {"client_id": client.client_id, "client_secret": client.client_secret}
        sent = {"grant_type": "refresh_token", "refresh_token": refresh}
        in_header = self._form is Form.JSON_BASIC
        # One try: a refresh token whose answer got lost is used up, and asking again would only be refused.
        http = Http(
            self._token_url or client.vendor.token_url,
            self._session,
            sign_in=Bearer(_basic(client), scheme="Basic") if in_header else Anonymous(),
            governor=Governor(),
            judge=self._judge,
            headers={"Accept": "application/json"},
            attempts=1,
        )
        body = sent if in_header else {**named, **sent}
        try:
            if self._form is Form.FIELDS:
                told = http.json_of("POST", "", data=body)
            else:
                told = http.json_of("POST", "", json=body)
        finally:
            http.close()
        # Some vendors refuse with a good status, and what they say of the reason may hold a secret.
        if not isinstance(told, dict) or not isinstance(told.get("access_token"), str):
            raise self._refused()
        return told

    def _judge(self, response: httpx.Response) -> Verdict:
        """Read any refusal of the token endpoint as the end of the sign-in."""
        if 400 <= response.status_code < 500 and response.status_code != 429:
            return self._refused()
        return None

    def _refused(self) -> AuthRejected:
        return AuthRejected(
            f"{self._vendor} does not renew the sign-in.",
            remedy=f"Sign in again, so that {self._vendor} hands out new tokens.",
        )


def _basic(client: oauth.Client) -> str:
    return base64.b64encode(f"{client.client_id}:{client.client_secret}".encode()).decode()
