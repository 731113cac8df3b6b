"""What a person can choose from: one level of prefixes at a time."""

from __future__ import annotations

from catchment.kit import BrowsePage, Resource
from connectors.s3.client import Client

PAGE_ENTRIES = 200


def browse_prefix(client: Client, prefix: str, page: str | None) -> BrowsePage:
    """Return up to 200 prefixes and objects directly below a prefix; prefixes come first.

    Raises:
        SourceError: The bucket cannot be listed.
    """
    answer = client.page(prefix, page, Delimiter="/", MaxKeys=PAGE_ENTRIES)
    folders = [
        Resource(id=found, name=_name(found, prefix), kind="folder", has_children=True)
        for found in (raw["Prefix"] for raw in answer.get("CommonPrefixes", ()))
    ]
    files = [
        Resource(id=raw["Key"], name=_name(raw["Key"], prefix), kind="file", size=raw.get("Size"))
        for raw in answer.get("Contents", ())
        if raw["Key"] != prefix
    ]
    return BrowsePage([*folders, *files], next_page=answer.get("NextContinuationToken"))


def _name(key: str, prefix: str) -> str:
    return key.removeprefix(prefix).removesuffix("/") or key
