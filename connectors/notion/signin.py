"""The token in requests: of an integration, or of a sign-in, which ends and is renewed."""

from __future__ import annotations

from catchment.kit import Session
from catchment.kit.http import Bearer, SignIn
from catchment.kit.renewal import Form, RenewedTokens
from connectors.notion.credentials import NotionCredentials

SLUG = "notion"


def sign_in_for(credentials: NotionCredentials, session: Session, base_url: str) -> SignIn:
    """Return what signs requests in."""
    if credentials.integration_token is not None:
        return Bearer(credentials.token())
    return RenewedTokens(
        credentials,
        session,
        slug=SLUG,
        vendor="Notion",
        token_of=NotionCredentials.token,
        form=Form.JSON_BASIC,
        token_url=f"{base_url}/v1/oauth/token",
    )
