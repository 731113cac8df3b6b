"""What a person fills in for GitHub."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import pathspec
from pydantic import AliasChoices, ConfigDict, Field, ValidationError, field_validator

from catchment.kit import ConfigRejected, SourceAddress, SourceConfig

API = "https://api.github.com"
WEB_HOSTS = ("github.com", "www.github.com")
Kind = Literal["discussions", "files", "issues"]
_REPOSITORY = re.compile(r"(?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?(?:@(?P<branch>[^\s@:]+))?/?")


class GitHubConfig(SourceConfig):
    """Settings of a GitHub source."""

    model_config = ConfigDict(serialize_by_alias=True)

    repos: list[str] = Field(
        default_factory=list,
        title="Repositories",
        description="Each as owner/name, or owner/name@branch for a branch of its own; empty means every "
        "repository that the credentials were given.",
    )
    branch: str | None = Field(
        default=None,
        title="Branch",
        description="Branch whose files are read; empty means the default branch of each repository.",
    )
    # Spelt as the first clients wrote it; both spellings are taken.
    path_filter: list[str] = Field(
        default_factory=list,
        validation_alias=AliasChoices("pathFilter", "path_filter"),
        serialization_alias="pathFilter",
        title="Files",
        description="Only files whose path in the repository matches one of these patterns (gitignore "
        "style), such as docs/ or *.md; empty means all. Issues and discussions are not affected.",
    )
    kinds: list[Kind] = Field(
        default=["discussions", "files", "issues"],
        min_length=1,
        title="What to read",
        description="files, issues (with pull requests), discussions: some of them, or all.",
    )
    api_url: str = Field(
        default=API,
        title="Address of the API",
        description="For GitHub Enterprise Server: https://HOST/api/v3.",
    )

    @field_validator("repos")
    @classmethod
    def _are_named(cls, value: list[str]) -> list[str]:
        return list(dict.fromkeys(tidy_name(one) for one in value if one.strip()))

    @field_validator("branch")
    @classmethod
    def _nothing_is_none(cls, value: str | None) -> str | None:
        branch = (value or "").strip().removeprefix("refs/heads/")
        if re.search(r"[\s:~^?*\[\\]|\.\.", branch):
            raise ValueError("a branch has no spaces and none of : ~ ^ ? * [ in its name")
        return branch or None

    @field_validator("path_filter", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        if value is None:
            return []
        return [line for line in value.splitlines() if line.strip()] if isinstance(value, str) else value

    @field_validator("path_filter")
    @classmethod
    def _are_patterns(cls, value: list[str]) -> list[str]:
        kept = [one.strip() for one in value if one.strip()]
        if kept and all(one.startswith(("!", "#")) for one in kept):
            raise ValueError("these patterns only say what to leave out; write those into exclude")
        patterns_of(kept)
        return kept

    @field_validator("kinds")
    @classmethod
    def _once_each(cls, value: list[Kind]) -> list[Kind]:
        return sorted(set(value))

    @field_validator("api_url")
    @classmethod
    def _is_a_server(cls, value: str) -> str:
        parts = urlsplit(value.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("the address of the API is a URL, such as https://HOST/api/v3")
        if parts.username or parts.password:
            raise ValueError("the address has no user name and password; tokens are credentials")
        return value.strip().rstrip("/")

    @property
    def graphql_url(self) -> str:
        """Where the other API of the same server is asked."""
        return f"{self.api_url.removesuffix('/v3')}/graphql"


def tidy_name(text: str) -> str:
    """Write a repository as ``owner/name`` or ``owner/name@branch``, whichever way it was given.

    Raises:
        ValueError: It is no repository.
    """
    bare = re.sub(r"^(?:https?://)?(?:www\.)?github\.com/", "", text.strip(), flags=re.IGNORECASE)
    found = _REPOSITORY.fullmatch(bare)
    if found is None or found["name"].partition("/")[2] in (".", ".."):
        raise ValueError("write a repository as owner/name, or owner/name@branch")
    return found["name"] + (f"@{found['branch']}" if found["branch"] else "")


def patterns_of(lines: list[str]) -> pathspec.PathSpec[pathspec.Pattern]:
    """Read patterns.

    Raises:
        ValueError: One of them cannot be read.
    """
    try:
        return pathspec.PathSpec.from_lines("gitignore", lines)
    except Exception as error:
        raise ValueError("a pattern cannot be read; write them as in a .gitignore file") from error


def identity(config: Mapping[str, Any]) -> str:
    """Return a text that is equal for two configurations of the same server, repositories and branch."""
    parsed = GitHubConfig.model_validate(dict(config))
    names = ",".join(sorted(name.lower() for name in parsed.repos)) or "*"
    return f"github:{parsed.api_url}/{names}@{parsed.branch or ''}#{','.join(parsed.kinds)}"


def address(text: str) -> SourceAddress | None:
    """Take ``https://github.com/owner/name``, also with ``/tree/branch``, apart; None for anything else.

    Raises:
        ConfigRejected: It is one of GitHub's, and names no repository.
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or (parts.hostname or "").lower() not in WEB_HOSTS:
        return None
    owner, _, rest = parts.path.strip("/").partition("/")
    name, _, tail = rest.partition("/")
    branch = tail.removeprefix("tree/") if tail.startswith("tree/") else ""
    written = f"{owner}/{name}" + (f"@{branch}" if branch else "")
    try:
        parsed = GitHubConfig(repos=[written])
    except ValidationError:
        raise ConfigRejected(
            "This address names no repository.",
            setting="repos",
            remedy="Write it as https://github.com/owner/name.",
        ) from None
    stored = parsed.model_dump(mode="json", exclude_defaults=True)
    shown = f"https://github.com/{owner}/{name}" + (f"/tree/{branch}" if branch else "")
    return SourceAddress(name=parsed.repos[0], config=stored, identity=identity(stored), display=shown)
