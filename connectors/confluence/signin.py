"""The ways to sign in, and where each of them is taken."""

from __future__ import annotations

import base64

from pydantic import SecretStr

from catchment.core.errors import ConfigRejected, SourceError
from catchment.kit import Session, oauth
from catchment.kit.http import Bearer, Http, SignIn
from catchment.kit.renewal import Form, RenewedTokens
from connectors.confluence.config import ConfluenceCredentials

SLUG = "confluence"


def basic(email: str, token: str) -> SignIn:
    """Return the sign-in of an account with an API token."""
    return Bearer(base64.b64encode(f"{email}:{token}".encode()).decode(), scheme="Basic")


def app(credentials: ConfluenceCredentials, session: Session) -> SignIn:
    """Return the sign-in of an app; its access token ends after an hour."""
    return RenewedTokens(
        credentials, session, slug=SLUG, vendor="Atlassian", token_of=_access, form=Form.JSON
    )


def account(credentials: ConfluenceCredentials, session: Session) -> str:
    """Return what the vendor counts requests of an app by: the app, and without a client the sign-in."""
    client = oauth.client_of(session, SLUG)
    return (
        (client.client_id if client is not None else "")
        or _clear(credentials.refresh_token)
        or _access(credentials)
    )


def _access(credentials: ConfluenceCredentials) -> str:
    return _clear(credentials.access_token)


def _clear(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""


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
