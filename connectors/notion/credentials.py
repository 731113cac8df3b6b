"""What Notion is signed in with."""

from __future__ import annotations

from pydantic import AliasChoices, Field, SecretStr

from catchment.kit import AuthRejected, SourceCredentials


class NotionCredentials(SourceCredentials):
    """The token of an internal integration, or what a sign-in in the browser gave."""

    integration_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("integration_token", "integrationToken"),
        title="Token of the integration",
        description="Internal integration secret; begins with ntn_ or secret_.",
    )
    access_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("access_token", "accessToken"),
        title="Access token",
        description="Token of the sign-in.",
    )
    refresh_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("refresh_token", "refreshToken"),
        title="Refresh token",
        description="Renews the access token.",
    )
    expires_at: float | None = Field(
        default=None,
        allow_inf_nan=False,
        validation_alias=AliasChoices("expires_at", "expiresAt"),
        title="End of the access token",
        description="POSIX seconds, where Notion tells.",
    )

    def token(self) -> str:
        """Return what requests are signed with.

        Raises:
            AuthRejected: There is nothing to sign in with.
        """
        for secret in (self.integration_token, self.access_token):
            if secret is not None and (text := secret.get_secret_value().strip()):
                return text
        raise AuthRejected(
            "Nobody has signed in to Notion yet.",
            remedy="Store the token of an integration, or sign in: see docs/connectors/notion.md.",
        )
