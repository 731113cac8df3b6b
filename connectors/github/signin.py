"""Signing in: a token as it is, one that is renewed, or an app that makes its own, an hour at a time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from catchment.core.errors import AuthRejected
from catchment.kit import ConfigRejected, SourceDown
from catchment.kit.governor import Governor
from catchment.kit.http import Bearer, Http, Missing, SignIn
from catchment.kit.renewal import EARLY_SECONDS, RenewedTokens
from catchment.kit.session import Session
from connectors.github.config import GitHubConfig
from connectors.github.credentials import GitHubCredentials
from connectors.github.errors import Judge

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SLUG = "github"
_JWT_SECONDS = 540
_JWT_BACK_SECONDS = 60
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


def sign_in_for(
    config: GitHubConfig, credentials: GitHubCredentials, session: Session, governor: Governor
) -> SignIn:
    """Return what signs requests in."""
    if credentials.renews:
        return RenewedTokens(
            credentials,
            session,
            slug=SLUG,
            vendor="GitHub",
            token_of=lambda kept: kept.bearer,
        )
    if credentials.bearer:
        return Bearer(credentials.bearer)
    return AppSignIn(config, credentials, session, governor)


class AppSignIn:
    """An app on an account: its key signs a short-lived word, which is exchanged for a token of an hour."""

    def __init__(
        self, config: GitHubConfig, credentials: GitHubCredentials, session: Session, governor: Governor
    ) -> None:
        assert credentials.app_id is not None
        assert credentials.private_key is not None
        self._session = session
        self._installation = credentials.installation_id
        self._lock = threading.Lock()
        self._token = ""
        self._ends = 0.0
        self._http = Http(
            config.api_url,
            session,
            sign_in=_AppWord(credentials.app_id, credentials.private_key.get_secret_value(), session),
            governor=governor,
            judge=Judge(session),
            headers=HEADERS,
            setting="api_url",
        )

    def headers(self) -> Mapping[str, str]:
        """Return the token of the installation, renewed early.

        Raises:
            AuthRejected: GitHub refuses the app, its key, or the installation.
            SourceError: GitHub cannot be asked.
        """
        with self._lock:
            if self._session.clock.now() >= self._ends - EARLY_SECONDS:
                self._renew()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Get another token after a refusal."""
        with self._lock:
            self._renew()
        return True

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _renew(self) -> None:
        try:
            number = self._installation or self._only_installation()
            told = self._http.json_of("POST", f"/app/installations/{number}/access_tokens", json={})
        except Missing as error:
            raise AuthRejected(
                "GitHub knows no such installation of this app.",
                remedy="Install the app on the account, and give the ID of that installation.",
            ) from error
        try:
            self._token = str(told["token"])
            self._ends = datetime.fromisoformat(told["expires_at"]).timestamp()
        except (KeyError, TypeError, ValueError) as error:
            raise SourceDown("GitHub's answer about the app's token makes no sense.") from error

    def _only_installation(self) -> str:
        found = self._http.get_json("/app/installations", params={"per_page": "2"})
        if not isinstance(found, list) or len(found) != 1:
            raise ConfigRejected(
                "The app is not installed just once, so that it is not plain where to sign in.",
                setting="installation_id",
                remedy="Give the ID of the installation; it is the number at the end of its settings page.",
                part="credentials",
            )
        self._installation = str(found[0]["id"])
        return self._installation


class _AppWord:
    """The word (JWT) of an app, made anew for each request: it is good for ten minutes at most."""

    def __init__(self, app_id: str, pem: str, session: Session) -> None:
        self._app_id = app_id.strip()
        self._key = _private_key(pem)
        self._session = session

    def headers(self) -> Mapping[str, str]:
        import jwt

        now = int(self._session.clock.now())
        claims = {"iat": now - _JWT_BACK_SECONDS, "exp": now + _JWT_SECONDS, "iss": self._app_id}
        return {"Authorization": f"Bearer {jwt.encode(claims, self._key, algorithm='RS256')}"}

    def renew(self) -> bool:
        return False


def _private_key(pem: str) -> RSAPrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    # Environments and forms tend to write the ends of lines as two characters.
    text = pem.strip().replace("\\n", "\n")
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        # What the library says may hold a part of the key, so it is left out with its traceback.
        raise ConfigRejected(
            "The private key of the app cannot be read.",
            setting="private_key",
            remedy="Give the whole PEM file that GitHub made, from BEGIN to END.",
            part="credentials",
        )
    return key


def closing(sign_in: SignIn) -> None:
    """Let go of what a sign-in holds."""
    if isinstance(sign_in, AppSignIn):
        sign_in.close()
