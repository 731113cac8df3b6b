"""What a person can choose from: one folder at a time, in the order in which people count."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator

from catchment.kit import BrowsePage, ConfigRejected, Resource
from connectors.folder.names import Parts, as_text, from_key, to_key
from connectors.folder.rules import Rules, prefix_of
from connectors.folder.tree import GONE, LinkRefused, Root
from connectors.folder.walk import Walk

PAGE_ENTRIES = 200
_DIGITS = re.compile(r"(\d+)")

_Order = tuple[list[str | int], bytes]


def browse_folder(root: Root, walk: Walk, rules: Rules, folder: Parts, page: str | None) -> BrowsePage:
    """Return up to 200 files and folders that lie directly in a folder.

    A page continues behind the last entry of the one before, whatever came or went meanwhile.

    Raises:
        ConfigRejected: The folder is not there, or lies behind a link that is not followed.
        OSError: It cannot be read.
    """
    try:
        real = walk.real(folder)
        _, names = root.names(real)
    except (LinkRefused, OSError) as error:
        if isinstance(error, OSError) and error.errno not in GONE:
            raise
        raise ConfigRejected(
            f"There is no folder {to_key(b'/'.join(folder))} in {root.path}.",
            setting="folders",
            remedy="Choose again from the folder above it.",
        ) from error
    after = _order(from_key(page) or b"") if page else None
    queue = sorted(order for raw in names if (order := _order(raw)) > (after or ([], b"")))
    resources: list[Resource] = []
    for found in _resources(walk, rules, folder, queue):
        if len(resources) == PAGE_ENTRIES:
            last = resources[-1].id.rpartition("/")[2]
            return BrowsePage(resources, next_page=last)
        resources.append(found)
    return BrowsePage(resources)


def _order(raw: bytes) -> _Order:
    """Sort ``file2`` before ``file10``, and capitals with their small letters."""
    parts = _DIGITS.split(as_text(raw).casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], raw


def _resources(walk: Walk, rules: Rules, folder: Parts, queue: list[_Order]) -> Iterator[Resource]:
    ignores = rules.ignores_in(folder)
    for _, raw in queue:
        name = as_text(raw)
        if rules.unwanted(name):
            continue
        seen = walk.look((*folder, raw))
        if seen is None:
            continue
        is_folder = stat.S_ISDIR(seen.st_mode)
        if ignores.covers(prefix_of(folder), name, is_folder=is_folder):
            continue
        yield Resource(
            id=to_key(b"/".join((*folder, raw))),
            name=to_key(raw),
            kind="folder" if is_folder else "file",
            has_children=is_folder,
            size=None if is_folder else seen.st_size,
        )
