"""What a person can choose from: the feeds that are set, their entries, and the feeds that a page names."""

from __future__ import annotations

from catchment.kit import BrowsePage, OutOfScope, Resource
from connectors.rss.addresses import Place
from connectors.rss.entries import Told

PAGE_ENTRIES = 200


def browse_feeds(places: list[Place]) -> BrowsePage:
    """Return the feeds that are set."""
    return BrowsePage(
        [
            Resource(place.shown, place.shown.partition("://")[2], "feed", has_children=True)
            for place in places
        ]
    )


def browse_entries(told: list[Told], page: str | None) -> BrowsePage:
    """Return up to 200 entries of a feed, the newest first.

    Raises:
        OutOfScope: There is no such page.
    """
    if page is not None and not page.isdecimal():
        raise OutOfScope(f"There is no page {page!r}.")
    begin = int(page or 0)
    newest = told[::-1]
    shown = [
        Resource(one.item.key, one.item.title or one.item.path, "entry", size=len(one.body))
        for one in newest[begin : begin + PAGE_ENTRIES]
    ]
    end = begin + PAGE_ENTRIES
    return BrowsePage(shown, str(end) if end < len(newest) else None)


def browse_named(feeds: tuple[tuple[str, str], ...]) -> BrowsePage:
    """Return the feeds that a web page names, to be set in place of the page."""
    return BrowsePage([Resource(url, title or url, "feed") for url, title in feeds])
