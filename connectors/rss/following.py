"""One reading of a feed: what its pages show, against what it showed before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from catchment.kit import Changed, Deleted, FeedEvent, Item
from connectors.rss.addresses import Place
from connectors.rss.entries import Told, key_of_guid
from connectors.rss.mark import MOST_ENTRIES, Mark
from connectors.rss.model import Document
from connectors.rss.reading import Reader

MOST_PAGES = 100
"""Older pages that are followed at a time."""
MOST_IDLE_PAGES = 3
"""Pages in a row that show nothing more, before no other is asked for."""


class Following:
    """Compares the pages of a feed with a mark, and fills the next one.

    Args:
        reader: Reads older pages.
        place: The feed.
        before: The mark to compare with; None where all counts as new.
        after: The next mark; whole once `events` has ended.
        tell: Makes items of a page's entries, the oldest first.
        take: Makes what is reported of an entry.
    """

    def __init__(
        self,
        reader: Reader,
        place: Place,
        *,
        before: Mark | None,
        after: Mark,
        tell: Callable[[Document], Iterator[Told]],
        take: Callable[[Told], Item],
    ) -> None:
        self._reader = reader
        self._place = place
        self._before = before
        self._after = after
        self._tell = tell
        self._take = take
        self._seen: set[str] = set()
        self._gone: set[str] = set()
        self._most = MOST_ENTRIES
        self._had_known = self._has_known = self._has_same = False

    def events(self, first: Document, *, history: bool) -> Iterator[FeedEvent]:
        """Yield what is new or different, and what was taken away, from the first page on.

        Older pages are followed to their end once; later until a page shows something just as it was known.

        Raises:
            SourceError: An older page cannot be read.
        """
        yield from self._page(first)
        self._most = self._after.room
        if history:
            yield from self._older(first)
        if self._before is not None:
            self._after.carry(self._before, but=self._gone, most=self._most)

    def _page(self, document: Document) -> Iterator[FeedEvent]:
        told = list(self._tell(document))
        self._had_known, self._has_known, self._has_same = self._had_known or self._has_known, False, False
        for one in reversed(told):
            self._after.note(one.item.key, one.version, most=self._most)
        for one in told:
            key = one.item.key
            if key in self._seen:
                continue
            self._seen.add(key)
            self._has_known |= self._before is not None and self._before.knows(key)
            if self._before is None or not self._before.has(key, one.version):
                yield Changed(self._take(one))
            else:
                self._has_same = True
        for guid in document.removed:
            if (key := key_of_guid(self._place, guid)) not in self._seen:
                self._gone.add(key)
                yield Deleted(key)

    def _older(self, first: Document) -> Iterator[FeedEvent]:
        reads_all = self._before is None or not self._before.complete
        page: Document | None = first
        followed: set[str] = set()
        idle = 0
        while page is not None and page.older and len(followed) < MOST_PAGES:
            if not reads_all and self._is_met:
                break
            if page.older in followed or idle == MOST_IDLE_PAGES:
                return  # such links may go on for ever; the next run tries whether they lead on by then
            followed.add(page.older)
            page = self._reader.older(self._place, page.older)
            known = len(self._seen)
            if page is not None:
                yield from self._page(page)
            idle = idle + 1 if len(self._seen) == known else 0
        self._after.complete = bool(followed) or not reads_all

    @property
    def _is_met(self) -> bool:
        """Whether the newest page leads to what was read before.

        It shows something just as it was, or what lies behind all that the mark remembers.
        """
        return self._has_same or (self._had_known and not self._has_known)
