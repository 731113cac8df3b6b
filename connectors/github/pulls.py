"""Pull requests of a listing with all that was said about them, a hundred to a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from catchment.kit import Content, Item
from connectors.github.client import Client
from connectors.github.rendering import talk
from connectors.github.reviews import TOGETHER, Reviewed, reviews_of
from connectors.github.spool import COMMENT, REMARK, Spool
from connectors.github.walking import Row

BROUGHT_CHARACTERS = 16 * 1024
"""Longest text that a listing brings along."""


def brought(text: str) -> Content | None:
    """Return a text as content that comes along with a listing; None where it is too long for that."""
    return Content.text(text) if len(text) <= BROUGHT_CHARACTERS else None


class Pulls:
    """Pull requests that are held until there are enough of them for a question about their reviews.

    Args:
        client: Who asks.
        spool: Comments and remarks.
        item_of: Makes an item of a row.
    """

    def __init__(self, client: Client, spool: Spool, item_of: Callable[[Row], Item]) -> None:
        self._client = client
        self._spool = spool
        self._item_of = item_of
        self._held: list[Row] = []

    @property
    def oldest(self) -> str | None:
        """The time of the last change of the one that is held longest; None where none is."""
        return str(self._held[0]["updated_at"]) if self._held else None

    def hold(self, raw: Row) -> None:
        """Take one in."""
        self._held.append(raw)

    def whole_questions(self) -> Iterator[Item]:
        """Yield those that fill whole questions."""
        while len(self._held) >= TOGETHER:
            rows, self._held = self._held[:TOGETHER], self._held[TOGETHER:]
            yield from self._answered(rows)

    def rest(self) -> Iterator[Item]:
        """Yield all that are held."""
        rows, self._held = self._held, []
        if rows:
            yield from self._answered(rows)

    def _answered(self, rows: list[Row]) -> Iterator[Item]:
        reviewed = reviews_of(self._client, [str(raw["node_id"]) for raw in rows])
        for raw in rows:
            item = self._item_of(raw)
            item.content = self._content(raw, reviewed.get(item.key))
            yield item

    def _content(self, raw: Row, found: Reviewed | None) -> Content | None:
        """Return the text, where all that was said is there and nothing has happened since it was listed."""
        number = int(raw["number"])
        comments, remarks = self._spool.said(number, COMMENT), self._spool.said(number, REMARK)
        told = (raw["updated_at"], raw.get("comments", 0))
        if found is None or (found.updated, len(comments)) != told or found.remarks != len(remarks):
            return None
        return brought(talk(raw, comments, found.reviews, remarks))
