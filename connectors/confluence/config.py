"""What a person fills in for a site, and the three ways to sign in to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AliasChoices, ConfigDict, Field, SecretStr, field_validator

from catchment.kit import SourceConfig
from catchment.kit.config import SourceCredentials

CLOUD_GATEWAY = "https://api.atlassian.com"
_PAGES = re.compile(
    r"/(wiki|display|pages|spaces|x|rest|plugins|admin|dashboard\.action|index\.action|login\.action)(/.*)?$"
)
_KEY = re.compile(r"~?[A-Za-z0-9._-]{1,255}")


class ConfluenceConfig(SourceConfig):
    """Settings of a Confluence source."""

    model_config = ConfigDict(serialize_by_alias=True)

    not_scope: ClassVar[frozenset[str]] = SourceConfig.not_scope | {"gateway_url"}

    # Names as the first clients wrote them; both spellings are taken.
    instance_url: str = Field(
        validation_alias=AliasChoices("instanceUrl", "instance_url"),
        serialization_alias="instanceUrl",
        title="Address of the site",
        description="Such as https://example.atlassian.net, or https://wiki.example.com/confluence at "
        "Data Center.",
    )
    space_keys: list[str] = Field(
        default_factory=list,
        validation_alias=AliasChoices("spaceKeys", "space_keys"),
        serialization_alias="spaceKeys",
        title="Spaces",
        description="Keys of spaces, such as ENG; each is listed, and complete, by itself. Empty: all.",
    )
    attachments: bool = Field(
        default=True, title="Attachments", description="Whether files at pages and posts are read."
    )
    comments: bool = Field(
        default=True,
        title="Comments",
        description="Whether comments are read, each a document of its own.",
    )
    include_archived: bool = Field(
        default=False, title="Archive", description="Whether archived pages, and archived spaces, are read."
    )
    gateway_url: str = Field(
        default=CLOUD_GATEWAY,
        title="Gateway",
        description="Where sign-ins of apps are taken; only for proxies and tests.",
    )

    @field_validator("instance_url", "gateway_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        return tidy_address(value)

    @field_validator("space_keys")
    @classmethod
    def _are_keys(cls, value: list[str]) -> list[str]:
        keys = [key.strip() for key in value if key.strip()]
        for key in keys:
            if not _KEY.fullmatch(key):
                raise ValueError("give keys of spaces, such as ENG, and not their names or addresses")
        return list(dict.fromkeys(keys))

    @property
    def origin(self) -> str:
        """The address without any path."""
        parts = urlsplit(self.instance_url)
        return f"{parts.scheme}://{parts.netloc}"


class ConfluenceCredentials(SourceCredentials):
    """One way to sign in: account and API token, the tokens of a sign-in, or a personal access token."""

    email: str | None = Field(default=None, title="E-mail", description="Account of the API token.")
    api_token: SecretStr | None = Field(
        default=None, title="API token", description="Of the account, for sites in Cloud."
    )
    access_token: SecretStr | None = Field(default=None, title="Access token", description="Of the sign-in.")
    refresh_token: SecretStr | None = Field(
        default=None, title="Refresh token", description="Renews the access token; each is good once."
    )
    expires_at: float | None = Field(
        default=None,
        allow_inf_nan=False,
        title="End of the access token",
        description="POSIX seconds; told together with the token.",
    )
    personal_token: SecretStr | None = Field(
        default=None, title="Personal access token", description="For Data Center."
    )


def tidy_address(value: str) -> str:
    """Return the address of a site without what points to one of its pages.

    Raises:
        ValueError: It is no address.
    """
    text = value.strip()
    if "://" not in text:
        text = f"https://{text}"
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(sign.isspace() for sign in text):
        raise ValueError("give an address such as https://example.atlassian.net")
    if parts.username is not None or parts.password is not None:
        raise ValueError("leave out who signs in: that belongs to the credentials")
    path = _PAGES.sub("", parts.path.rstrip("/"))
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def identity(config: Mapping[str, Any]) -> str:
    """Return site and spaces."""
    keys = config.get("space_keys") or config.get("spaceKeys") or []
    address = config.get("instance_url") or config.get("instanceUrl") or ""
    try:
        address = tidy_address(str(address))
    except ValueError:
        address = str(address)
    return f"{address} {','.join(sorted(map(str, keys)))}".strip()
