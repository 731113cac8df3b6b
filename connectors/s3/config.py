"""What a person fills in for a bucket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import Field, field_validator, model_validator

from catchment.kit import SourceConfig

WHOLE_BUCKET = "/"
"""Key of the scope that is the whole bucket; no prefix can be called so."""

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}|arn:[\w-]+:s3[\w-]*:[\w:/.-]+")


class S3Config(SourceConfig):
    """Settings of an S3 source."""

    bucket: str = Field(
        title="Bucket", description="Name of the bucket, or the ARN of an access point; no URL."
    )
    region: str | None = Field(
        default=None,
        title="Region",
        description="Such as eu-central-1; where it is empty or wrong, the bucket's own is found out.",
    )
    prefix: str = Field(
        default="",
        title="Prefix",
        description="Only keys that begin so, such as reports/; a slash in front has no meaning.",
    )
    prefixes: list[str] = Field(
        default_factory=list,
        title="More prefixes",
        description="Several prefixes; each is listed, and can be complete, by itself.",
    )
    endpoint: str | None = Field(
        default=None,
        title="Endpoint",
        description="URL of a server other than Amazon's, such as https://minio.example.com:9000.",
    )
    path_style: bool | None = Field(
        default=None,
        title="Bucket in the path",
        description="Whether requests name the bucket in the path and not in the host; empty: with an "
        "endpoint of one's own and for buckets with a dot in the name.",
    )
    anonymous: bool = Field(
        default=False, title="Anonymous", description="Sign nothing: for buckets that anybody may read."
    )
    profile: str | None = Field(
        default=None,
        title="Profile",
        description="Sign in with this profile of the machine's AWS settings.",
    )
    role_arn: str | None = Field(
        default=None, title="Role", description="ARN of a role to assume after the sign-in."
    )
    external_id: str | None = Field(
        default=None,
        title="External ID",
        description="What the role's trust policy asks for, where it does.",
    )
    requester_pays: bool = Field(
        default=False,
        title="Requester pays",
        description="Agree to pay for requests and traffic, which some buckets ask for.",
    )

    @field_validator("bucket")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if not _BUCKET.fullmatch(value) or ".." in value:
            raise ValueError("give the bare name of the bucket, without s3:// and prefix")
        return value

    @field_validator("endpoint")
    @classmethod
    def _is_a_server(cls, value: str | None) -> str | None:
        return tidy_endpoint(value) if value else None

    @field_validator("region", "profile", "role_arn", "external_id")
    @classmethod
    def _nothing_is_none(cls, value: str | None) -> str | None:
        return value.strip() or None if value else None

    @field_validator("region")
    @classmethod
    def _is_a_region(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9-]{1,63}", value):
            raise ValueError("a region is written like eu-central-1")
        return value

    @model_validator(mode="after")
    def _least_prefixes(self) -> S3Config:
        """Write the prefixes in one way, sorted, without those that lie inside another.

        The one prefix stays as it was written: whoever set ``/reports/`` is to read the same.
        """
        first = self.bare_prefix
        more = {prefix.lstrip("/") for prefix in self.prefixes}
        if self.prefixes and not first:
            self.prefixes = _outermost(more)
        elif self.prefixes:
            self.prefixes = [prefix for prefix in _outermost(more | {first}) if prefix != first]
        return self

    @model_validator(mode="after")
    def _one_sign_in(self) -> S3Config:
        if self.anonymous and (self.profile or self.role_arn):
            raise ValueError("anonymous goes neither with a profile nor with a role")
        if self.external_id and not self.role_arn:
            raise ValueError("external_id goes with role_arn only")
        return self

    @property
    def bare_prefix(self) -> str:
        """The prefix as keys begin with it."""
        return self.prefix.lstrip("/")

    @property
    def all_prefixes(self) -> list[str]:
        """The prefixes to list, none inside another, sorted; one that is empty for everything."""
        given = set(self.prefixes)
        if self.bare_prefix or not given:
            given.add(self.bare_prefix)
        return _outermost(given)

    @property
    def uses_path_style(self) -> bool:
        """Whether requests name the bucket in the path: certificates and names of hosts ask for it."""
        if self.path_style is not None:
            return self.path_style
        return self.endpoint is not None or "." in self.bucket

    @property
    def shown(self) -> str:
        """The bucket as error messages name it."""
        return f"{self.bucket} at {self.endpoint}" if self.endpoint else self.bucket


def _outermost(prefixes: set[str]) -> list[str]:
    return sorted(
        prefix
        for prefix in prefixes
        if not any(prefix != other and prefix.startswith(other) for other in prefixes)
    )


def tidy_endpoint(text: str) -> str:
    """Write an endpoint in one way: scheme, host in small letters, port.

    Raises:
        ValueError: It is no URL of a server.
    """
    parts = urlsplit(text.strip())
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise ValueError("an endpoint is a URL, such as https://minio.example.com:9000")
    if parts.username or parts.password:
        raise ValueError("an endpoint has no user name and password; keys are credentials")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("an endpoint has nothing behind its host and port; the bucket is a setting")
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError("the port of the endpoint is no number") from error
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme.lower()}://{host}" + (f":{port}" if port else "")


def identity(config: Mapping[str, Any]) -> str:
    """Return a text that is equal for two configurations of the same server, bucket and prefixes."""
    parsed = S3Config.model_validate(dict(config))
    prefixes = "&".join(quote(prefix, safe="/") for prefix in parsed.all_prefixes)
    return f"s3:{parsed.endpoint or 'aws'}/{parsed.bucket}?{prefixes}"
