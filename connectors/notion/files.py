"""Files that lie in pages and in properties of rows, as items of their own.

Key: ``file:`` and the id of the block, or of page and property with the file's name. Version: the last edit
of the block, or of the page. The addresses of files end after an hour, so that none is part of an item.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote

from msgspec import Struct

from catchment.kit import Item
from catchment.kit.media import media_type
from connectors.notion.blocks import FILES, file_name
from connectors.notion.items import FILE, path_part, version_of
from connectors.notion.words import Raw, dashed, one_line, plain, seconds

PREFIX = "file:"
HOSTED, EXTERNAL = "file", "external"
MOST_FILES = 1000
"""Files of one page that are read."""
_SITE = "https://www.notion.so/"


class Wanted(Struct, frozen=True):
    """Which files are read.

    Attributes:
        hosted: Those that were uploaded to Notion.
        external: Those that lie elsewhere, and that Notion merely names.
    """

    hosted: bool
    external: bool

    def has(self, file: Raw) -> bool:
        """Whether a file, as it stands in a block or property, is one of them."""
        kind = file.get("type")
        return (self.hosted and kind == HOSTED) or (self.external and kind == EXTERNAL)

    def __bool__(self) -> bool:
        """Whether any are read."""
        return self.hosted or self.external


class PropertyPlace(Struct, frozen=True):
    """Where a file in a property lies; `number` tells files of one name apart."""

    page: str
    property: str
    name: str
    number: int = 1

    def key(self) -> str:
        """Return the key of its item."""
        parts = [self.page, quote(unquote(self.property), safe=""), quote(self.name, safe=" ")]
        return PREFIX + ":".join([*parts, str(self.number)] if self.number > 1 else parts)

    @classmethod
    def read(cls, key: str) -> PropertyPlace | None:
        """Read a key; None where it is that of a block, or none."""
        parts = key.removeprefix(PREFIX).split(":")
        if not key.startswith(PREFIX) or len(parts) not in (3, 4) or dashed(parts[0]) != parts[0]:
            return None
        number = parts[3] if len(parts) == 4 else "1"
        if not number.isdecimal():
            return None
        return cls(parts[0], unquote(parts[1]), unquote(parts[2]), int(number))


def key_of_block(block: str) -> str:
    """Return the key of the file in a block."""
    return f"{PREFIX}{block}"


def block_of(key: str) -> str | None:
    """Return the id of the block whose file has this key; None where it has none."""
    rest = key.removeprefix(PREFIX)
    return rest if key.startswith(PREFIX) and dashed(rest) == rest else None


def file_in(block: Raw) -> Raw | None:
    """Return what a block tells of its file; None where it is no block of a file."""
    kind = block.get("type")
    told = block.get(str(kind)) if kind in FILES else None
    return told if isinstance(told, Mapping) else None


def address_of(file: Raw) -> str:
    """Return where the bytes of a file are now."""
    holder = file.get(str(file.get("type")))
    return str(holder.get("url") or "") if isinstance(holder, Mapping) else ""


def item_of_block(block: Raw, page_path: str, *, people: Mapping[str, str], now: float) -> Item:
    """Return the item of the file in a block."""
    id, file = str(block["id"]), file_in(block) or {}
    edited = str(block.get("last_edited_time") or "")
    name = path_part(file_name(file) or f"{block.get('type')} {id[:8]}")
    caption = one_line(plain(file.get("caption")))
    return Item(
        key=key_of_block(id),
        path=f"{page_path}/{name}",
        version=version_of(edited, now=now),
        content_type=media_type(name),
        modified_at=seconds(edited),
        created_at=seconds(block.get("created_time")),
        title=name,
        url=_SITE + id.replace("-", ""),
        author=people.get((block.get("created_by") or {}).get("id") or ""),
        metadata={"kind": FILE, **({"caption": caption} if caption else {})},
    )


def items_of_properties(
    page: str, edited: str, properties: Mapping[str, Raw], page_path: str, *, wanted: Wanted, now: float
) -> Iterator[tuple[Item, Raw]]:
    """Yield the items of the files in the properties of a page, each with what is told of the file."""
    for name, value in sorted(properties.items()):
        if value.get("type") != "files":
            continue
        seen: dict[str, int] = {}
        for file in value.get("files") or ():
            shown = path_part(file_name(file) or name)
            seen[shown] = seen.get(shown, 0) + 1
            if not wanted.has(file):
                continue
            place = PropertyPlace(page, str(value.get("id") or name), shown, seen[shown])
            item = Item(
                key=place.key(),
                path=f"{page_path}/{shown}",
                version=version_of(edited, now=now),
                content_type=media_type(shown),
                modified_at=seconds(edited),
                title=shown,
                url=_SITE + page.replace("-", ""),
                metadata={"kind": FILE, "property": one_line(name)},
            )
            yield item, file


def item_as_recorded(key: str, version: str, recorded_path: str, page_path: str) -> Item:
    """Return the item of a file that is as it was, below a page that may be called something else by now."""
    name = recorded_path.rpartition("/")[2]
    return Item(
        key=key,
        path=f"{page_path}/{name}",
        version=version,
        content_type=media_type(name),
        modified_at=seconds(version.partition("~")[0]),
        title=name,
        url=_SITE + key.removeprefix(PREFIX).replace("-", ""),
        metadata={"kind": FILE},
    )


# -- which files a page had when it was read stands behind its version ------------------------------------


def with_files(version: str | None, blocks: list[str]) -> str | None:
    """Return the version of a page of which the blocks with files are known."""
    if version is None:
        return None
    return f"{version}/{','.join(block.replace('-', '') for block in blocks[:MOST_FILES])}"


def split_version(version: str) -> tuple[str, list[str] | None]:
    """Return the edit that a version marks, and its blocks with files; None where these are not known."""
    edited, slash, told = version.partition("/")
    if not slash:
        return edited, None
    return edited, [found for each in told.split(",") if (found := dashed(each))]
