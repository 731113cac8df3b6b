"""The one place where what S3 says of an object becomes an item."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from catchment.kit import Item
from catchment.kit.media import declared_type, media_type
from connectors.s3.config import S3Config

_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_ARCHIVE_TIERS = frozenset({"ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"})


class Describe:
    """Writes items of one bucket."""

    def __init__(self, config: S3Config) -> None:
        where = quote(config.bucket, safe="")
        self._base = (
            f"{config.endpoint}/{where}/"
            if config.endpoint
            else f"https://s3.console.aws.amazon.com/s3/object/{where}?prefix="
        )

    def listed(self, raw: Mapping[str, Any]) -> Item:
        """Describe an object as a listing shows it."""
        restored = raw.get("RestoreStatus") or {}
        return self._item(
            raw["Key"],
            etag=raw.get("ETag"),
            size=raw.get("Size"),
            modified_at=_seconds(raw.get("LastModified")),
            storage_class=raw.get("StorageClass"),
            readable=bool(restored.get("RestoreExpiryDate")) and not restored.get("IsRestoreInProgress"),
        )

    def looked_up(self, key: str, head: Mapping[str, Any]) -> Item:
        """Describe an object as a look at it alone shows it."""
        storage_class = head.get("StorageClass")
        if head.get("ArchiveStatus") in _ARCHIVE_TIERS:
            storage_class = "GLACIER"
        return self._item(
            key,
            etag=head.get("ETag"),
            size=head.get("ContentLength"),
            modified_at=_seconds(head.get("LastModified")),
            storage_class=storage_class,
            readable='ongoing-request="false"' in str(head.get("Restore", "")),
        )

    def _item(
        self,
        key: str,
        *,
        etag: str | None,
        size: int | None,
        modified_at: float | None,
        storage_class: str | None,
        readable: bool,
    ) -> Item:
        refusal = None
        if key.endswith("/") and size == 0:
            refusal = "folder_marker"
        elif storage_class in _ARCHIVED and not readable:
            refusal = f"storage_class: {storage_class}"
        usual = storage_class in (None, "", "STANDARD")
        return Item(
            key=key,
            path=key,
            version=version_of(etag, size, modified_at),
            size=size,
            content_type=media_type(key),
            modified_at=modified_at,
            url=self._base + quote(key, safe="/"),
            refusal=refusal,
            metadata={} if usual else {"storage_class": str(storage_class)},
        )


def bare(etag: str | None) -> str:
    """Return an ETag without quotes: some servers write them in one answer and not in another."""
    return (etag or "").strip().removeprefix("W/").strip('"')


def version_of(etag: str | None, size: int | None, modified_at: float | None) -> str | None:
    """Return the version mark: ETag and size; where there is no ETag, the time of the last change."""
    if size is None:
        return None
    if bare(etag):
        return f"{bare(etag)}:{size}"
    return f"{modified_at:.3f}:{size}" if modified_at is not None else None


def refreshed(
    item: Item, *, etag: str | None, size: int, modified_at: float | None, content_type: str | None
) -> Item:
    """Return the item with the facts that came with its bytes.

    Some servers write another ETag beside the bytes than in a listing. Size and second of the last change
    then tell that it is the same object, and the listing's mark stays; were it kept wrongly, the next
    listing would show another mark and the object be read again.
    """
    version = version_of(etag, size, modified_at)
    same_second = modified_at is not None and item.modified_at is not None
    same_second = same_second and int(modified_at or 0) == int(item.modified_at or 0)
    if version is None or (item.version is not None and same_second and item.size == size):
        version = item.version
    return replace(
        item,
        version=version,
        size=size,
        modified_at=item.modified_at if same_second or modified_at is None else modified_at,
        content_type=declared_type(content_type) or item.content_type,
    )


def _seconds(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
