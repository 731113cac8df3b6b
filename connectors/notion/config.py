"""What a person fills in for Notion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from catchment.kit import SourceAddress, SourceConfig
from connectors.notion.words import dashed

API = "https://api.notion.com"
_SITES = ("notion.so", "notion.site", "notion.com")


class NotionConfig(SourceConfig):
    """Settings of a Notion source."""

    roots: list[str] = Field(
        default_factory=list,
        title="Pages and databases",
        description="Only these and what lies in them, as addresses or ids; empty means all that is shared "
        "with the integration.",
    )
    comments: bool = Field(
        default=True,
        title="Comments",
        description="Read the comments of each page, too: one more request for each page that is read.",
    )
    files: bool = Field(
        default=True,
        title="Files",
        description="Read files that were uploaded to pages and to properties of rows, each a document "
        "of its own.",
    )
    external_files: bool = Field(
        default=False,
        title="Files elsewhere",
        description="Fetch files that lie elsewhere and that pages merely name, whatever their address.",
    )
    base_url: str = Field(
        default=API, title="Address of the API", description="For tries against a stand-in of Notion."
    )

    @field_validator("roots")
    @classmethod
    def _are_ids(cls, value: list[str]) -> list[str]:
        found: dict[str, None] = {}
        for text in value:
            root = dashed(text)
            if root is None:
                raise ValueError("a page or database is given by its address or its id of 32 characters")
            found[root] = None
        return list(found)

    @field_validator("base_url")
    @classmethod
    def _is_a_server(cls, value: str) -> str:
        parts = urlsplit(value.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the address of the API is a URL, such as https://api.notion.com")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("the address of the API has no user name, password or parameters")
        return value.strip().rstrip("/").removesuffix("/v1")


def identity(config: Mapping[str, Any]) -> str:
    """Return a text that is equal for two configurations of the same pages; whose they are the token says."""
    roots = sorted({dashed(str(root)) or str(root) for root in config.get("roots") or ()})
    return f"{config.get('base_url') or API}#{','.join(roots)}"


def address(text: str) -> SourceAddress | None:
    """Take the address of a page apart; ``notion://`` is all that is shared."""
    parts = urlsplit(text.strip())
    if parts.scheme == "notion":
        root = dashed(parts.netloc + parts.path)
    elif (
        parts.scheme == "https" and (parts.hostname or "").removeprefix("www.").removeprefix("app.") in _SITES
    ):
        root = dashed(parts.path)
        if root is None:
            return None
    else:
        return None
    config: dict[str, Any] = {"roots": [root]} if root else {}
    display = f"notion://{root or ''}"
    return SourceAddress(f"notion {root}" if root else "notion", config, identity(config), display)
