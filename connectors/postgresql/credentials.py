"""What a connector signs in to a PostgreSQL server with."""

from __future__ import annotations

from pydantic import Field, SecretStr

from catchment.kit import SourceCredentials


class PostgreSQLCredentials(SourceCredentials):
    """A role of the server. Without a password the server must trust the machine (peer, trust, .pgpass)."""

    username: str | None = Field(
        default=None, title="User", description="Role to sign in as; empty means the account's own name."
    )
    password: SecretStr | None = Field(default=None, title="Password", description="Password of that role.")
