"""Spaces and pages as a tree, for pickers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catchment.kit import BrowsePage, ConfigRejected, Resource

if TYPE_CHECKING:
    from connectors.confluence.connector import Confluence

_PAGE = "page:"


def browse(source: Confluence, parent_id: str | None, page: str | None) -> BrowsePage:
    """Return spaces, by the keys that the settings take, and below them pages, a hundred at a time.

    Raises:
        ConfigRejected: There is no such space.
        SourceError: The site cannot be read.
    """
    if parent_id is None:
        spaces = sorted(source.reading.spaces(), key=lambda space: space.name.casefold())
        return BrowsePage([Resource(space.key, space.name, "space", has_children=True) for space in spaces])
    if parent_id.startswith(_PAGE):
        found, next_page = source.api.children(None, parent_id.removeprefix(_PAGE), page)
    else:
        space = next(iter(source.reading.spaces([parent_id])), None)
        if space is None:
            raise ConfigRejected(f"The site has no space {parent_id}.", setting="space_keys")
        found, next_page = source.api.children(space, None, page)
    resources = [Resource(f"{_PAGE}{one.id}", one.title, "page", has_children=True) for one in found]
    return BrowsePage(resources, next_page)
