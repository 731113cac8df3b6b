"""Pull requests of a listing with all that was said about them, a hundred to a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from catchment.kit import Content, Item
from catchment.kit.errands import Errand
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

    A question is asked beside the listing, one at a time: all of one are yielded before the next is asked.

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
        self._asked: tuple[list[Row], Errand[dict[str, Reviewed]]] | None = None

    @property
    def oldest(self) -> str | None:
        """The time of the last change of the one that is held longest; None where none is."""
        rows = self._held if self._asked is None else self._asked[0]
        return str(rows[0]["updated_at"]) if rows else None

    def hold(self, raw: Row) -> None:
        """Take one in."""
        self._held.append(raw)

    def answered(self) -> Iterator[Item]:
        """Ask about those that fill whole questions, and yield those that are answered."""
        if self._asked is not None and self._asked[1].done:
            yield from self._told()
        while len(self._held) >= TOGETHER:
            yield from self._told()
            self._ask()

    def rest(self) -> Iterator[Item]:
        """Yield all that are held."""
        yield from self._told()
        while self._held:
            self._ask()
            yield from self._told()

    def _ask(self) -> None:
        rows, self._held = self._held[:TOGETHER], self._held[TOGETHER:]
        ids = [str(raw["node_id"]) for raw in rows]
        self._asked = rows, self._client.errands.start(partial(reviews_of, self._client, ids))

    def _told(self) -> Iterator[Item]:
        """Wait for the answer to what was asked, and yield those that it is about."""
        if self._asked is None:
            return
        rows, answer = self._asked
        reviewed, self._asked = answer.result(), None
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
