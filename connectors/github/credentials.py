"""What GitHub is signed in with: a token of a person, or an app."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator, model_validator

from catchment.kit import SourceCredentials


class GitHubCredentials(SourceCredentials):
    """One of: a personal token, a token of a sign-in in the browser, or an app with its private key."""

    token: SecretStr | None = Field(
        default=None, title="Personal access token", description="Fine-grained or classic."
    )
    access_token: SecretStr | None = Field(default=None, title="Token of the sign-in")
    refresh_token: SecretStr | None = Field(
        default=None,
        title="Renews the token of the sign-in",
        description="Of an app whose tokens end after eight hours; each is good once, and the next is kept.",
    )
    expires_at: float | None = Field(
        default=None,
        allow_inf_nan=False,
        title="End of the token of the sign-in",
        description="POSIX seconds; told by GitHub together with the token.",
    )
    app_id: str | None = Field(
        default=None, title="App", description="ID, or client ID, of a GitHub App of your own."
    )
    installation_id: str | None = Field(
        default=None,
        title="Installation",
        description="ID of the app's installation; empty where it is installed only once.",
    )
    private_key: SecretStr | None = Field(
        default=None, title="Private key of the app", description="The whole PEM file."
    )

    @field_validator("app_id", "installation_id", mode="before")
    @classmethod
    def _numbers_are_texts(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value

    @field_validator("installation_id")
    @classmethod
    def _is_a_number(cls, value: str | None) -> str | None:
        if value and not value.strip().isdecimal():
            raise ValueError("the ID of an installation is a number")
        return value.strip() if value else None

    @model_validator(mode="after")
    def _one_way(self) -> GitHubCredentials:
        has_token = any(one is not None and one.get_secret_value() for one in (self.token, self.access_token))
        if bool(self.app_id) != (self.private_key is not None):
            raise ValueError("an app needs app_id and private_key")
        if not has_token and not self.app_id:
            raise ValueError("give a token, or app_id and private_key of an app")
        return self

    @property
    def renews(self) -> bool:
        """Whether the token is one of a sign-in that can be renewed."""
        own, refresh = self.token, self.refresh_token
        has_own = own is not None and bool(own.get_secret_value())
        return not has_own and bool(self.bearer) and refresh is not None and bool(refresh.get_secret_value())

    @property
    def bearer(self) -> str:
        """The token to sign in with; empty where an app makes its own."""
        for one in (self.token, self.access_token):
            if one is not None and one.get_secret_value():
                return one.get_secret_value().strip()
        return ""
