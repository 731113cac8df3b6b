"""What S3 is signed in with, where it is not the machine's own identity."""

from __future__ import annotations

from pydantic import Field, SecretStr

from catchment.kit import SourceCredentials


class S3Credentials(SourceCredentials):
    """An access key; with a session token where it is a temporary one."""

    access_key_id: SecretStr = Field(title="Access key ID")
    secret_access_key: SecretStr = Field(title="Secret access key")
    session_token: SecretStr | None = Field(
        default=None,
        title="Session token",
        description="Only for temporary keys; they end after some hours, and a sync then asks for new ones.",
    )
