"""What a protected feed is signed in with."""

from __future__ import annotations

from pydantic import Field, SecretStr

from catchment.kit import SourceCredentials


class RSSCredentials(SourceCredentials):
    """A user name and password (HTTP Basic); sent to the host of the first feed and to nobody else."""

    username: str | None = Field(default=None, title="User name")
    password: SecretStr | None = Field(default=None, title="Password")
