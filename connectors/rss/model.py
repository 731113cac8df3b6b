"""What is read out of a feed, whatever its format."""

from __future__ import annotations

from msgspec import Struct, field

from catchment.kit import SourceDown


class Enclosure(Struct):
    """A file that comes with an entry."""

    url: str
    content_type: str = ""


class Entry(Struct):
    """One entry.

    Attributes:
        guid: Its own identity; empty where it has none.
        link: Where a person reads it; empty where nothing is told, or it is no web address.
        title: Plain text.
        html: What the feed has of its text, as HTML.
        author: Who wrote it.
        tags: Its categories.
        published: POSIX seconds, as the feed says: it may be wrong.
        updated: The same of the last change.
        enclosures: Files that come with it.
    """

    guid: str = ""
    link: str = ""
    title: str = ""
    html: str = ""
    author: str = ""
    tags: tuple[str, ...] = ()
    published: float | None = None
    updated: float | None = None
    enclosures: list[Enclosure] = field(default_factory=list)


class Document(Struct):
    """One page of a feed.

    Attributes:
        title: Plain text.
        entries: As the feed has them; most have the newest first.
        removed: Guids of entries that the feed says were taken away.
        older: Address of the page with older entries; empty where there is none.
        sound: Whether the format was kept. What is read of one that is not may be less than it holds.
    """

    title: str = ""
    entries: list[Entry] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    older: str = ""
    sound: bool = True


class BrokenFeed(SourceDown):
    """What came is the beginning of a feed, or nothing: another try may bring all of it."""


class NoFeed(Exception):
    """What came is something else; `feeds` are the addresses of feeds that it names."""

    def __init__(self, what: str, feeds: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.feeds = feeds
