"""What `check` tries: each feed, and the page of an entry where full texts are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catchment.core.errors import SourceError
from catchment.kit import Capability, Health
from connectors.rss.articles import Unread, read_article
from connectors.rss.entries import Told

if TYPE_CHECKING:
    from connectors.rss.connector import RSS

_UNTRIED = "Not tried, because what comes before it does not work."


def probe(source: RSS) -> list[Capability]:
    """Return how reading the feeds stands, and reading pages where they are wanted."""
    newest, listed = _list(source)
    if not source.config.full_text:
        return [listed]
    if listed.health is not Health.OK:
        return [listed, Capability("read", listed.health, _UNTRIED)]
    return [listed, _read(source, newest)]


def _list(source: RSS) -> tuple[Told | None, Capability]:
    """Read every feed; the first that cannot be read is told of."""
    newest: Told | None = None
    entries = 0
    for place in source.config.places:
        try:
            told = source.told(place)
        except SourceError as error:
            return None, Capability.failed(
                "list", error, setting=place.setting, remedy="Look at the address and the network."
            )
        entries += len(told)
        newest = newest or (told[-1] if told else None)
    count = len(source.config.places)
    feeds = "The feed is" if count == 1 else f"{count} feeds are"
    return newest, Capability("list", Health.OK, f"{feeds} read, with {entries} entries now.")


def _read(source: RSS, newest: Told | None) -> Capability:
    if newest is None:
        return Capability("read", Health.OK, "There is no entry yet whose page could be tried.")
    try:
        got = read_article(source.web, newest.item, newest.body, most_bytes=source.config.max_file_bytes)
    except SourceError as error:
        return Capability.failed("read", error, remedy="Look at the site, then try again.")
    if isinstance(got, Unread):
        # The feed's own text is taken then, so it is no fault.
        return Capability("read", Health.OK, f"Of {newest.item.path} the feed's text is taken: {got.reason}.")
    return Capability("read", Health.OK, f"{newest.item.path} can be read.")
